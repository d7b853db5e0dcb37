"""Commands that go back to what is stored: replay, rebuild."""

from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser

import typer

from mdm.cli.check import print_differences
from mdm.cli.context import JSON_OPTION, hub, many, pipeline, print_json, progress_bar
from mdm.cli.effects import effects_json, print_effects
from mdm.cli.feeds import print_report, report_json
from mdm.cli.naming import letter_number
from mdm.cli.open_feed import open_to_look
from mdm.errors import OperatorError
from mdm.hub.exceptions import Selection, replay_dead_letters, try_replay
from mdm.hub.rebuild import rebuild as rebuild_hub
from mdm.hub.replay import Replay, try_to_replay
from mdm.hub.replay import replay as replay_events
from mdm.store.refold import EventRange
from mdm.workers.rebuilding import rebuild_from_feed


def replay(
    topic: str | None = typer.Option(None, help="Only events of this topic."),
    partition: int | None = typer.Option(None, max=2**31 - 1, help="Only of this partition."),
    first: int | None = typer.Option(None, "--from-offset", max=2**63 - 1, help="Only from this offset on."),
    last: int | None = typer.Option(None, "--to-offset", max=2**63 - 1, help="Only up to this offset, it included."),
    since: datetime | None = typer.Option(None, "--from", help="Only changes made in their source since then (UTC)."),
    until: datetime | None = typer.Option(None, "--to", help="Only changes made in their source before then (UTC)."),
    system: str | None = typer.Option(None, help="Only of this platform."),
    table: str | None = typer.Option(None, help="Only of this table."),
    key: str | None = typer.Option(None, help="Only of the row with this primary key."),
    exception: list[int] = typer.Option(
        [], "--exception", help="Only these dead letters (D12); may be repeated.", parser=letter_number, metavar="ID"
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would happen to golden records; keep nothing."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Take stored events in again, with source profiles and rules as they are now; also open dead letters.

    The rows that the events are about are folded anew from their whole history, so late, doubled and disordered events
    end where they would have ended in time. Look at it with --dry-run first.
    """
    meant = EventRange(topic, partition, first, last, _utc(since), _utc(until), system, table, key)
    if not exception and meant == EventRange():
        raise OperatorError(
            "Everything at once is a rebuild.", action="Name a topic, a time, a row or dead letters; or `mdm rebuild`."
        )
    with hub() as opened, progress_bar("replaying", quiet=as_json) as tell:
        through = pipeline(opened)
        if exception:
            act = try_replay if dry_run else replay_dead_letters
            letters = act(through, Selection(ids=tuple(exception)), getuser())
            done = Replay(0, letters, letters.effects, 0.0)
        elif dry_run:
            done = try_to_replay(through, meant, getuser())
        else:
            done = replay_events(through, meant, getuser(), lambda share: tell("replaying", share))
    if as_json:
        letters_json = report_json(done.dead_letters.report, done.seconds) if done.dead_letters else None
        print_json(
            {
                "dry_run": dry_run,
                "rows": done.rows,
                "dead_letters": letters_json,
                "effects": effects_json(done.effects),
                "seconds": round(done.seconds, 3),
            }
        )
        return
    typer.echo(f"{many(done.rows, 'row')} folded anew from {'its' if done.rows == 1 else 'their'} history.")
    if done.dead_letters is not None:
        print_report(done.dead_letters.report, done.seconds)
    print_effects(done.effects, would=dry_run)
    if dry_run:
        typer.echo("A dry run: nothing was kept.")


def rebuild(
    swap: bool = typer.Option(False, "--swap", help="Take it into use; feeds are held meanwhile, their messages wait."),
    feed: str | None = typer.Option(
        None, help="Consume topics from their beginning instead, to compare: file:PATH or kafka://HOST:PORT."
    ),
    keep: bool = typer.Option(False, "--keep", help="Without --swap: leave the scratch schema to look at."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Derive everything anew from stored history in a fresh schema, compare with live, and take it into use.

    Issued ids, steward decisions, announcements and audit stay. Golden records that come out as they were keep their
    version; others get a new one and are announced. Without --swap nothing live is touched. The tables that were in use
    before stay in the schema mdm_before_rebuild until the next swap.
    """
    if swap and feed is not None:
        raise OperatorError(
            "What is consumed from topics has other ids, and consumers hold the ones that were issued.",
            action="Compare with --feed; take into use what --swap rebuilds from stored history.",
        )
    with hub() as opened, progress_bar("rebuilding", quiet=as_json) as tell:
        through = pipeline(opened)
        if feed is None:
            done = rebuild_hub(through, getuser(), tell, swap=swap, keep=keep)
        else:
            source, limit = open_to_look(feed, None, through.catalogue), opened.settings.dead_letter_limit
            done = rebuild_from_feed(through, source, tell, dead_letter_limit=limit, keep=keep)
    if as_json:
        print_json(asdict(done))
        return
    entities = many(sum(done.entities.values()), "entity", "entities")
    typer.echo(f"{many(done.rows, 'row')}, {entities} rebuilt in {done.seconds:.0f} s.")
    print_differences(done.differences)
    if not done.differences:
        typer.echo("Nothing differs from what was live.")
    typer.echo("It is in use now." if swap else "Nothing live was touched.")
    if not swap and feed is None:
        typer.echo("Say --swap to take it into use.")
    if done.differences and not swap:
        raise typer.Exit(1)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=at.tzinfo or UTC)
