"""One golden record as a target's object, with findings about what does not fit. Nothing is cut or invented."""

from collections.abc import Collection as Ids
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from datetime import UTC, datetime
from typing import Any

from mdm.geography import region_code
from mdm.projection.form import Block, Constant, Field, First, Form, Head, Joined, Kind, Line, OwnKey, Value

#: The code of a value that is longer than its field.
TOO_LONG = "ERP_FIELD_TOO_LONG"


@dataclass(frozen=True, slots=True)
class Subject:
    """A golden record as the caller may see it: references expanded, hidden values masked and named in `masked`."""

    id: str
    version: int
    known_from: datetime
    values: Mapping[str, Any]
    masked: Ids[str] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the object that the target will not take as it is. `severity` is error or warning."""

    code: str
    severity: str
    field: str
    attribute: str | None
    message: str
    params: Mapping[str, str] = made(default_factory=dict)
    #: Where the value stands among the golden values (JSON pointer).
    path: str = ""


@dataclass(frozen=True, slots=True)
class Projected:
    """The target's object. `masked` are its fields whose value the caller may not see in full."""

    values: Mapping[str, Any]
    masked: Sequence[str]
    findings: Sequence[Finding]

    @property
    def fits(self) -> bool:
        """Whether the target can take the object as it is."""
        return not any(each.severity == "error" for each in self.findings)


@dataclass(slots=True)
class _Work:
    subject: Subject
    keys: Mapping[str, Sequence[str]]
    findings: list[Finding] = made(default_factory=list)
    masked: list[str] = made(default_factory=list)


def project(form: Form, subject: Subject, keys: Mapping[str, Sequence[str]]) -> Projected:
    """The object of a form.

    Args:
        keys: the target's own keys by golden id: of the record and of those it refers to.
    """
    work = _Work(subject, keys)
    values = {each.name: _field(work, each, subject.values, each.name, None) for each in form.fields}
    for collection in form.collections:
        values[collection.name] = [
            item for block in collection.blocks for item in _items(work, block, f"{collection.name}")
        ]
    return Projected(values, tuple(sorted(work.masked)), tuple(work.findings))


def narrowed(projected: Projected, names: Ids[str]) -> Projected:
    """Only some fields and collections, with what is to be said about them."""

    def kept(name: str) -> bool:
        return name.partition("/")[0] in names

    return Projected(
        {name: value for name, value in projected.values.items() if name in names},
        [each for each in projected.masked if kept(each)],
        [each for each in projected.findings if kept(each.field)],
    )


def broken(text: str, lines: int, width: int) -> list[str]:
    """A text broken between words into lines of at most `width`; what is left over stays whole on the last one."""
    found: list[str] = []
    for word in text.split():
        longer = f"{found[-1]} {word}" if found else word
        if found and (len(longer) <= width or len(found) == lines):
            found[-1] = longer
        else:
            found.append(word)
    return found


def _items(work: _Work, block: Block, name: str) -> Iterator[dict[str, Any]]:
    value = work.subject.values.get(block.attribute)
    elements = value if isinstance(value, list) else [value]
    for index, element in enumerate(elements):
        if not isinstance(element, Mapping) or (block.type is not None and element.get("type") != block.type):
            continue
        base = f"/{block.attribute}" + (f"/{index}" if isinstance(value, list) else "")
        yield {
            each.name: _field(work, each, element, f"{name}/{index}/{each.name}", block.attribute, base)
            for each in block.fields
        }


def _field(work: _Work, what: Field, values: Mapping[str, Any], place: str, item_of: str | None, base: str = "") -> Any:
    attribute = item_of or what.attribute
    raw = _raw(work, what, values, place, attribute)
    if attribute in work.subject.masked and not isinstance(what.origin, Constant | Head | OwnKey):
        # What may not be seen is not described either: no length, no code.
        work.masked.append(place)
        return raw if isinstance(raw, str) else None
    if raw is None or raw == "":
        if what.required:
            _find(work, "ERP_FIELD_MISSING", "error", place, attribute, f"{what.name} must be filled.")
        return None
    shown = _coded(work, what, raw, values, place, attribute)
    if isinstance(shown, str):
        shown = _written(what, shown)
        limit = what.length
        if limit is not None and len(shown) > limit and not what.composed:
            _find(
                work, TOO_LONG, "error", place, attribute,
                f"The value has {len(shown)} characters, {what.name} holds {limit}. It is given whole.",
                {"length": str(len(shown)), "limit": str(limit)}, base + _pointer(what, bool(base)),
            )  # fmt: skip
    return shown


