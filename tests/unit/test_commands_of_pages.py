"""Every `mdm` command that a page shows exists, with the options that the page gives it."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from mdm.cli.app import app

_ROOT = Path(__file__).parents[2]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands_of(page: Path) -> list[list[str]]:
    """The words behind `mdm` of each line of the page's shell blocks, settings before it left out."""
    text = "\n".join(_BLOCK.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    found = []
    for line in re.findall(r"^(?:[A-Z_]+=\S+ )*(?:\S+/)?mdm .*$", text, re.MULTILINE):
        words = shlex.split(line, comments=True)
        found.append(words[next(n for n, word in enumerate(words) if word.rpartition("/")[2] == "mdm") + 1 :])
    return found


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and what follows it. Typer brings its own click, whose types are not public."""
    command: Any = get_command(app)
    rest = list(words)
    while isinstance(command, TyperGroup) and rest and not (command.invoke_without_command and rest[0].startswith("-")):
        name = rest.pop(0)
        command = command.get_command(None, name)  # type: ignore[arg-type]  # no group asks for the context
        assert command is not None, f"there is no command {name} in {words}"
    return command, rest


@pytest.mark.parametrize("page", [page for page in _PAGES if commands_of(page)], ids=lambda page: page.stem)
def test_every_command_that_a_page_shows_exists_with_its_options(page: Path) -> None:
    for words in commands_of(page):
        command, rest = command_of(words)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        given = {word.partition("=")[0] for word in rest if re.match(r"--[a-z]", word)}
        assert given <= known | {"--help"}, (words, given - known)


def test_many_pages_show_commands() -> None:
    assert sum(len(commands_of(page)) for page in _PAGES) > 60
