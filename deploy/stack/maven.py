"""Fetches broker, Connect and Debezium from Maven Central, once per version of `pom.xml`."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
#: The last lines of Maven's output that are worth showing when it fails.
_TAIL = 15
#: Some 110 MB, from a slow mirror.
_TIMEOUT_SECONDS = 600


class StackUnavailable(Exception):
    """This machine cannot run the stack; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where the fetched programs are: the class path of broker and Connect, and the folder of connector plugins."""

    jars: Path
    plugins: Path


def missing_programs() -> str | None:
    """What this machine lacks to run the stack, as a sentence; None when nothing is missing."""
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if not missing:
        return None
    return f"The stack needs {' and '.join(missing)} on the PATH (Java 17 or newer, Maven 3.6 or newer)."


def fetch() -> Artifacts:
    """The programs, fetched unless they are there. `MDM_STACK_CACHE` names the folder (default `~/.cache/mdm-stack`).

    Raises:
        StackUnavailable: Java or Maven is missing, or Maven Central cannot be reached.
    """
    cache = Path(os.environ.get("MDM_STACK_CACHE") or Path.home() / ".cache" / "mdm-stack")
    mark = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    ready = cache / mark
    if not ready.exists():
        if problem := missing_programs():
            raise StackUnavailable(problem)
        partial = cache / f"{mark}.{os.getpid()}"
        partial.mkdir(parents=True)
        _run_maven(partial)
        try:
            partial.rename(ready)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return Artifacts(ready / "jars", ready / "plugins")


def _run_maven(directory: Path) -> None:
    command = [
        "mvn",
        "--batch-mode",
        "--quiet",
        "-f",
        str(_POM),
        f"-Dstack.directory={directory}",
        "generate-resources",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as late:
        shutil.rmtree(directory, ignore_errors=True)
        raise StackUnavailable(f"Maven did not fetch the stack within {_TIMEOUT_SECONDS} s.") from late
    if done.returncode:
        shutil.rmtree(directory, ignore_errors=True)
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_TAIL:])
        raise StackUnavailable(f"Maven could not fetch the stack:\n{output}")
