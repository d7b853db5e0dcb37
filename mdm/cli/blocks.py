"""The command that counts keys which too many records share."""

from dataclasses import asdict

from mdm.cli.context import JSON_OPTION, hub, pipeline, print_json, print_table
from mdm.hub.above_cap import above_cap_by_rule


def blocks(as_json: bool = JSON_OPTION) -> None:
    """Count the keys that too many records share, by domain and blocking rule: they find nobody partners.

    Looks once at all keys of the hub, and writes nothing. Stewards are asked about those of rules marked `asked`; the
    others only add to what finer rules find.
    """
    with hub() as opened:
        flow = pipeline(opened)
        found = above_cap_by_rule(flow.engine, flow.rules)
    if as_json:
        print_json(
            [
                {"domain": each.domain.value, "rule": each.rule or None, "cap": each.cap, "asked": each.asked}
                | asdict(each.crowd)
                for each in found
            ]
        )
        return
    rows = [
        [each.domain.value, each.rule or "(no rule in force)", "-" if each.cap is None else each.cap,
         "yes" if each.asked else "no", *(f"{number:,}" for number in asdict(each.crowd).values())]
        for each in found
    ]  # fmt: skip
    columns = ("domain", "rule", "cap", "asked", "keys above it", "records with one", "pairs not made")
    print_table("Keys that too many records share", columns, rows, right=(2, 4, 5, 6))
