"""What the pages show: the fenced blocks of README and docs, taken apart into the examples that tests carry out.

A test module takes what it carries out when it is imported. `tests/unit/test_every_example.py` holds what was taken
against all that the pages show, so that an example which nobody carries out fails.
"""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = {
    "README": ROOT / "README.md",
    **{
        path.relative_to(ROOT / "docs").with_suffix("").as_posix(): path
        for path in sorted((ROOT / "docs").rglob("*.md"))
    },
}

#: Page and kind (a language, or of shell blocks the program) that some test carries out.
TAKEN: set[tuple[str, str]] = set()

#: Commands that no test types, by how they begin, and why. Nothing else may stay without a test.
LEFT_OUT = {
    "make demo": "serves until it is stopped; `mdm demo` has its own tests",
    "make test": "is this very run",
    "make stack": "starts Kafka, Debezium and databases; `make live` does",
    "make stack-demo": "needs the stack",
    "make stack-down": "needs the stack",
    "make compose-data": "feeds Docker, which does not run here",
    "docker compose": "needs Docker",
    "python -m bench.ingest": "measures for minutes",
    "python -m bench.resolve": "measures for minutes",
    "mdm worker relay --broker": "needs a broker; tests/integration/workers/test_relay.py",
}

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"(?:export )?[A-Z_]+=\S*$")


class Example(NamedTuple):
    """A command of a shell block, or a whole block of another language."""

    page: str
    kind: str
    text: str

    @property
    def words(self) -> list[str]:
        """What a shell makes of the command."""
        return shlex.split(self.text, comments=True)

    @property
    def left_out(self) -> str | None:
        """How it begins, if no test types it."""
        line = " ".join(self.words)
        found = [start for start in LEFT_OUT if line == start or line.startswith(f"{start} ")]
        return max(found, key=len) if found and self.kind in ("make", "docker", "python -m", "mdm") else None


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in a language, as they stand there."""
    return [text for found, text in _BLOCK.findall(PAGES[page].read_text(encoding="utf-8")) if found == language]


def examples(page: str) -> list[Example]:
    """All that a page shows, in its order, without drawings and lines that name what the reader fills in (`KEY=…`)."""
    found = []
    for language, text in _BLOCK.findall(PAGES[page].read_text(encoding="utf-8")):
        if language == "sh":
            found += [Example(page, _program(line), line) for line in _commands(text)]
        else:
            found.append(Example(page, language, text))
    return [each for each in found if each.kind not in ("setting", "text")]


def take(page: str, kind: str) -> list[str]:
    """The examples of a kind that the calling test carries out."""
    TAKEN.add((page, kind))
    return [each.text for each in examples(page) if each.kind == kind and each.left_out is None]


def _commands(text: str) -> list[str]:
    """The commands of a shell block; one may go on over lines, after a backslash or within quotes."""
    found, begun = [], ""
    for line in text.splitlines():
        begun += line
        if begun.endswith("\\"):
            begun = begun[:-1] + " "
            continue
        try:
            words = shlex.split(begun, comments=True)
        except ValueError:  # a quotation goes on
            begun += "\n"
            continue
        if words:
            found.append(begun)
        begun = ""
    assert not begun, f"a command without an end: {begun}"
    return found


def _program(command: str) -> str:
    words = shlex.split(command, comments=True)
    if all(_SETTING.match(word) or word == "export" for word in words):
        return "setting"
    name = next(word for word in words if not _SETTING.match(word)).rpartition("/")[2]
    return "python -m" if name == "python" and words[1] == "-m" else name
