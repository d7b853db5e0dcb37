"""Descriptions of the API as they were promised, one per major version, without words. What is served now is held
against them (`mdm api diff`); what one of them promises is kept until the next major version.

python -m api.released           writes the description of the major version that is served now: with a release, or for
                                 additions that are promised from now on. Refused where it would break what is promised.
"""

import json
import sys
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "promised"
#: The released versions by name.
NAMED = {each.stem: each for each in sorted(_FOLDER.glob("v*.json"))}


def read_released(name: str) -> dict[str, Any]:
    """The description of a released version, such as v1."""
    document: dict[str, Any] = json.loads(NAMED[name].read_text(encoding="utf-8"))
    return document


def main() -> int:
    """Write the description of the served major version; 1 where it would take promises back."""
    from api.app import ApiOptions, assemble
    from api.compatibility import changes, essence, major, refused
    from api.openapi import describe

    served = json.loads(json.dumps(describe(assemble(ApiOptions()))))
    name = f"v{major(served)}"
    if name in NAMED:
        before = read_released(name)
        if broken := refused(before, served, changes(before, served)):
            print(*(f"{each.where}: {each.code}, {each.detail}" for each in broken), sep="\n")  # noqa: T201
            return 1
    text = json.dumps(essence(served), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (_FOLDER / f"{name}.json").write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
