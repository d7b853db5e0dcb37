"""Which differences between two descriptions of the API break those who call it. Pure: documents in, differences out.

What callers send may only be accepted more widely, what they are sent may only be promised more narrowly. Unknown
parameters and fields of requests are refused by this API, so taking one away breaks its callers, too; fields and events
that are new do not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Direction = Literal["sent", "answered"]
Document = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
#: Bounds of what is accepted: the second says which way is tighter.
_BOUNDS = {
    "minLength": 1, "minItems": 1, "minimum": 1, "exclusiveMinimum": 1, "minProperties": 1,
    "maxLength": -1, "maxItems": -1, "maximum": -1, "exclusiveMaximum": -1, "maxProperties": -1,
}  # fmt: skip
_WORDS = ("description", "title", "summary", "example", "examples", "tags", "links", "externalDocs")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what kind, where, and whether a caller of the old description is broken by it."""

    code: str
    where: str
    detail: str
    breaking: bool = True


@dataclass(slots=True)
class _Pair:
    """The two documents, and which pairs of named schemas were compared already."""

    before: Document
    after: Document
    met: set[tuple[str, str, Direction]] = field(default_factory=set)


def changes(before: Document, after: Document) -> list[Change]:
    """All differences that a caller can notice, breaking ones first, by place."""
    pair = _Pair(before, after)
    old, new = _operations(before), _operations(after)
    found: list[Change] = []
    for name, (path, operation, shared) in old.items():
        if name in new:
            found += _operation(pair, name, (operation, shared), new[name][1:])
        elif not any(other.partition(" ")[2] == name.partition(" ")[2] for other in new):
            found.append(Change("path-removed", name, f"{path} is gone"))
        else:
            found.append(Change("operation-removed", name, "the method is gone"))
    found += [Change("operation-added", name, "is new", False) for name in new.keys() - old.keys()]
    return sorted(dict.fromkeys(found), key=lambda each: (not each.breaking, each.where, each.code, each.detail))


def major(document: Document) -> int:
    """The major version that a description says it has."""
    return int(str(document["info"]["version"]).partition(".")[0])


def refused(before: Document, after: Document, found: Sequence[Change]) -> list[Change]:
    """What is not allowed: breaking differences without another major version."""
    return [] if major(after) > major(before) else [each for each in found if each.breaking]


def essence(part: Any) -> Any:  # Any: a part of a JSON document
    """A description without the words: all that is compared, and what makes it valid."""
    if isinstance(part, list):
        return [essence(each) for each in part]
    if not isinstance(part, Mapping):
        return part
    return {
        name: ({each: essence(one) for each, one in value.items()} if name == "properties" else essence(value))
        for name, value in part.items()
        if name not in _WORDS or (name == "title" and "version" in part)
    }


def _operations(document: Document) -> dict[str, tuple[str, Mapping[str, Any], Sequence[Any]]]:
    """Operations by method and path; names of path parameters do not matter."""
    found = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                plain = re.sub(r"\{[^}]*\}", "{}", path)
                found[f"{method.upper()} {plain}"] = (path, item[method], item.get("parameters", ()))
    return found


def _operation(
    pair: _Pair,
    name: str,
    old: tuple[Mapping[str, Any], Sequence[Any]],
    new: tuple[Mapping[str, Any], Sequence[Any]],
) -> Iterator[Change]:
    (was, was_shared), (is_, is_shared) = old, new
    yield from _parameters(
        pair, name, [*was_shared, *was.get("parameters", ())], [*is_shared, *is_.get("parameters", ())]
    )
    yield from _body(pair, f"{name} body", was.get("requestBody"), is_.get("requestBody"))
    for status, answer in was.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        where = f"{name} {status}"
        other = is_.get("responses", {}).get(status)
        if other is None:
            yield Change("status-removed", where, "is not answered any more")
            continue
        yield from _contents(pair, where, answer.get("content", {}), other.get("content", {}), "answered")
    lost = sorted(set(was.get("x-roles", ())) - set(is_.get("x-roles", was.get("x-roles", ()))))
    if lost:
        yield Change("role-removed", name, f"{', '.join(lost)} may not call it any more")


