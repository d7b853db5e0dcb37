"""The compliance report as one HTML page that needs nothing else."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from mdm.core.scorecard import Score
from mdm.hub.compliance import Compliance

#: The style of the page, which a server that shows it must allow by its digest.
STYLE = Markup("""
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;
color:light-dark(#1c1c1c,#e7ebf1);background:light-dark(#fff,#0f1319)}
table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}
td,th{padding:.25rem .8rem .25rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid light-dark(#ddd,#2b343f)}
td:last-child{overflow-wrap:anywhere}
.bad{color:light-dark(#a3180d,#ffa59d);font-weight:600}.good{color:light-dark(#1b6b2a,#79d4a0)}
.quiet{color:light-dark(#555,#a5b0be)}
@media print{:root{color-scheme:light}}
""")


def compliance_page(found: Compliance) -> str:
    """The page."""
    card = found.scorecard
    mean = "nothing to measure" if card.mean is None else f"{card.mean:.1%}"
    verdict = "every threshold is reached" if card.passed else "thresholds are missed"
    body = Markup("").join(
        [
            Markup("<h1>How this hub is governed</h1><p class=quiet>As of {} UTC</p>").format(
                f"{found.at:%Y-%m-%d %H:%M}"
            ),
            Markup("<h2>Scorecard</h2><p>{}</p>").format(f"Mean {mean}; {verdict} (version {card.version})."),
            _table(("Measure", "Is", "Must be", "Of", "Whose", "What to do"), map(_score, card.scores)),
            Markup("<h2>Objectives by workflow</h2>"),
            _table(
                ("Workflow", "Tier", "Golden within", "In time, 24 h", "Refused", "Wait", "Overdue", "Tables"),
                (
                    (each.workflow, each.tier.number, f"{each.tier.fresh_within:,} s", _share(each.in_time),
                     each.open.refused, each.open.held, each.open.overdue, ", ".join(each.tables))
                    for each in found.objectives
                ),
            ),
            Markup("<h2>Gates</h2>"),
            _table(("Gate", "Holds", "Until"), ((each.name, each.holds, each.until) for each in found.gates)),
            Markup("<h2>Policies in force</h2>"),
            _table(("Policy", "Version", "Says"), ((each.name, each.version, each.says) for each in found.policies)),
            Markup("<h2>Controls and the tests that show them</h2>"),
            _table(
                ("Workflow", "Control", "Asked", "Test"),
                ((each.workflow, one.name, one.asked, one.test) for each in found.objectives for one in each.controls),
            ),
            Markup("<h2>Evidence</h2><p class=quiet>{}</p>").format(f"Since {found.since:%Y-%m-%d}."),
            _table(("What", "How many"), ((name, f"{number:,}") for name, number in found.evidence.items())),
        ]
    )  # fmt: skip
    head = Markup('<meta charset="utf-8"><title>How this hub is governed</title><style>{}</style>').format(STYLE)
    return str(Markup('<!doctype html><html lang="en"><head>{}</head><body>{}</body></html>').format(head, body))


def _score(score: Score) -> Sequence[object]:
    mark = Markup('<span class="{}">{}</span>').format("good" if score.passed else "bad", _share(score.value))
    return score.title, mark, f"{score.least:.0%}", f"{score.of:,}", score.owner, "" if score.passed else score.action


def _share(value: float | None) -> str:
    return "nothing to measure" if value is None else f"{value:.1%}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    head = Markup("").join(Markup("<th scope=col>{}</th>").format(each) for each in titles)
    cells = (Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row) for row in rows)
    lines = Markup("").join(Markup("<tr>{}</tr>").format(each) for each in cells)
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, lines)
