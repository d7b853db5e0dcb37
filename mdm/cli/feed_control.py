"""Commands that show and hold feeds."""

from dataclasses import asdict
from getpass import getuser

import typer

from mdm.cli.context import JSON_OPTION, hub, print_json, print_table
from mdm.hub.feeds import pause_feed, resume_feed
from mdm.store.feeds import feed_states

control = typer.Typer(no_args_is_help=True)

_FEED = typer.Argument(..., help="The feed's name, as `mdm feeds list` shows it, e.g. kafka:mdm.")


@control.command("list")
def list_command(as_json: bool = JSON_OPTION) -> None:
    """Every feed: whether it is held, by whom and why, and when it last moved."""
    with hub() as opened, opened.engine.connect() as connection:
        states = feed_states(connection)
    if as_json:
        print_json([asdict(each) for each in states])
        return
    rows = [
        [each.feed, "held" if each.paused else "runs", each.reason, each.actor, each.partitions, each.moved_at]
        for each in states
    ]
    print_table("Feeds", ("feed", "state", "reason", "by", "partitions", "last moved"), rows, right=(4,))


@control.command("pause")
def pause_command(
    feed: str = _FEED, reason: str = typer.Option(..., help="Why; shown to everybody and kept in the audit.")
) -> None:
    """Hold a feed: its workers take nothing more, and keep their partitions."""
    with hub() as opened:
        with opened.engine.connect() as connection:
            known = {each.feed for each in feed_states(connection)}
        changed = pause_feed(opened.engine, opened.clock, feed, getuser(), reason)
    typer.echo(f"{feed} is held." if changed else f"{feed} was held already.")
    if feed not in known:
        typer.echo("No feed of this name has run here yet; `mdm feeds list` has those that have.")


@control.command("resume")
def resume_command(feed: str = _FEED) -> None:
    """Let a feed go on where it stopped."""
    with hub() as opened:
        changed = resume_feed(opened.engine, opened.clock, feed, getuser())
    typer.echo(f"{feed} goes on." if changed else f"{feed} was not held.")
