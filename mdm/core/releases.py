"""How a release of rules gets from a draft into force and back, and who may take each step. Pure.

Three different people carry a release: its author, who approves it, who puts it into force. Taking one back needs one
person only: it leads back to where everybody had agreed to be.
"""

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from mdm.access import Permission, Role, either, roles_that
from mdm.errors import Conflict, MdmError, Refused, Stale
from mdm.model.ids import RecordId
from mdm.model.releases import Release, ReleaseStatus, Run, RunKind

_S = ReleaseStatus
#: From which states each step leads on.
STEPS: dict[str, frozenset[ReleaseStatus]] = {
    "edit": frozenset({_S.DRAFT}),
    "simulate": frozenset({_S.DRAFT, _S.APPROVED}),
    "approve": frozenset({_S.DRAFT}),
    "reject": frozenset({_S.DRAFT}),
    "withdraw": frozenset({_S.DRAFT, _S.APPROVED}),
    "activate": frozenset({_S.APPROVED, _S.ACTIVATING}),
    "roll back": frozenset({_S.ACTIVE, _S.ACTIVATING, _S.ROLLING_BACK}),
}


def check_step(release: Release, step: str) -> None:
    """Raises Conflict when the release is not where this step begins."""
    if release.status not in STEPS[step]:
        states = " or ".join(sorted(each.value.replace("_", " ") for each in STEPS[step]))
        raise Conflict(
            f"Release {release.release_id} is {release.status.value.replace('_', ' ')}; to {step} it, it must be "
            f"{states}.",
            action="Look at the release again.",
        )


def check_editor(release: Release, actor: str) -> None:
    """Raises Refused for everybody but the author: who writes part of a release could not approve it any more."""
    if actor != release.author:
        raise Refused(
            "Only its author changes or withdraws a draft.", action="Make a draft of your own from its document."
        )


def against_approving(release: Release, actor: str, role: Role) -> Refused | None:
    """What keeps somebody from approving or rejecting a release: they wrote it, or do not decide about rules."""
    if actor == release.author:
        said = "Nobody approves or rejects a release that they wrote."
        return Refused(said, action="Ask somebody else to look.")
    return _against_role(role, Permission.APPROVE_RULES, "approve")


def check_approver(release: Release, actor: str, role: Role) -> None:
    """Raises Refused for the author, and for those who do not decide about rules."""
    if (against := against_approving(release, actor, role)) is not None:
        raise against


def against_releasing(release: Release, actor: str, role: Role) -> Refused | None:
    """What keeps somebody from putting a release into force: they wrote or approved it, or put nothing into force."""
    if actor in (release.author, release.approver):
        what = "wrote" if actor == release.author else "approved"
        return Refused(f"Nobody puts into force what they {what}.", action="A third person does: ask another releaser.")
    return _against_role(role, Permission.RELEASE, "activate")


def check_releaser(release: Release, actor: str, role: Role) -> None:
    """Raises Refused for the author, for who approved it, and for those who put nothing into force."""
    if (against := against_releasing(release, actor, role)) is not None:
        raise against


def check_undoer(role: Role) -> None:
    """Raises Refused for those who put nothing into force."""
    _check_role(role, Permission.RELEASE, "roll back")


def check_writer(role: Role, step: str) -> None:
    """Raises Refused for those who write no rules."""
    _check_role(role, Permission.WRITE_RULES, step)


def _check_role(role: Role, permission: Permission, step: str) -> None:
    if (against := _against_role(role, permission, step)) is not None:
        raise against


def _against_role(role: Role, permission: Permission, step: str) -> Refused | None:
    if role.may(permission):
        return None
    wanted = either(sorted(map(str, roles_that(permission))))
    return Refused(f"The role {str(role)!r} does not {step} releases; it takes {wanted}.")


def check_simulation(release: Release, simulation: Run | None, in_force: str) -> Run:
    """The simulation, if it tells what this document would change in what is in force now.

    Raises:
        Conflict: the document was never simulated to the end.
        Stale: it was simulated as another document, or other rules have come into force since.
    """
    if simulation is None or simulation.what is not RunKind.SIMULATION or simulation.status != "done":
        raise Conflict("This release has not been simulated.", action="Simulate it first: `mdm releases simulate`.")
    if simulation.fingerprint != release.fingerprint:
        raise Stale("The document was changed after it was simulated.", action="Simulate it again.")
    if simulation.against != in_force:
        raise Stale("Other rules have come into force since it was simulated.", action="Simulate it again.")
    return simulation


