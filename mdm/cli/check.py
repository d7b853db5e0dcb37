"""Commands that show and prove: explain, state digest, verify."""

from collections.abc import Sequence
from dataclasses import asdict

import typer

from matching.scoring import PairScore
from mdm.access import Role
from mdm.cli.audit import anchors_of
from mdm.cli.context import JSON_OPTION, hub, many, notes, pipeline, print_json, print_table, progress_bar
from mdm.core.comparison import Difference
from mdm.errors import OperatorError
from mdm.hub.against import Against
from mdm.hub.digest import state_digest
from mdm.hub.explain import PairExplanation, explain_two
from mdm.hub.explain_entity import EntityExplanation, explain_entity
from mdm.hub.explain_record import RecordExplanation, explain_one
from mdm.hub.explain_rejected import Rejected
from mdm.hub.meeting import met_by
from mdm.hub.shared_keys import SharedKey
from mdm.hub.verify import Verification
from mdm.hub.verify import verify as verify_hub
from mdm.model.ids import CrosswalkKey
from mdm.workers.convergence import Convergence, Plan, prove

state = typer.Typer(no_args_is_help=True)

#: Differences shown to people; JSON has them all.
_SHOWN = 50


def explain(
    names: list[str] = typer.Argument(..., metavar="SYSTEM TYPE KEY [SYSTEM TYPE KEY] | RECORD [RECORD] | ENTITY"),
    as_json: bool = JSON_OPTION,
) -> None:
    """Why a record belongs to its entity, why two records are, or are not, one, or how an entity grew step by step."""
    names = [part for name in names for part in _parts(name, names)]
    if len(names) == 1:
        with hub() as opened:
            _print_entity(explain_entity(opened.engine, pipeline(opened).rules, names[0]), as_json)
        return
    if len(names) not in (3, 6):
        raise OperatorError(
            "explain takes one or two records, or an entity.",
            action="mdm explain SYSTEM TYPE KEY [SYSTEM TYPE KEY] (or SYSTEM:TYPE:KEY), or mdm explain ENTITY",
        )
    first = CrosswalkKey(*names[:3])
    with hub() as opened:
        rules = pipeline(opened).rules
        if len(names) == 3:
            _print_one(explain_one(opened.engine, rules, first), as_json)
            return
        _print_two(explain_two(opened.engine, rules, first, CrosswalkKey(*names[3:])), as_json)


def _parts(name: str, names: Sequence[str]) -> list[str]:
    """The three parts of a record as the hub prints it (`crm:account:001`) or addresses it (`crm/account/001`)."""
    if len(names) > 2:
        return [name]
    for mark in ":/":
        if len(parts := name.split(mark, 2)) == 3 and all(parts):
            return parts
    return [name]


