"""The command that counts keys which too many records share, and looks at pairs that nothing compares for that."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import typer

from mdm.cli.context import JSON_OPTION, hub, pipeline, print_json, print_table
from mdm.core.uncompared import Sampled
from mdm.hub.above_cap import above_cap_by_rule
from mdm.hub.uncompared import Looked, look, questions_of_rules
from mdm.model.ids import Domain
from mdm.model.refused import Matter, named

#: The exception about each rule, by domain and rule: its number, and its status.
_Questions = Mapping[tuple[Domain, str], tuple[int, str]]


def blocks(
    looks: bool = typer.Option(
        False,
        "--look",
        help="Score a sample of the pairs that are not made, and ask stewards where the model would link any.",
    ),
    as_json: bool = JSON_OPTION,
) -> None:
    """Count the keys that too many records share, by domain and blocking rule: they find nobody partners.

    Looks once at all keys of the hub, and writes nothing. Stewards are asked about each key of the rules marked
    `asked`. The other rules only add to what finer ones find: --look takes a sample of the pairs that nothing compares
    for their sake, scores it with the model in force, and raises or closes one exception for each rule, as the calendar
    does once a day.
    """
    with hub() as opened:
        flow = pipeline(opened)
        found = look(flow) if looks else [Looked(each, None) for each in above_cap_by_rule(flow.engine, flow.rules)]
        questions = questions_of_rules(flow)
    if as_json:
        print_json([_as_json(each, questions) for each in found])
        return
    rows = [
        [each.domain.value, each.rule or "(no rule in force)", "-" if each.cap is None else each.cap,
         "yes" if each.asked else "no", *(f"{number:,}" for number in asdict(each.crowd).values()),
         _question(questions.get((each.domain, each.rule)))]
        for each in (one.above for one in found)
    ]  # fmt: skip
    columns = ("domain", "rule", "cap", "asked", "keys above it", "records with one", "pairs not made", "question")
    print_table("Keys that too many records share", columns, rows, right=(2, 4, 5, 6))
    if looks:
        _print_samples(found)


def _print_samples(found: Sequence[Looked]) -> None:
    samples = [(each.above, each.sampled) for each in found if each.sampled is not None]
    print_table(
        "Pairs of these that were drawn, and what the model in force says of those that nothing else compares",
        ("domain", "rule", "drawn", "not compared", "match", "possible", "in all", "95 %"),
        [
            [above.domain.value, above.rule, sampled.drawn, sampled.alone, sampled.matches, sampled.possible,
             sampled.expected.value, _limits(sampled)]
            for above, sampled in samples
        ],
        right=(2, 3, 4, 5, 6, 7),
    )  # fmt: skip
    print_table(
        "The strongest of them (`mdm explain A B` shows two side by side)",
        ("domain", "rule", "A", "B", "decision", "bits"),
        [
            [above.domain.value, above.rule, "/".join(each.a), "/".join(each.b), each.decision, f"{each.weight:.1f}"]
            for above, sampled in samples
            for each in sampled.strongest
        ],
        right=(5,),
    )


def _limits(sampled: Sampled) -> str:
    if sampled.whole:
        return "all drawn"
    return f"{sampled.expected.low:,} to {sampled.expected.high:,}"


def _question(found: tuple[int, str] | None) -> str:
    """E5, with what became of it where it is no longer open."""
    if found is None:
        return "-"
    number, status = found
    return named(Matter.EXCEPTION, number) + ("" if status == "open" else f" ({status})")


def _as_json(each: Looked, questions: _Questions) -> dict[str, Any]:
    above = each.above
    question = questions.get((above.domain, above.rule))
    return (
        {"domain": above.domain.value, "rule": above.rule or None, "cap": above.cap, "asked": above.asked}
        | asdict(above.crowd)
        | {
            "question": None if question is None else _named(question),
            "sample": None if each.sampled is None else _sample_json(each.sampled),
        }
    )


def _sample_json(sampled: Sampled) -> dict[str, Any]:
    return {
        "drawn": sampled.drawn,
        "not_compared": sampled.alone,
        "matches": sampled.matches,
        "possible": sampled.possible,
        "expected": sampled.expected._asdict(),
        "strongest": [each._asdict() | {"a": "/".join(each.a), "b": "/".join(each.b)} for each in sampled.strongest],
    }


def _named(question: tuple[int, str]) -> dict[str, str]:
    return {"name": named(Matter.EXCEPTION, question[0]), "status": question[1]}