class Contradiction(NamedTuple):
    """Two records that stewards judged, and that a release would decide otherwise, while the rules in force do not."""

    verdict: str
    a: int
    b: int


class Check(NamedTuple):
    """Something that must hold before a release comes into force."""

    name: str
    passed: bool
    detail: str


#: What a model must not say of a pair with this verdict.
_WRONG = {"same": "apart", "not_same": "joined"}


def contradictions(
    verdict: str, before: Mapping[tuple[RecordId, RecordId], str], after: Mapping[tuple[RecordId, RecordId], str]
) -> list[Contradiction]:
    """Pairs with this verdict that `after` decides wrongly and `before` does not.

    What both get wrong is no reason to keep a release back: stewards judge the very pairs that models get wrong.
    """
    wrong = _WRONG[verdict]
    return [Contradiction(verdict, *pair) for pair, said in after.items() if said == wrong != before.get(pair)]


def contradicted_in(simulation: Run | None) -> list[Contradiction]:
    """The verdicts that a release contradicts, as its simulation found them."""
    return [Contradiction(*each) for each in simulation.report.get("contradicted", ())] if simulation else []


def check_verdicts(simulation: Run, despite: str) -> None:
    """Raises Conflict when verdicts speak against a release and nobody says why it may come into force all the same."""
    found = contradicted_in(simulation)
    if found and not despite.strip():
        raise Conflict(
            f"The release contradicts {_verdicts(len(found))} that the rules in force agree with.",
            action="Look at the pairs and change the draft, or say why it may (`--despite-verdicts`); that is audited.",
        )


def check_accepted(simulation: Run, now: Collection[Contradiction]) -> None:
    """Raises Stale when verdicts speak against a release that its approver has not seen."""
    new = set(now) - set(contradicted_in(simulation))
    if new:
        raise Stale(
            f"Since it was approved, {_verdicts(len(new))} speak against it that its approver has not seen.",
            action="Withdraw it, draft it again and simulate it.",
        )


def checks_of(
    release: Release, simulation: Run | None, in_force: str, unfit: str, parity: Check | None = None
) -> list[Check]:
    """Every check with its outcome.

    Args:
        unfit: why the document goes against the mappings, if it does.
        parity: whether a matching model is proven to be scored as Splink scores it.
    """
    found = [Check("fits", not unfit, unfit or "It fits the mappings of now.")]
    try:
        check_simulation(release, simulation, in_force)
        found.append(Check("simulated", True, "It was simulated against the rules in force."))
    except MdmError as error:
        found.append(Check("simulated", False, error.message))
    if parity is not None:
        found.append(parity)
    wrong = contradicted_in(simulation)
    if not wrong:
        known = simulation is not None and simulation.status == "done"
        found.append(Check("verdicts", known, "No verdict speaks against it." if known else "Nobody knows yet."))
    elif release.despite:
        found.append(Check("verdicts", True, f"It contradicts {_verdicts(len(wrong))}: {release.despite}"))
    else:
        found.append(Check("verdicts", False, f"It contradicts {_verdicts(len(wrong))}."))
    return found


def _verdicts(number: int) -> str:
    return "1 verdict of a steward" if number == 1 else f"{number:,} verdicts of stewards"


class Line(NamedTuple):
    """A line of a comparison of two documents; `sign` is `+`, `-`, a blank, or `@` for lines that are left out."""

    sign: str
    before: int | None
    after: int | None
    text: str


def differences(before: str, after: str, context: int = 3) -> list[Line]:
    """The lines in which two documents differ, with some around them."""
    a, b = before.splitlines(), after.splitlines()
    found: list[Line] = []
    for group in difflib.SequenceMatcher(None, a, b, autojunk=False).get_grouped_opcodes(context):
        if found:
            found.append(Line("@", None, None, "…"))
        for tag, from_a, to_a, from_b, to_b in group:
            if tag == "equal":
                found += [Line(" ", from_a + n + 1, from_b + n + 1, text) for n, text in enumerate(a[from_a:to_a])]
                continue
            found += _side("-", a, from_a, to_a) + _side("+", b, from_b, to_b)
    return found


def _side(sign: str, lines: Sequence[str], start: int, end: int) -> list[Line]:
    return [
        Line(sign, number + 1 if sign == "-" else None, number + 1 if sign == "+" else None, lines[number])
        for number in range(start, end)
    ]
