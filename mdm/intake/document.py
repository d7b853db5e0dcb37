"""Reads YAML documents so that every fault can be named with its file, line and key.

Contracts and mappings fail when they are loaded, never at the millionth record.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from mdm.errors import ConfigurationInvalid

T = TypeVar("T")


class Section:
    """One mapping of a document. Reads named values with their expected shape; what was not read can be refused."""

    def __init__(self, file: Path, path: str, node: yaml.MappingNode) -> None:
        self._file = file
        self._path = path
        self._line = node.start_mark.line + 1
        self._node_here = node
        self._nodes: dict[str, yaml.Node] = {}
        self._read: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, path, "a key must be a plain word")
            if key.value in self._nodes:
                self._refuse(key, self._key(key.value), "the key stands here twice")
            self._nodes[key.value] = value

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def names(self) -> Iterator[str]:
        """Every key, in the order of the document."""
        return iter(self._nodes)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default the key must be there."""
        node = self._node(name)
        if node is None:
            return self._absent(name, default)
        if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null"):
            self._refuse(node, self._key(name), "must be a text")
        return str(node.value)

    def flag(self, name: str, default: bool) -> bool:
        node = self._node(name)
        if node is None:
            return default
        written = node.value.lower() if isinstance(node, yaml.ScalarNode) else ""
        if written not in ("true", "false"):
            self._refuse(node, self._key(name), "must be true or false")
        return bool(written == "true")

    def number(self, name: str, default: float | None = None) -> float:
        """A number; without a default the key must be there."""
        node = self._node(name)
        if node is None:
            return self._absent(name, default)
        try:
            return float(str(node.value))
        except ValueError:
            self._refuse(node, self._key(name), "must be a number")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, a single text counting as a list of one; empty when the key is not there."""
        node = self._node(name)
        if node is None:
            return ()
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for item in items:
            if not isinstance(item, yaml.ScalarNode):
                self._refuse(item, self._key(name), "must be a text or a list of texts")
        return tuple(str(item.value) for item in items)

    def section(self, name: str) -> "Section | None":
        node = self._node(name)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, self._key(name), "must be a mapping")
        return Section(self._file, self._key(name), node)

    def sections(self, name: str) -> "tuple[Section, ...]":
        """A list of mappings; empty when the key is not there."""
        node = self._node(name)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, self._key(name), "must be a list")
        found = []
        for position, item in enumerate(node.value):
            key = f"{self._key(name)}[{position}]"
            if not isinstance(item, yaml.MappingNode):
                self._refuse(item, key, "must be a mapping")
            found.append(Section(self._file, key, item))
        return tuple(found)

    def is_text(self, name: str) -> bool:
        return isinstance(self._nodes.get(name), yaml.ScalarNode)

    def is_mapping(self, name: str) -> bool:
        return isinstance(self._nodes.get(name), yaml.MappingNode)

    def is_list_of_mappings(self, name: str) -> bool:
        node = self._nodes.get(name)
        return isinstance(node, yaml.SequenceNode) and any(isinstance(item, yaml.MappingNode) for item in node.value)

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """A text out of a closed list."""
        value = self.text(name, default)
        if value not in allowed:
            self.refuse(name, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def refuse(self, name: str, problem: str) -> NoReturn:
        """Raises ConfigurationInvalid about this key."""
        node = self._nodes.get(name)
        if node is None:
            self._fail(self._line, self._key(name), problem)
        self._refuse(node, self._key(name), problem)

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits over what it says; comments, blanks and the order of keys do not count."""
        return hashlib.sha256(_said(self._node_here).encode()).hexdigest()[:16]

    def finish(self) -> None:
        """Refuse keys that nothing has read: a misspelt key would otherwise be ignored in silence."""
        for name in self._nodes:
            if name not in self._read:
                self.refuse(name, "is not a known key here")

    def _node(self, name: str) -> yaml.Node | None:
        self._read.add(name)
        return self._nodes.get(name)

    def _absent(self, name: str, default: T | None) -> T:
        if default is None:
            self._fail(self._line, self._key(name), "is missing")
        return default

    def _key(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _refuse(self, node: yaml.Node, key: str, problem: str) -> NoReturn:
        self._fail(node.start_mark.line + 1, key, problem)

    def _fail(self, line: int, key: str, problem: str) -> NoReturn:
        raise ConfigurationInvalid(f"{self._file}:{line}: {key} {problem}.", action="Correct the file and start again.")


def _said(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return f"{{{','.join(sorted(f'{_said(key)}:{_said(value)}' for key, value in node.value))}}}"
    if isinstance(node, yaml.SequenceNode):
        return f"[{','.join(map(_said, node.value))}]"
    return repr((node.tag, node.value))


def read_document(file: Path) -> Section:
    """The document of a YAML file.

    Raises:
        ConfigurationInvalid: the file cannot be read or is no YAML mapping; names file and line.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as fault:
        raise ConfigurationInvalid(f"{file} cannot be read: {fault.strerror}.", action="Give a YAML file.") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigurationInvalid(f"{file}:{line}: is not YAML: {fault}.") from fault
    except RecursionError as fault:
        raise ConfigurationInvalid(f"{file}:1: is nested too deeply to be read.") from fault
    if not isinstance(node, yaml.MappingNode):
        raise ConfigurationInvalid(f"{file}:1: must be a mapping.")
    return Section(file, "", node)
