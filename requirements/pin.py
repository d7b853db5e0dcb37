"""Resolve `NAME.in` into `NAME.txt`: exact versions of everything, direct or not, each available as a wheel.

Usage: python requirements/pin.py runtime dev
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def pins(requirements: Path) -> list[str]:
    """`name==version` of all that these requirements install, by name. Fails when something has no wheel."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += ["--only-binary=:all:", "--report", "-", "-r", str(requirements)]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return sorted(_pin(entry["metadata"], entry.get("requested_extras", [])) for entry in report["install"])


def _pin(metadata: dict[str, str], extras: list[str]) -> str:
    name = metadata["name"].lower().replace("_", "-") + (f"[{','.join(extras)}]" if extras else "")
    return f"{name}=={metadata['version']}"


def main(names: list[str]) -> None:
    for name in names:
        lines = pins(HERE / f"{name}.in")
        heading = f"# Resolved from {name}.in by `make pins`; edit that file, not this one."
        (HERE / f"{name}.txt").write_text("\n".join([heading, *lines, ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
