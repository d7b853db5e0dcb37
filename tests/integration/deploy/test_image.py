"""The image of the hub can be built from what the repository holds, and starts a command that there is.

No engine is needed: the description is read as a builder would read it, file by file.
"""

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

import deploy

ROOT = Path(deploy.__file__).parent.parent
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def instructions(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each instruction with its words, continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name:
            yield name.upper(), re.findall(r'"([^"]*)"', rest) if rest.startswith("[") else shlex.split(rest)


def left_out(path: Path) -> bool:
    """Whether `.dockerignore` keeps a path of the repository from the builder."""
    relative = path.relative_to(ROOT)
    above = [relative, *relative.parents][:-1]
    patterns = (ROOT / ".dockerignore").read_text("utf-8").split()
    return any(fnmatch(str(each), pattern.removeprefix("**/")) for each in above for pattern in patterns)


def faults(text: str) -> list[str]:
    """What a builder would stumble over: files that are copied, installed or run, and are not there."""
    found: list[str] = []
    copied: list[Path] = []
    for name, words in instructions(text):
        if name in ("COPY", "ADD"):
            *sources, _ = [word for word in words if not word.startswith("--")]
            for source in sources:
                paths = [path for path in ROOT.glob(source) if not left_out(path)] if source != "." else [ROOT]
                copied += paths
                found += [] if paths else [f"{name} {source}"]
        if name == "RUN":
            for option, word in pairwise(words):
                file = ROOT / word
                if option == "-r" and not (file.is_file() and {file, *file.parents} & set(copied)):
                    found.append(f"-r {word}")
                if option == "-m" and importlib.util.find_spec(word) is None:
                    found.append(f"-m {word}")
        if name == "ENTRYPOINT" and words[0] not in PROJECT["scripts"]:
            found.append(f"ENTRYPOINT {words[0]}")
    return found


def test_everything_that_the_image_is_made_of_is_there() -> None:
    assert faults(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("COPY requirements/", "COPY requirements/no_such.txt requirements/", "COPY requirements/no_such.txt"),
        ("COPY . .", "COPY var/platforms .\nCOPY . .", "COPY var/platforms"),
        ("COPY requirements/runtime.txt requirements/train.txt", "COPY requirements/runtime.txt",
         "-r requirements/train.txt"),
        ("matching.compiling", "matching.compiler", "-m matching.compiler"),
        ('ENTRYPOINT ["mdm"]', 'ENTRYPOINT ["hub"]', "ENTRYPOINT hub"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_found(right: str, wrong: str, fault: str) -> None:
    assert right in DOCKERFILE
    assert faults(DOCKERFILE.replace(right, wrong)) == [fault]


def test_the_image_has_a_python_that_the_hub_runs_on() -> None:
    (base,) = [words[0] for name, words in instructions(DOCKERFILE) if name == "FROM"]
    (least,) = re.findall(r">=(\d+)\.(\d+)", PROJECT["requires-python"])
    (has,) = re.findall(r"^python:(\d+)\.(\d+)", base)

    assert tuple(map(int, has)) >= tuple(map(int, least))


def test_services_are_built_from_the_repository_and_see_folders_that_are_there() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    made = {ROOT / "var" / "platforms"}  # by `make compose-data`, as the file says at its top

    for name, service in compose["services"].items():
        if "build" in service:
            assert (ROOT / "deploy" / service["build"]["context"]).resolve() == ROOT, name
            assert (ROOT / service["build"]["dockerfile"]).is_file(), name
        for mounted in service.get("volumes", ()):
            source = mounted.partition(":")[0]
            if source.startswith("."):
                folder = (ROOT / "deploy" / source).resolve()
                assert folder.is_dir() or folder in made, (name, source)
    assert "--directory var/platforms" in (ROOT / "Makefile").read_text("utf-8")
