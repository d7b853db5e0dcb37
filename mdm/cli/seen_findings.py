"""What was open on a day, as runs of reconciliation that are kept saw it: reconcile --as-of."""

from collections import Counter
from dataclasses import asdict
from datetime import date

import typer

from mdm.cli.context import hub, many, print_json, print_table
from mdm.errors import OperatorError
from mdm.store.finding_history import Seen, counted_on, newest_run, open_on

#: Findings shown to people; JSON has them all.
_SHOWN, _ALL = 50, 2**31 - 1


def open_on_day(asked: str, rule: str | None, as_json: bool) -> None:
    """Tell the findings that were open at the end of a day, and what they were worth.

    Raises:
        OperatorError: that is no day, or nothing was kept yet.
    """
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        raise OperatorError(f"{asked!r} is no day.", action="Write it like 2026-10-31.") from None
    with hub() as opened, opened.engine.connect() as connection:
        run = newest_run(connection)
        found = open_on(connection, day, rule, None, _ALL)
        number, sums = counted_on(connection, day, rule)
    if run is None:
        raise OperatorError(
            "No run of reconciliation is kept yet.", action="Serve the hub, or run `mdm worker calendar`."
        )
    if as_json:
        print_json({"day": day, "known_to": run.began_at, "amounts": sums, "findings": [_told(each) for each in found]})
        return
    counts = Counter(each.rule for each in found)
    print_table("By rule", ("rule", "open"), [[name, each] for name, each in sorted(counts.items())], right=(1,))
    rows = [
        [each.rule, str(each.subject), f"{each.first_seen:%Y-%m-%d %H:%M}",
         f"{each.closed_at:%Y-%m-%d %H:%M}" if each.closed_at else "", _amount(each)]
        for each in found[:_SHOWN]
    ]  # fmt: skip
    print_table("Open", ("rule", "about", "seen first", "ended", "worth"), rows, right=(4,))
    if number > _SHOWN:
        typer.echo(f"... and {number - _SHOWN:,} more; --json lists all, --rule those of one rule.")
    worth = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(sums.items()))
    typer.echo(f"{many(number, 'finding')} open at the end of {day}{f', {worth}' if worth else ''}.")


def _told(seen: Seen) -> dict[str, object]:
    return asdict(seen) | {
        "subject": seen.subject._asdict(),
        "amount": None if seen.amount is None else format(seen.amount, "f"),
        "hours": seen.hours,
    }


def _amount(seen: Seen) -> str:
    return "" if seen.amount is None else f"{seen.amount:,.2f} {seen.currency or ''}".rstrip()