def _parameters(pair: _Pair, name: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    was, is_ = ({_slot(doc, each): _resolved(doc, each)[0] for each in given}
                for doc, given in ((pair.before, old), (pair.after, new)))  # fmt: skip
    for (place, called), parameter in was.items():
        where = f"{name} {place} {called}"
        if (place, called) not in is_:
            yield Change("parameter-removed", where, "is refused now")
            continue
        other = is_[place, called]
        if other.get("required") and not parameter.get("required"):
            yield Change("parameter-required", where, "must be given now")
        yield from _schema(pair, where, parameter.get("schema", {}), other.get("schema", {}), "sent")
    for place, called in is_.keys() - was.keys():
        required = bool(is_[place, called].get("required"))
        code, detail = ("parameter-required", "is new and must be given") if required else ("parameter-added", "is new")
        yield Change(code, f"{name} {place} {called}", detail, required)


def _slot(document: Document, parameter: Mapping[str, Any]) -> tuple[str, str]:
    told, _ = _resolved(document, parameter)
    # Path parameters stand by their place, which the path has said already.
    return told["in"], told["name"] if told["in"] != "path" else "in the path"


def _body(pair: _Pair, where: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Change]:
    if old is None:
        if new is not None and new.get("required"):
            yield Change("body-required", where, "a body must be sent now")
        return
    if new is None:
        yield Change("body-removed", where, "no body is taken any more")
        return
    if new.get("required") and not old.get("required"):
        yield Change("body-required", where, "a body must be sent now")
    yield from _contents(pair, where, old.get("content", {}), new.get("content", {}), "sent")


def _contents(
    pair: _Pair, where: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction
) -> Iterator[Change]:
    for kind, content in old.items():
        if kind not in new:
            yield Change("content-removed", where, f"{kind} is gone")
            continue
        yield from _schema(pair, where, content.get("schema", {}), new[kind].get("schema", {}), direction)


def _schema(pair: _Pair, where: str, old: Any, new: Any, direction: Direction) -> Iterator[Change]:
    mine, theirs = _variants(pair.before, old), _variants(pair.after, new)
    yield from _nullable(where, mine, theirs, direction)
    plain, other = ([each for each in variants if each.schema.get("type") != "null"] for variants in (mine, theirs))
    if len(plain) == 1 and len(other) == 1:
        yield from _plain(pair, where, plain[0], other[0], direction)
        return
    source, cover = (plain, other) if direction == "sent" else (other, plain)
    for each in source:
        olds, news = ([each], cover) if direction == "sent" else (cover, [each])
        if not any(_fits(pair, a, b, direction) for a in olds for b in news):
            yield Change("type-changed", where, f"{_called(each)} is {'refused now' if direction == 'sent' else 'new'}")


def _fits(pair: _Pair, old: "_Variant", new: "_Variant", direction: Direction) -> bool:
    """Whether one alternative stands for another without breaking anybody."""
    trial = _Pair(pair.before, pair.after, set(pair.met))
    return not any(each.breaking for each in _plain(trial, "", old, new, direction))


def _nullable(
    where: str, old: Sequence["_Variant"], new: Sequence["_Variant"], direction: Direction
) -> Iterator[Change]:
    was, is_ = (any(each.schema.get("type") == "null" for each in variants) for variants in (old, new))
    if direction == "sent" and was and not is_:
        yield Change("type-changed", where, "null is refused now")
    if direction == "answered" and is_ and not was:
        yield Change("type-changed", where, "may be null now")


def _plain(pair: _Pair, where: str, mine: "_Variant", other: "_Variant", direction: Direction) -> Iterator[Change]:
    """Two schemas that are no choice of others."""
    if mine.name and other.name:
        # A named schema is told once, where it is met first: it is the same wherever else it stands.
        if (mine.name, other.name, direction) in pair.met:
            return
        pair.met.add((mine.name, other.name, direction))
    old, new = mine.schema, other.schema
    was, is_ = _types(old), _types(new)
    wide, narrow = (is_, was) if direction == "sent" else (was, is_)
    if not _within(narrow, wide):
        yield Change("type-changed", where, f"{_words(was)} before, {_words(is_)} now")
        return
    yield from _values(where, old, new, direction)
    if direction == "sent":
        yield from _bounds(where, old, new)
    yield from _fields(pair, where, old, new, direction)
    for name, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(old.get(name), Mapping) and isinstance(new.get(name), Mapping):
            yield from _schema(pair, f"{where}{mark}", old[name], new[name], direction)


def _values(where: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction) -> Iterator[Change]:
    was, is_ = _enum(old), _enum(new)
    if is_ is not None and direction == "sent" and (was is None or was - is_):
        gone = ", ".join(sorted(was - is_)) if was else "any other value"
        yield Change("enum-narrowed", where, f"{gone} is refused now")
    elif direction == "answered" and was is not None and (is_ is None or is_ - was):
        more = ", ".join(sorted(is_ - was)) if is_ else "any value"
        yield Change("enum-widened", where, f"{more} may be answered, too", is_ is None)


def _bounds(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name, way in _BOUNDS.items():
        was, is_ = old.get(name), new.get(name)
        if is_ is not None and (was is None or (is_ - was) * way > 0) and not (was is None and way > 0 and is_ <= 0):
            yield Change("bound-tightened", where, f"{name} is {is_} now, {'none' if was is None else was} before")
    for name in ("pattern", "format"):
        if new.get(name) is not None and new.get(name) != old.get(name) and not _more_names(old.get(name), new[name]):
            yield Change("bound-tightened", where, f"{name} is {new[name]} now, {old.get(name) or 'none'} before")


#: One name out of some, or a list of them, separated by commas.
_NAMES = re.compile(r"\^\(([\w|]+)\)(\(,\(\1\)\)\*)?\$")


def _more_names(old: Any, new: Any) -> bool:
    """Whether two patterns let names out of some through, the new one all of the old ones, and several where it did."""
    was, is_ = (_NAMES.fullmatch(each) if isinstance(each, str) else None for each in (old, new))
    if was is None or is_ is None:
        return False
    return set(was[1].split("|")) <= set(is_[1].split("|")) and bool(is_[2]) >= bool(was[2])


def _fields(
    pair: _Pair, where: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction
) -> Iterator[Change]:
    was, is_ = old.get("properties", {}), new.get("properties", {})
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for name, schema in was.items():
        if name in is_:
            yield from _schema(pair, f"{where}.{name}", schema, is_[name], direction)
        elif direction == "answered":
            yield Change("field-removed", f"{where}.{name}", "is not answered any more")
        elif new.get("additionalProperties") is False:
            yield Change("field-removed", f"{where}.{name}", "is refused now")
    for name in is_.keys() - was.keys():
        must = direction == "sent" and name in needs
        yield Change("field-required" if must else "field-added", f"{where}.{name}", "is new", must)
    changed = needs - needed if direction == "sent" else needed - needs
    for name in sorted(changed & was.keys() & is_.keys()):
        code, detail = ("field-required", "must be sent now") if direction == "sent" else ("field-optional", "may lack")
        yield Change(code, f"{where}.{name}", detail)


def _resolved(document: Document, schema: Any) -> tuple[Mapping[str, Any], str]:
    """A schema behind its reference, and the name of the reference if it has one."""
    name = ""
    while isinstance(schema, Mapping) and "$ref" in schema:
        name = schema["$ref"]
        target: Any = document
        for part in name.removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        schema = target
    return (schema if isinstance(schema, Mapping) else {}), name


class _Variant(NamedTuple):
    """An alternative of a schema, and the name of its reference if it has one."""

    schema: Mapping[str, Any]
    name: str


def _variants(document: Document, schema: Any) -> list[_Variant]:
    """The alternatives of a schema; itself where it has none."""
    told, name = _resolved(document, schema)
    choices = told.get("anyOf") or told.get("oneOf")
    if choices:
        return [one for each in choices for one in _variants(document, each)]
    if isinstance(told.get("type"), list):
        return [_Variant({**told, "type": each}, "") for each in told["type"]]
    return [_Variant(told, name)]


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types that a schema lets through; empty for any."""
    if "type" in schema:
        return frozenset({schema["type"]})
    stated = [schema["const"]] if "const" in schema else schema.get("enum", ())
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    found = {kinds[type(each)] for each in stated if type(each) in kinds}
    return frozenset(found or ({"object"} if "properties" in schema else ()))


def _within(narrow: frozenset[str], wide: frozenset[str]) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(each in wide or (each == "integer" and "number" in wide) for each in narrow)


def _enum(schema: Mapping[str, Any]) -> frozenset[str] | None:
    if "const" in schema:
        return frozenset({str(schema["const"])})
    return frozenset(map(str, schema["enum"])) if "enum" in schema else None


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "anything"


def _called(variant: _Variant) -> str:
    return variant.name.rpartition("/")[2] or _words(_types(variant.schema))
