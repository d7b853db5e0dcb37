"""Reads a YAML document with the line of every part, so that a fault is named by file, line and key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from mdm.errors import ConfigurationInvalid


class Part:
    """A place in a document: a mapping, a list or a plain value."""

    def __init__(self, file: Path, path: str, node: yaml.Node) -> None:
        self.file = file
        self.path = path
        self.node = node

    @property
    def value(self) -> Any:  # Any: whatever the document says here
        """The plain content."""
        return _content(self.node)

    def items(self) -> Iterator[tuple[str, "Part"]]:
        """The keys and parts of a mapping."""
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse("must be a mapping")
        seen: set[str] = set()
        for key, value in self.node.value:
            name = str(key.value)
            part = Part(self.file, f"{self.path}.{name}" if self.path else name, value)
            if name in seen:
                part.refuse("stands here twice")
            seen.add(name)
            yield name, part

    def mapping(self, *known: str) -> "dict[str, Part]":
        """A mapping that may have these keys only."""
        parts = dict(self.items())
        for name, part in parts.items():
            if known and name not in known:
                part.refuse(f"is not known here; known are {', '.join(known)}")
        return parts

    def elements(self) -> "list[Part]":
        """The parts of a list; a plain value counts as a list of one."""
        if isinstance(self.node, yaml.MappingNode):
            self.refuse("must be a list")
        nodes = self.node.value if isinstance(self.node, yaml.SequenceNode) else [self.node]
        return [Part(self.file, f"{self.path}[{position}]", node) for position, node in enumerate(nodes)]

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            self.refuse("must be a text")
        return str(self.node.value)

    def number(self, low: float, high: float) -> float:
        """A number between two bounds, both included."""
        value = self.value
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            self.refuse(f"must be a number from {low:g} to {high:g}")
        return float(value)

    def refuse(self, problem: str) -> NoReturn:
        """Raises ConfigurationInvalid about this place."""
        line = self.node.start_mark.line + 1
        raise ConfigurationInvalid(
            f"{self.file}, line {line}: {self.path or 'the document'} {problem}.", action="Correct the rule set."
        )


def read_document(file: Path) -> Part:
    """The document in a file.

    Raises:
        ConfigurationInvalid: the file cannot be read or is not YAML.
    """
    return parse_document(file, read_text(file))


def read_text(file: Path) -> str:
    """The text of a document.

    Raises:
        ConfigurationInvalid: the file cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationInvalid(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid(f"{file} is not a YAML document: {error}") from error


def parse_document(file: Path, text: str) -> Part:
    """The document in a text; `file` is what faults call it.

    Raises:
        ConfigurationInvalid: the text is not YAML.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"{file} is not a YAML document: {error}") from error
    if not isinstance(node, yaml.Node):
        raise ConfigurationInvalid(f"{file} is empty.")
    return Part(file, "", node)


def _content(node: yaml.Node) -> Any:  # Any: whatever the document says
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()