def _raw(work: _Work, what: Field, values: Mapping[str, Any], place: str, attribute: str | None) -> Any:
    match what.origin:
        case Constant(value):
            return value
        case Head("known_from"):
            return work.subject.known_from.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Head(member):
            return getattr(work.subject, member)
        case OwnKey(None):
            return _own_key(work, work.subject.id, place, None)
        case OwnKey(reference):
            return _referred(work, values.get(reference or ""), place, attribute)
        case Line(_, number, lines, width):
            text = values.get(what.origin.attribute)
            parts = broken(text, lines, width) if isinstance(text, str) else []
            return parts[number - 1] if number <= len(parts) else None
        case Joined(name, several):
            whole = values if place.count("/") else values.get(name)
            found = [whole.get(each) for each in several] if isinstance(whole, Mapping) else []
            return " ".join(str(each) for each in found if each) or None
        case First(name, type_, part):
            return _first(values.get(name), type_, part)
        case Value(name, part):
            held = values.get(name)
            if part is not None:
                return held.get(part) if isinstance(held, Mapping) else None
            return _stated(values, name) if name == "normal" else held


def _stated(identifier: Mapping[str, Any], name: str) -> Any:
    """The normal form of an identifier, or as it was written when it has none."""
    return identifier.get(name) or identifier.get("value")


def _first(value: Any, type_: str | None, part: str) -> Any:
    for element in value if isinstance(value, list) else ():
        if isinstance(element, Mapping) and (type_ is None or element.get("type") == type_):
            return _stated(element, part) if part == "normal" else element.get(part)
    return None


def _own_key(work: _Work, id: str, place: str, attribute: str | None) -> str | None:
    found = sorted(work.keys.get(id, ()))
    if len(found) > 1:
        message = f"The target knows it under {len(found)} keys; the first is given."
        _find(work, "ERP_KEY_AMBIGUOUS", "warning", place, attribute, message, {"keys": ", ".join(found)})
    return found[0] if found else None


def _referred(work: _Work, reference: Any, place: str, attribute: str | None) -> str | None:
    if not isinstance(reference, Mapping):
        return None
    id = reference.get("entity_id")
    key = _own_key(work, str(id), place, attribute) if id else None
    if key is None:
        message = "The record that it refers to is not in the target yet; create that one first."
        params = {"entity_id": str(id)} if id else {}
        _find(work, "ERP_REFERENCE_UNKNOWN", "warning", place, attribute, message, params)
    return key


def _coded(work: _Work, what: Field, raw: Any, values: Mapping[str, Any], place: str, attribute: str | None) -> Any:
    if what.region:
        code = region_code(values.get("country"), str(raw))
        if code is None:
            message = f"{what.name} takes the code of a region; {raw!r} is none of its country. It is left empty."
            _find(work, "ERP_CODE_UNMAPPED", "warning", place, attribute, message, {"value": str(raw)})
        return code
    if what.codes is None:
        return raw if what.kind is not Kind.STRING or isinstance(raw, str) else str(raw)
    key = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if key in what.codes:
        return what.codes[key]
    severity = "error" if what.required else "warning"
    message = f"{what.name} has no code for {key!r}; it is left empty."
    _find(work, "ERP_CODE_UNMAPPED", severity, place, attribute, message, {"value": key})
    return None


def _written(what: Field, text: str) -> str:
    text = text.upper() if what.letters == "upper" else text.lower() if what.letters == "lower" else text
    return text + what.after


def _find(
    work: _Work,
    code: str,
    severity: str,
    place: str,
    attribute: str | None,
    message: str,
    params: Mapping[str, str] | None = None,
    path: str = "",
) -> None:
    work.findings.append(Finding(code, severity, place, attribute, message, params or {}, path))


def _pointer(what: Field, item: bool) -> str:
    match what.origin:
        case Value(name, None):
            return f"/{name}"
        case Value(name, part):
            return f"/{name}/{part}"
        case Joined(_, parts) if item:
            return f"/{parts[0]}"
        case Joined(name, parts):
            return f"/{name}/{parts[0]}"
        case Line(name) | First(name):
            return f"/{name}"
        case _:
            return ""
