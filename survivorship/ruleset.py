"""Loads rule sets: one versioned YAML document per domain, checked completely before it decides anything."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mdm.model.canonical import ATTRIBUTES, EXTENSION, NAMING, DataClass, Shape
from mdm.model.ids import Domain
from survivorship.criteria import CRITERIA
from survivorship.document import Part, parse_document, read_text
from survivorship.rules import Condition, Criterion, Decay, Rule, RuleSet, Variant

__all__ = ["RuleSet", "load_ruleset", "parse_ruleset"]

_FOLDER = Path(__file__).parent / "rulesets"
_RULE_KEYS = (
    "rank", "prefer", "only", "trust", "otherwise", "reserve_below", "union", "without", "unlike", "same_record_as",
    "decay", "invalid",
)  # fmt: skip
_KEYS = ("domain", "version", "description", "default", "attributes", "groups", "variants", "echoes", "display",
    "search",
)  # fmt: skip
_SCALARS = (Shape.TEXT, Shape.CODE, Shape.BOOLEAN, Shape.INTEGER, Shape.DECIMAL, Shape.DATE)
_LISTS = (Shape.TEXTS, Shape.IDENTIFIERS, Shape.PHONES, Shape.EMAILS)


def load_ruleset(domain: str, path: Path | None = None) -> RuleSet:
    """The rule set of a domain: the shipped one, or the document at `path`.

    Raises:
        ConfigurationInvalid: the document is wrong; the message names file, line and key.
    """
    file = path or _FOLDER / f"{domain}.yaml"
    return parse_ruleset(domain, read_text(file), file)


def parse_ruleset(domain: str, text: str, file: Path) -> RuleSet:
    """The rule set in a text, for example a released one; `file` is what faults call it.

    Raises:
        ConfigurationInvalid: the text is wrong; the message names line and key.
    """
    document = parse_document(file, text)
    parts = document.mapping(*_KEYS)
    for needed in ("domain", "version", "default", "display", "search"):
        if needed not in parts:
            document.refuse(f"must have the key {needed}")
    if parts["domain"].text() != domain:
        parts["domain"].refuse(f"must be {domain}")
    reader = _Reader(Domain(domain), parts["default"])
    search = parts["search"].mapping("words", "whole")
    return RuleSet(
        domain=Domain(domain),
        version=parts["version"].text(),
        fingerprint=_fingerprint(document),
        rules=reader.rules(parts.get("attributes"), parts.get("groups")),
        variants=reader.variants(parts.get("variants")),
        echoes=frozenset(each.text() for each in parts["echoes"].elements()) if "echoes" in parts else frozenset(),
        display=reader.display(parts["display"]),
        search_words=reader.names(search.get("words")),
        search_whole=reader.names(search.get("whole")),
        extension=reader.extension(),
        document=text,
    )


def _fingerprint(document: Part) -> str:
    content = json.dumps(document.value, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class _Reader:
    """Reads rules against the canonical attributes of a domain."""

    def __init__(self, domain: Domain, default: Part) -> None:
        self._domain = domain
        self._shapes = {attribute.name: attribute.shape for attribute in ATTRIBUTES[domain]}
        named = Counter(attribute.group for attribute in ATTRIBUTES[domain])
        #: Canonical group to its attributes. An attribute alone in its group is an ordinary attribute.
        self._groups: dict[str, tuple[str, ...]] = {}
        for attribute in ATTRIBUTES[domain]:
            if attribute.group is not None and named[attribute.group] > 1:
                self._groups[attribute.group] = (*self._groups.get(attribute.group, ()), attribute.name)
        base = default.mapping("rank", "prefer", "decay", "invalid")
        if "rank" not in base:
            default.refuse("must have a rank")
        self._rank = self._criteria(base["rank"])
        self._prefer = self._conditions(base.get("prefer"))
        self._decay = _decay(base.get("decay"))
        self._invalid = base["invalid"].number(0, 1) if "invalid" in base else 1.0

    def rules(self, attributes: Part | None, groups: Part | None) -> tuple[Rule, ...]:
        """One rule for every canonical attribute or group, from the default where the document says nothing."""
        own = dict(attributes.items()) if attributes else {}
        of_groups = dict(groups.items()) if groups else {}
        self._refuse_strangers(own, of_groups)
        grouped = {name for names in self._groups.values() for name in names}
        rules = [self._rule(group, names, None, of_groups.get(group)) for group, names in self._groups.items()]
        rules += [
            self._rule(name, (name,), shape, own.get(name))
            for name, shape in self._shapes.items()
            if name not in grouped
        ]
        self._check_followed(rules, {**own, **of_groups})
        return tuple(sorted(rules, key=_turn))

    def extension(self) -> Rule:
        """The rule of every extension attribute: the default, for no document knows them."""
        return self._rule(EXTENSION.name, (EXTENSION.name,), Shape.TEXT, None)

    def variants(self, part: Part | None) -> tuple[Variant, ...]:
        """Rules of regions and business units, in the order in which they are tried."""
        found = [self._variant(element) for element in part.elements()] if part is not None and part.value else []
        if part is not None:
            asked = {condition.attribute for variant in found for condition in variant.when}
            names = Counter(variant.name for variant in found)
            for variant, element in zip(found, part.elements(), strict=False):
                if names[variant.name] > 1:
                    element.refuse(f"has the name {variant.name}, which another variant has too")
                if decided := asked & variant.rules.keys():
                    element.refuse(
                        f"has a rule for {', '.join(sorted(decided))}, which decides what variant is in force"
                    )
        return tuple(found)

    def _variant(self, part: Part) -> Variant:
        own = part.mapping("name", "when", "attributes", "groups")
        if "name" not in own or "when" not in own or not own.keys() & {"attributes", "groups"}:
            part.refuse("must have a name, conditions under when, and attributes or groups")
        attributes = dict(own["attributes"].items()) if "attributes" in own else {}
        groups = dict(own["groups"].items()) if "groups" in own else {}
        self._refuse_strangers(attributes, groups)
        when = self._conditions(own["when"])
        for condition, claim in zip(when, (each for _, each in own["when"].items()), strict=True):
            if self._shapes[condition.attribute] not in _SCALARS:
                claim.refuse(f"is about {condition.attribute}, which is not a single value")
        rules = [self._rule(name, self._groups[name], None, each) for name, each in groups.items()]
        rules += [self._rule(name, (name,), self._shapes[name], each) for name, each in attributes.items()]
        self._check_followed(rules, {**attributes, **groups})
        name = own["name"].text()
        return Variant(name, when, {rule.name: replace(rule, variant=name) for rule in rules})

    def _check_followed(self, rules: Sequence[Rule], parts: Mapping[str, Part]) -> None:
        """An attribute may follow one that is chosen for itself: no chains, no lists put together from many records."""
        by_attribute = {name: rule for rule in rules for name in rule.attributes}
        for rule in rules:
            if rule.same_record_as is None:
                continue
            followed = by_attribute.get(rule.same_record_as)
            if rule.same_record_as in rule.attributes:
                parts[rule.name].refuse("cannot follow itself")
            if followed is not None and (followed.same_record_as is not None or followed.union_of):
                parts[rule.name].refuse(f"follows {rule.same_record_as}, which no single record gives by itself")

    def display(self, part: Part) -> tuple[str, ...]:
        """The attributes that name a record. Everybody who sees the record reads the name, so that they must not say
        more than the naming attribute may."""
        order = list(DataClass)
        classes = {attribute.name: order.index(attribute.data_class) for attribute in ATTRIBUTES[self._domain]}
        for element, name in zip(part.elements(), self.names(part), strict=True):
            if classes[name] > classes[NAMING[self._domain]]:
                element.refuse(f"is {order[classes[name]]} and would be read by everybody as the record's name")
        return self.names(part)

    def names(self, part: Part | None) -> tuple[str, ...]:
        """A list of attributes."""
        return tuple(self._attribute(element) for element in part.elements()) if part else ()

    def _refuse_strangers(self, own: dict[str, Part], of_groups: dict[str, Part]) -> None:
        for name, part in of_groups.items():
            if name not in self._groups:
                part.refuse(f"is not a group of {self._domain}; its groups are {', '.join(self._groups) or 'none'}")
        for name, part in own.items():
            if name not in self._shapes:
                part.refuse(f"is not an attribute of {self._domain}")
            for group, names in self._groups.items():
                if name in names:
                    part.refuse(f"survives together with others; its rule belongs under groups.{group}")

    def _rule(self, name: str, attributes: tuple[str, ...], shape: Shape | None, part: Part | None) -> Rule:
        own = part.mapping(*_RULE_KEYS) if part else {}
        union = self._union(name, shape, own["union"]) if "union" in own else ()
        if "without" in own and not union:
            own["without"].refuse("belongs to a union")
        if "unlike" in own and "without" not in own:
            own["unlike"].refuse("says how unlike the value of `without` others must be; that is missing")
        if "same_record_as" in own and union:
            own["same_record_as"].refuse("does not go with a union")
        return Rule(
            name=name,
            attributes=attributes,
            shape=shape,
            rank=self._criteria(own["rank"]) if "rank" in own else self._rank,
            prefer=self._conditions(own["prefer"]) if "prefer" in own else self._prefer,
            only=self._conditions(own.get("only")),
            trust={name: each.number(0, 1) for name, each in own["trust"].items()} if "trust" in own else None,
            otherwise=self._list_attribute(own["otherwise"]) if "otherwise" in own else None,
            reserve_below=own["reserve_below"].number(0, 1) if "reserve_below" in own else 0.0,
            union_of=union,
            without=self._attribute(own["without"]) if "without" in own else None,
            unlike=own["unlike"].number(0, 100) if "unlike" in own else None,
            same_record_as=self._attribute(own["same_record_as"]) if "same_record_as" in own else None,
            decay=_decay(own["decay"]) if "decay" in own else self._decay,
            invalid=own["invalid"].number(0, 1) if "invalid" in own else self._invalid,
        )

    def _union(self, name: str, shape: Shape | None, part: Part) -> tuple[str, ...]:
        if shape not in _LISTS:
            part.refuse("is for lists")
        if part.value is True:
            return (name,)
        names = self.names(part)
        fitting = (shape, Shape.TEXT) if shape is Shape.TEXTS else (shape,)
        for each in names:
            if self._shapes[each] not in fitting:
                part.refuse(f"cannot put {each} into a {shape}")
        return names

    def _criteria(self, part: Part) -> tuple[Criterion, ...]:
        return tuple(self._criterion(element) for element in part.elements())

    def _criterion(self, part: Part) -> Criterion:
        if isinstance(part.value, dict):
            arguments = part.mapping("trust", "best_supported", "states")
            if len(arguments) != 1:
                part.refuse("must have one criterion")
            ((name, argument),) = arguments.items()
            if name == "trust":
                return Criterion(name, band=argument.number(0.01, 1))
            if name == "states":
                return Criterion(name, by=(self._attribute(argument),))
            return Criterion(name, by=tuple(element.text() for element in argument.elements()))
        name = part.text()
        if name not in CRITERIA and name != "best_supported":
            part.refuse(f"names {name}, which is not a criterion; there are {', '.join(CRITERIA)}")
        return Criterion(name)

    def _conditions(self, part: Part | None) -> tuple[Condition, ...]:
        if part is None:
            return ()
        return tuple(self._condition(name, claim) for name, claim in part.items())

    def _condition(self, name: str, claim: Part) -> Condition:
        if name not in self._shapes:
            claim.refuse(f"is about {name}, which is not an attribute of {self._domain}")
        if isinstance(claim.value, dict):
            negated = claim.mapping("not")
            if "not" not in negated:
                claim.refuse("must be a value, a list of values, or {not: ...}")
            return Condition(name, _scalars(negated["not"]), negated=True)
        return Condition(name, _scalars(claim), negated=False)

    def _attribute(self, part: Part) -> str:
        name = part.text()
        if name not in self._shapes:
            part.refuse(f"names {name}, which is not an attribute of {self._domain}")
        return name

    def _list_attribute(self, part: Part) -> str:
        name = self._attribute(part)
        if self._shapes[name] is not Shape.TEXTS:
            part.refuse(f"names {name}, which is not a list of texts")
        return name


def _turn(rule: Rule) -> int:
    """Choices first, then what follows them, then the unions that may refer to either."""
    return 2 if rule.union_of else 1 if rule.same_record_as is not None else 0


def _decay(part: Part | None) -> Decay | None:
    if part is None or part.value is None:
        return None
    own = part.mapping("half_life_days", "floor")
    if "half_life_days" not in own:
        part.refuse("must have half_life_days")
    return Decay(own["half_life_days"].number(1, 36_500), own["floor"].number(0, 1) if "floor" in own else 0.0)


def _scalars(part: Part) -> frozenset[object]:
    for element in part.elements():
        if isinstance(element.value, list | dict):
            element.refuse("must be a single value")
    return frozenset(element.value for element in part.elements())
