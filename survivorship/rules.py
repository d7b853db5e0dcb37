"""What a rule set says, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mdm.model.canonical import Shape
from mdm.model.ids import Domain
from mdm.model.platforms import Platforms


@dataclass(frozen=True, slots=True)
class Criterion:
    """One step of a ranking.

    `band` makes trust coarse: two sources in one band count as equally trusted. `by` names the comparison forms that
    `best_supported` counts as the same, or the attribute that `states` asks for.
    """

    name: str
    band: float | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A claim about a record: the attribute is one of these values, or (`negated`) none of them or absent."""

    attribute: str
    values: frozenset[object]
    negated: bool


@dataclass(frozen=True, slots=True)
class Decay:
    """Trust halves with every `half_life` days that a statement is older than the entity's youngest, down to `floor`.

    Counted from the youngest member and not from today: how two sources compare under exponential decay does not
    depend on the moment at which one looks, so the golden record does not change by waiting.
    """

    half_life: float
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """How one attribute, or a group of attributes that belong together, chooses its value.

    Candidates are ranked by `prefer`, then by each criterion of `rank`, and in the end by trust, event time, position
    and key, which leaves no ties. `only` shuts records out. `otherwise` names a list attribute whose first element
    serves where nobody states this one.
    """

    name: str
    attributes: tuple[str, ...]
    #: None for a group.
    shape: Shape | None
    rank: tuple[Criterion, ...]
    prefer: tuple[Condition, ...] = ()
    only: tuple[Condition, ...] = ()
    #: Trust of `system` or `system.type` for this attribute, instead of the source profile's.
    trust: Mapping[str, float] | None = None
    otherwise: str | None = None
    #: Values of sources trusted less than this stand back behind those of `otherwise`.
    reserve_below: float = 0.0
    #: For a union: the attributes whose elements are put together, and one whose golden value is left out.
    union_of: tuple[str, ...] = ()
    without: str | None = None
    #: What is stated for the left-out attribute and is as like its value as this, 0..100, is left out, too: other
    #: spellings of it.
    unlike: float | None = None
    #: The record that won this attribute gives the value, when it states one.
    same_record_as: str | None = None
    decay: Decay | None = None
    #: Trust in a value that failed its validation is multiplied by this.
    invalid: float = 1.0
    #: The variant that this rule belongs to; empty for the rules of the domain.
    variant: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes that a value can come from."""
        if self.union_of:
            return self.union_of
        return self.attributes if self.otherwise is None else (*self.attributes, self.otherwise)

    def among(self, platforms: Platforms) -> "Rule":
        """The rule where the hub has these platforms: trust that is said of a role holds for all of them."""
        return self if self.trust is None else replace(self, trust=platforms.spread(self.trust))


@dataclass(frozen=True, slots=True)
class Variant:
    """Rules of one region or business unit: they replace those of the domain where the surviving values meet `when`."""

    name: str
    when: tuple[Condition, ...]
    rules: Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The survivorship rules of one domain. `fingerprint` names the content: sixteen hexadecimal digits."""

    domain: Domain
    version: str
    fingerprint: str
    #: Choices first, then the unions that may refer to them.
    rules: tuple[Rule, ...]
    #: The first variant whose conditions hold is in force; what these ask for survives by the domain's own rules.
    variants: tuple[Variant, ...]
    #: Platforms that read the hub: a golden value that they repeat is an echo, no new evidence.
    echoes: frozenset[str]
    #: Attributes after which an entity is called in lists, best first.
    display: tuple[str, ...]
    #: Attributes found by each of their words, and attributes found as a whole.
    search_words: tuple[str, ...]
    search_whole: tuple[str, ...]
    #: How extension attributes choose their values: by what holds where the document says nothing of an attribute.
    extension: Rule | None = field(default=None, compare=False)
    #: The text it was read from.
    document: str = field(default="", repr=False, compare=False)

    def among(self, platforms: Platforms) -> "RuleSet":
        """The rule set where the hub has these platforms: `erp` in it means every ERP, whatever it is called.

        A platform that the document names itself keeps what is said of it. Text and fingerprint stay those of the
        document.
        """
        return replace(
            self,
            rules=tuple(each.among(platforms) for each in self.rules),
            variants=tuple(
                replace(each, rules={name: rule.among(platforms) for name, rule in each.rules.items()})
                for each in self.variants
            ),
            echoes=platforms.meant_by(self.echoes),
            extension=self.extension and self.extension.among(platforms),
        )
