"""The answer of search before create: whom a record resembles, and what to do with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from matching.blocking import BlockingKey
from matching.decision import Decision
from matching.model import MatchModel
from matching.scoring import PairScore
from mdm.model.ids import Domain
from mdm.model.records import SourceRecord
from mdm.store import read_match


class Advice(StrEnum):
    """What to do with the candidate."""

    USE = "use_existing"  # it is in the hub: take the best candidate's id
    ASK = "ask_a_steward"  # it may be
    CREATE = "create"  # nothing in the hub is close


@dataclass(frozen=True, slots=True)
class Ranked:
    """One golden record that the candidate was compared with, through the member that resembles it most."""

    home: read_match.Home
    score: PairScore
    decision: Decision
    shared_keys: tuple[BlockingKey, ...]
    #: Members of this entity that the candidate was compared with.
    compared: int
    #: A member states an identifier of the candidate that only one entity may have, or its contract number.
    same_number: bool = False
    #: Why the golden record would not be joined, though this member matches; the decision is then a question.
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Candidates: whoever would be joined first, then by weight.

    `oversized` are keys that too many records carry: nobody was found through them.
    """

    domain: Domain
    record: SourceRecord
    unused: tuple[str, ...]
    candidates: tuple[Ranked, ...]
    compared: int
    oversized: tuple[BlockingKey, ...]
    model: str
    #: Matches and possible matches that the caller's scope does not reach: they are not among the candidates.
    out_of_reach: int = 0
    #: Keys under which somebody could have been found. None: the candidate says nothing, or nothing that few share.
    looked_under: int = 0
    #: References that name nobody, by attribute, with the code that says why; `remarks` say it in sentences.
    dangling: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    #: Another golden record matches about as well as the best (by the model's rule about rivals): it may be either.
    rivalled: bool = False
    #: Somebody matches or may, among those that were left out, too.
    asks: bool = False

    @property
    def advice(self) -> Advice:
        """What would become of it on arrival. Whom it would join out of reach is for somebody who may see it.

        That nobody is found is no reason to create somebody of whom nothing is said that could have been looked for.
        Nor is a new name, where a number that only one may have is known: it was bought, or has two names. A contract
        cannot be created before its customer and its products; nor is it taken for one that is there, for what was not
        compared may tell them apart.
        """
        best = self.candidates[0].decision if self.candidates else Decision.NONE
        if best is Decision.MATCH:
            return Advice.ASK if self.rivalled or self.dangling else Advice.USE
        if self.asks or self.out_of_reach or any(each.same_number for each in self.candidates):
            return Advice.ASK
        sought = self.looked_under or self.candidates
        return Advice.CREATE if sought and not self.nameless and not self.dangling else Advice.ASK

    @property
    def rejected(self) -> dict[str, str]:
        """Attributes that were not used, or not all of them, with the code that says why."""
        return {**self.record.rejected, **self.dangling}

    @property
    def nameless(self) -> bool:
        """What was given as its name names nobody: symbols, a legal form, a placeholder. `rejected` says which.

        Nobody can be created without a name, whatever else is new.
        """
        return "name" in self.record.rejected and "name" not in self.record.attributes


#: Numbers that each country gives out by its own counting.
_OF_A_COUNTRY = frozenset({"vat", "tax", "registration"})


def unsaid_countries(record: SourceRecord) -> tuple[str, ...]:
    """What cannot be looked for: numbers of a country that nothing says, as sentences for people."""
    stated = record.attributes.get("identifiers") or ()
    return tuple(
        f"the {each['type']} number {each['value']} was not looked for: say of which country it is."
        for each in stated
        if each.get("type") in _OF_A_COUNTRY and not each.get("country")
    )


#: What a rule looks at that looks at the words of a name and at nothing else.
_WORDS = ("sorted_names",)


def namesakes(model: MatchModel, report: MatchReport) -> tuple[str, ...]:
    """That it was not compared with all who have its name, as sentences for people: whoever is not found may be there.

    Other keys that too many share say less: somebody may have the initials and the country of nearly everybody.
    """
    rules = {rule.name: model.cap_of(rule) for rule in model.blocking if rule.columns == _WORDS}
    return tuple(
        f"{rules[key.rule]} records or more have the same words in their names, and it was not compared "
        "with all of them: look among them for it by its name, or say more of it."
        for key in report.oversized
        if key.rule in rules
    )[:1]
