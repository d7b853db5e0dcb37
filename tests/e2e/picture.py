"""Picture every screen of the console: the sample world, something open on every screen, light and dark.

Run by `make screenshots`, with the folder to write to, and names of screens when not all are wanted. Some names are
made long or Japanese on purpose.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from playwright.sync_api import Page, ViewportSize
from sqlalchemy import Engine, text

from mdm.access import FORMER_STEWARD
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.release import load_rules
from mdm.hub.worklist import rank_open_tasks
from mdm.intake.catalogue import load_catalogue
from mdm.store import accounts, migrate
from mdm.store.embedded import EmbeddedServer
from mdm.streams.file import FileFeed
from mdm.workers.ingest import drain
from tests.e2e import browsing
from tests.e2e.screens import screens
from tests.e2e.test_accessibility import busy

_LONG = (
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH & Co. Kommanditgesellschaft"
)
_JAPANESE = "株式会社東京データマスター管理サービス"
_DARK = ("home", "reviews", "review", "customer", "customer-graph", "customer-hierarchy", "close", "steps")
_TABLET = ("home", "reviews", "review", "customer-hierarchy", "close")


def main(folder: Path, only: frozenset[str] = frozenset()) -> int:
    """Write a picture per screen, or only of those named; says what could not be done."""
    if browsing.chromium() is None:
        sys.stderr.write("Chromium is not installed; nothing was pictured.\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, EmbeddedServer(Path(directory) / "pg") as server:
        server.create_database("pictures")
        engine = make_engine(server.url("pictures"))
        _fill(engine)
        with engine.begin() as connection:
            password = accounts.create_account(connection, "anna", "Anna Schmidt", FORMER_STEWARD)
        with browsing.serving(browsing.application(engine)) as address, browsing.browser() as opened:
            for theme, width, names, suffix in (
                ("light", 1280, None, ""),
                ("dark", 1280, _DARK, "-dark"),
                ("light", 820, _TABLET, "-tablet"),
            ):
                window = ViewportSize(width=width, height=800 if width == 1280 else 1100)
                context = opened.new_context(
                    viewport=window,
                    base_url=address,
                    color_scheme=theme,  # type: ignore[arg-type]
                )
                page = context.new_page()
                if theme == "light" and width == 1280:
                    page.goto("/console/sign-in")
                    page.screenshot(path=folder / "sign-in.png")
                browsing.sign_in(page, address, "anna", password)
                _found(page, "/console/reconciliation")  # other pages show what it finds, too
                for name, path in screens(engine).items():
                    if (names is None or name in names) and (not only or name in only):
                        _found(page, path)
                        if name == "review" and not suffix:  # as high as the page, or the bar at its foot is in the way
                            page.set_viewport_size({"width": width, "height": _height(page)})
                        page.screenshot(path=folder / f"{name}{suffix}.png")
                        page.set_viewport_size(window)
                context.close()
        engine.dispose()
    _squeeze(folder, only)
    return 0


def _squeeze(folder: Path, only: frozenset[str]) -> None:
    """Take colours that no eye misses out of the pictures just made, where pngquant is installed: a third is left."""
    pngquant = shutil.which("pngquant")
    names = {name + suffix for name in only for suffix in ("", "-dark", "-tablet")}
    made = [each for each in folder.glob("*.png") if not only or each.stem in names]
    if pngquant is not None and made:
        options = ["--force", "--ext", ".png", "--skip-if-larger", "--strip", "--quality", "85-100"]
        subprocess.run([pngquant, *options, "--", *map(str, sorted(made))], check=False)


def _found(page: Page, path: str) -> None:
    """Open a page, and wait for figures that are added up beside it."""
    page.goto(path)
    page.locator("#findings-wait, #figures-wait").wait_for(state="detached", timeout=180_000)


def _height(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


def _fill(engine: Engine) -> None:
    migrate.upgrade(engine)
    catalogue = load_catalogue(None)
    pipeline = Pipeline(engine, system_clock, catalogue, load_rules(catalogue))
    with as_file(files("mdm.demo") / "world") as world:
        drain(pipeline, FileFeed(world / "events"), batch_size=5000, dead_letter_limit=100)
    busy(engine, "user:anna")
    rank_open_tasks(engine, pipeline.rules, system_clock())
    with engine.begin() as connection:
        for name, offset in ((_LONG, 0), (_JAPANESE, 1)):
            connection.execute(
                text(
                    """update golden set name = :name,
                         "values" = jsonb_set("values", '{name}', to_jsonb(cast(:name as text)))
                       where known_to is null and entity_id = (
                         select x.entity_id from task_priority p join steward_task t using (task_id)
                         join crosswalk x on x.rec_id = t.a where t.status = 'open' order by p.rank desc
                         limit 1 offset :offset)"""
                ),
                {"name": name, "offset": offset},
            )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), frozenset(sys.argv[2:])))