def _print_entity(found: EntityExplanation, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    records = "1 record" if len(found.members) == 1 else f"{len(found.members)} records"
    typer.echo(f"{found.entity_id} is a {found.domain.value} of {records} (model {found.model}):")
    for member in found.members:
        typer.echo(f"  {member}")
    steps = [
        [each.number, each.by, *_scored(f"{each.a} | {each.b}", each.score, each.shared_keys), each.members]
        for each in found.steps
    ]
    columns = ("", "by", "records", "bits", "because", "compared by", "members")
    print_table("Step by step", columns, steps, right=(0, 3, 6))
    _print_rejected(found.rejected)
    _print_oversized(found.oversized)


def _print_rejected(rejected: Sequence[Rejected]) -> None:
    rows = [[*_scored(f"{each.member} | {each.record}", each.score, each.shared_keys), _why(each)] for each in rejected]
    print_table("Nearest rejected", ("records", "bits", "because", "compared by", "why not"), rows, right=(1,))


def _why(each: Rejected) -> str:
    return "; ".join([each.refused.words, *_differing(each.refused)]) if each.refused is not None else each.reason


def _differing(refused: Against) -> list[str]:
    """Every kind of identifier that differs, as `kind: one, another | a third`."""
    return [f"{each.kind}: {', '.join(each.a)} | {', '.join(each.b)}" for each in refused.identifiers]


def _print_oversized(keys: Sequence[SharedKey]) -> None:
    if keys:
        asked = " and ".join(sorted({each.asked for each in keys if each.asked is not None}))
        where = f" (exceptions {asked})" if asked else ""
        typer.echo(f"What too many records share for any to be compared because of it{where}:")
        for words in dict.fromkeys(_met(keys)):
            typer.echo(f"  {words}")


def _met(keys: Sequence[SharedKey]) -> list[str]:
    return [each.words + (f" ({each.value})" if each.value else "") for each in met_by(keys, Role.ADMIN)]


def _scored(records: str, score: PairScore, shared_keys: Sequence[SharedKey]) -> list[object]:
    parts = [f"{each.comparison}: {each.words} {each.bits:+.1f}" for each in score.contributions if each.bits]
    before = f"before any evidence {score.prior:+.1f}"
    met = dict.fromkeys(each.words for each in met_by(shared_keys, Role.ADMIN))
    return [records, f"{score.weight:+.1f}", "; ".join([before, *parts]), "; ".join(met)]


def _print_one(found: RecordExplanation, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    record = found.record
    typer.echo(f"{record.key} belongs to {record.entity_id}, a {record.domain.value} (model {found.model}), with:")
    for member in found.members:
        typer.echo(f"  {member}")
    inside = [[*_scored(str(each.key), each.score, each.shared_keys), each.decision.value] for each in found.inside]
    print_table("Linked inside", ("record", "bits", "because", "compared by", "decision"), inside, right=(1,))
    _print_rejected(found.rejected)
    _print_oversized(found.oversized)


def _print_two(found: PairExplanation, as_json: bool) -> None:
    if as_json:
        told = {"verdict": found.verdict, "judgement": found.judgement, "parted_by": found.parted_by}
        print_json(asdict(found) | told)
        return
    typer.echo(found.verdict)
    typer.echo(f"  {found.a.key} in {found.a.entity_id}")
    typer.echo(f"  {found.b.key} in {found.b.entity_id}")
    rows: list[list[object]] = [["(before any evidence)", "", f"{found.score.prior:+.1f}"]]
    rows += [[each.comparison, each.words, f"{each.bits:+.1f}"] for each in found.score.contributions]
    rows.append(["match weight", "", f"{found.score.weight:+.1f}"])
    print_table("Evidence in bits", ("comparison", "finding", "bits"), rows, right=(2,))
    usable = [key for key in found.shared_keys if key.usable]
    none = "nothing" if found.shared_keys else "nothing; they share no blocking key"
    typer.echo("Compared because of: " + ("; ".join(_met(usable)) or none))
    if len(usable) < len(found.shared_keys):
        typer.echo("Not because of: " + "; ".join(_met(found.shared_keys[len(usable) :])))
    for veto, reason in zip(found.score.vetoes, found.score.reasons, strict=True):
        typer.echo(f"{'Asked' if found.score.asked else 'Veto'} {veto}: {reason}")
    if found.refused is not None:
        typer.echo(f"Refused along {found.refused.match[0]} | {found.refused.match[1]}: {found.refused.words}")
        for words in _differing(found.refused):
            typer.echo(f"  {words}")


@state.command("digest")
def digest(as_json: bool = JSON_OPTION) -> None:
    """A digest of golden values and memberships: equal for equal content, whatever ids or order of arrival."""
    with hub() as opened:
        found = state_digest(opened.engine)
    if as_json:
        print_json(
            {
                "state": found.state,
                "domains": {domain.value: text for domain, text in found.domains.items()},
                "entities": {domain.value: number for domain, number in found.entities.items()},
            }
        )
        return
    typer.echo(found.state)
    for domain, text in found.domains.items():
        typer.echo(f"  {domain.value:<9} {text}  ({found.entities[domain]:,} golden records)")


def verify(
    shuffle: bool = typer.Option(
        False, "--shuffle", help="Replay the change log in another order into a scratch schema, and compare."
    ),
    duplicate: float | None = typer.Option(
        None, help="With --shuffle: the share of events that is delivered twice (0.2 if not said)."
    ),
    restarts: int | None = typer.Option(
        None, help="With --shuffle: how often the replaying process is killed and restarted (5 if not said)."
    ),
    seed: int | None = typer.Option(
        None, help="With --shuffle: decides order, duplicates and the moments of the crashes (0 if not said)."
    ),
    keep: bool = typer.Option(False, "--keep", help="With --shuffle: leave the scratch schema to look at."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Prove the live state: recompute it from the stored history, or replay the history shuffled, doubled and crashed.

    Without --shuffle everything is recomputed in memory from change history, judgements and rules. With it, the change
    log is consumed again by the ordinary pipeline, in an order that the seed decides (within a row it is kept). Either
    way the live hub is only read, and every difference is named down to the field.
    """
    said = {"--duplicate": duplicate, "--restarts": restarts, "--seed": seed, "--keep": keep or None}
    given = [name for name, value in said.items() if value is not None]
    if given and not shuffle:
        raise OperatorError(
            f"Without --shuffle nothing is replayed, and {', '.join(given)} would say nothing.",
            action="Add --shuffle, or leave them out to have everything recomputed in memory.",
        )
    with hub() as opened:
        through = pipeline(opened)
        if shuffle:
            plan = Plan(
                duplicate=0.2 if duplicate is None else duplicate,
                restarts=5 if restarts is None else restarts,
                seed=seed or 0,
            )
            with progress_bar("replaying", quiet=as_json) as tell:
                proof = prove(through, plan, tell, keep=keep)
            _print_proof(proof, as_json)
            agrees = proof.agrees
        else:
            found = verify_hub(
                opened.engine,
                through.catalogue,
                through.rules,
                lambda step: notes.print(f"{step} ..."),
                anchors_of(opened),
            )
            _print_verification(found, as_json)
            agrees = found.agrees
    if not agrees:
        raise typer.Exit(1)


def _print_verification(found: Verification, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found) | {"agrees": found.agrees, "advice": found.advice})
        return
    typer.echo(
        f"{many(found.rows, 'row')}, {many(found.records, 'live record')}, "
        f"{many(found.entities, 'entity', 'entities')} recomputed."
    )
    print_differences(found.differences)
    typer.echo("The live state agrees." if found.agrees else f"{many(len(found.differences), 'difference')}.")
    if found.advice is not None:
        typer.echo(found.advice)


def _print_proof(proof: Convergence, as_json: bool) -> None:
    if as_json:
        print_json(asdict(proof) | {"agrees": proof.agrees})
        return
    typer.echo(
        f"{many(proof.events, 'event')} in another order (seed {proof.plan.seed}), "
        f"{proof.deliveries - proof.events:,} of them twice, {many(proof.kills, 'crash', 'crashes')}, "
        f"{proof.seconds:.0f} s."
    )
    rows = [
        [domain.value, proof.entities[domain], live[:16], replayed[:16]]
        for domain, (live, replayed) in proof.digests.items()
    ]
    print_table("Digests", ("domain", "golden records", "live", "replayed"), rows, right=(1,))
    print_differences(proof.differences)
    typer.echo(
        "The replayed hub holds the same as the live one."
        if proof.agrees
        else f"{len(proof.differences):,} differences."
    )


def print_differences(differences: Sequence[Difference]) -> None:
    """The first differences for people; JSON has them all."""
    if differences:
        rows = [[each.kind, each.subject, each.detail] for each in differences[:_SHOWN]]
        print_table("Differences", ("what", "where", "difference"), rows)
    if len(differences) > _SHOWN:
        typer.echo(f"... and {len(differences) - _SHOWN:,} more; --json lists all.")
