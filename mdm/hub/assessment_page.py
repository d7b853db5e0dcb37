"""An assessment as one HTML page that needs nothing else: figures, threshold sweep as SVG, calibration, mistakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from matching.assessment import Assessment, Mistake, Point
from matching.capping import Capped

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 300, 46, 34
_COLOURS = {"precision": "#1b6ca8", "recall": "#c0562f", "F1": "#2e7d32"}

_STYLE = Markup("""
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}.record{color:#555;font-size:13px}details{margin:.4rem 0}
""")


def assessment_page(title: str, found: Assessment, describe: Callable[[int], str]) -> str:
    """The page; `describe` tells a record in a line."""
    body = Markup("").join(
        [
            Markup("<h1>{}</h1>").format(title),
            _figures(found),
            Markup("<h2>Thresholds</h2><p>Entities formed by joining from each match weight on.</p>{}{}").format(
                sweep_svg(found), _sweep(found.sweep)
            ),
            _calibration(found),
            _capped(found.capped),
            _sizes(found),
            _mistakes("Joined wrongly", found.false_joins, describe),
            _mistakes("Left apart wrongly", found.missed, describe),
        ]
    )
    head = Markup('<meta charset="utf-8"><title>{}</title><style>{}</style>').format(title, _STYLE)
    return str(Markup('<!doctype html><html lang="en"><head>{}</head><body>{}</body></html>').format(head, body))


def sweep_svg(found: Assessment) -> Markup:
    """Precision, recall and F1 of entities over the thresholds that were tried."""
    points = [(point.threshold, point.entities.pairs.quality) for point in found.sweep if point.entities is not None]
    low, high = points[0][0], points[-1][0]

    def x(threshold: float) -> float:
        return _LEFT + (threshold - low) / max(high - low, 1e-9) * (_WIDTH - _LEFT - 12)

    def y(share: float) -> float:
        return 10 + (1 - share) * (_HEIGHT - _BOTTOM - 10)

    lines = [
        Markup(
            '<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" stroke="#e3e3e3"/><text x="6" y="{:.1f}">{:.1f}</text>'
        ).format(_LEFT, _WIDTH - 12, y(share), y(share), y(share) + 4, share)
        for share in (0, 0.2, 0.4, 0.6, 0.8, 1)
    ]
    lines += [
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:g}</text>').format(x(at), _HEIGHT - 14, at)
        for at, _ in points
    ]
    for number, (name, colour) in enumerate(_COLOURS.items()):
        shares = [getattr(quality, name.lower()) for _, quality in points]
        path = " ".join(f"{x(at):.1f},{y(share):.1f}" for (at, _), share in zip(points, shares, strict=True))
        lines.append(Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>').format(path, colour))
        lines.append(
            Markup('<text x="{}" y="{}" fill="{}">{}</text>').format(_LEFT + 10 + 90 * number, _HEIGHT, colour, name)
        )
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" font-size="12" role="img" '
        'aria-label="Precision, recall and F1 by threshold">{}</svg>'
    ).format(_WIDTH, _HEIGHT + 6, _WIDTH, Markup("").join(lines))


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    cells = Markup("").join(Markup("<th>{}</th>").format(name) for name in head)
    lines = [Markup("").join(Markup("<td>{}</td>").format(_text(cell)) for cell in row) for row in rows]
    body = Markup("").join(Markup("<tr>{}</tr>").format(line) for line in lines)
    return Markup("<table><tr>{}</tr>{}</table>").format(cells, body)


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _figures(found: Assessment) -> Markup:
    pairs, cubed = found.operating.pairs.quality, found.operating.b_cubed
    return _table(
        ("", "precision", "recall", "F1"),
        [
            ("entities, pairwise", pairs.precision, pairs.recall, pairs.f1),
            ("entities, B-cubed", cubed.precision, cubed.recall, cubed.f1),
            ("pairs above the threshold", found.automatic.precision, found.automatic.recall, found.automatic.f1),
        ],
    ) + Markup("<p>{:,} records, {:,} candidate pairs with {:.3f} of the true ones; largest entity {}.</p>").format(
        found.records, found.candidates, found.candidate_recall, found.operating.largest_cluster
    )


def _sweep(points: Sequence[Point]) -> Markup:
    rows = []
    for point in points:
        if point.entities is not None:
            quality = point.entities.pairs.quality
            numbers = (quality.precision, quality.recall, quality.f1, point.entities.b_cubed.f1, point.pairs.f1)
            rows.append((f"{point.threshold:g}", *numbers))
    return _table(("from bits", "precision", "recall", "F1", "B-cubed F1", "F1 of pairs alone"), rows)


def _calibration(found: Assessment) -> Markup:
    rows = [(f"{each.promised:.3f}", each.observed, each.pairs) for each in found.calibration]
    table = _table(("promised", "observed", "pairs"), rows)
    return Markup("<h2>Calibration</h2><p>Mean distance {:.3f}.</p>{}").format(found.calibration_error, table)


def _capped(found: Capped) -> Markup:
    title = Markup("<h2>Keys that too many records share</h2>")
    if not found.rules:
        return title + Markup("<p>None.</p>")
    rows = [
        (rule.rule, rule.cap, rule.blocks, rule.records, rule.pairs, _known(rule.true_pairs_lost))
        for rule in found.rules
    ]
    table = _table(("rule", "cap", "blocks", "records", "pairs not made", "true pairs lost"), rows)
    return (
        title + table + Markup("<p>True pairs lost by that, each once: {}.</p>").format(_known(found.true_pairs_lost))
    )


def _known(number: int | None) -> str:
    return "not known" if number is None else f"{number:,}"


def _sizes(found: Assessment) -> Markup:
    sizes = sorted(found.sizes.keys() | found.true_sizes.keys())
    rows = [(str(size), found.sizes.get(size, 0), found.true_sizes.get(size, 0)) for size in sizes]
    return Markup("<h2>Sizes of entities</h2>") + _table(("records", "found", "true"), rows)


def _mistakes(title: str, mistakes: Sequence[Mistake], describe: Callable[[int], str]) -> Markup:
    if not mistakes:
        return Markup("<h2>{}</h2><p>None.</p>").format(title)
    parts = []
    for each in mistakes:
        rows = [(part.comparison, part.level, f"{part.bits:+.1f}") for part in each.score.contributions]
        note = "" if each.candidate else " (never compared)"
        parts.append(
            Markup('<details><summary>{:+.1f} bits{}</summary><p class="record">{}<br>{}</p>{}</details>').format(
                each.score.weight, note, describe(each.left), describe(each.right), _table(("", "", "bits"), rows)
            )
        )
    return Markup("<h2>{}</h2>{}").format(title, Markup("").join(parts))


def assessment_json(found: Assessment, names: Sequence[str]) -> dict[str, Any]:
    """The same as plain data."""
    pairs, cubed = found.operating.pairs.quality, found.operating.b_cubed
    best = found.best_entities.entities
    return {
        "records": found.records,
        "true_entities": found.operating.true_entities,
        "entities": found.operating.clusters,
        "largest_entity": found.operating.largest_cluster,
        "mixed_entities": found.operating.mixed_clusters,
        "records_in_mixed_entities": found.operating.mixed_records,
        "candidate_pairs": found.candidates,
        "candidate_recall": found.candidate_recall,
        "blocking": capped_json(found.capped),
        "pairwise": {"precision": pairs.precision, "recall": pairs.recall, "f1": pairs.f1},
        "b_cubed": {"precision": cubed.precision, "recall": cubed.recall, "f1": cubed.f1},
        "automatic": {
            "precision": found.automatic.precision,
            "recall": found.automatic.recall,
            "f1": found.automatic.f1,
        },
        "queue": {
            "pairs": found.questions.pairs,
            "hopeless": found.questions.hopeless,
            "joined_or_queued_recall": found.questions.recall,
        },
        "best_f1": {
            "pairs": {"threshold": found.best_pairs.threshold, "f1": found.best_pairs.pairs.f1},
            "entities": {"threshold": found.best_entities.threshold, "f1": best.pairs.quality.f1 if best else 0.0},
        },
        "thresholds": [_point(point) for point in found.sweep],
        "calibration": {
            "mean_distance": found.calibration_error,
            "bins": [
                {"promised": each.promised, "observed": each.observed, "pairs": each.pairs}
                for each in found.calibration
            ],
        },
        "sizes": found.sizes,
        "true_sizes": found.true_sizes,
        "joined_wrongly": [_mistake(each, names) for each in found.false_joins],
        "left_apart_wrongly": [_mistake(each, names) for each in found.missed],
    }


def capped_json(found: Capped) -> dict[str, Any]:
    """What is above its cap, rule by rule, as plain data."""
    return {"true_pairs_lost": found.true_pairs_lost, "above_cap": [asdict(rule) for rule in found.rules]}


def _point(point: Point) -> Mapping[str, float]:
    result = {"bits": point.threshold, "pairs_f1": point.pairs.f1}
    if point.entities is not None:
        quality = point.entities.pairs.quality
        result |= {"precision": quality.precision, "recall": quality.recall, "f1": quality.f1}
        result["b_cubed_f1"] = point.entities.b_cubed.f1
    return result


def _mistake(each: Mistake, names: Sequence[str]) -> Mapping[str, Any]:
    return {
        "left": names[each.left],
        "right": names[each.right],
        "bits": each.score.weight,
        "compared": each.candidate,
        "contributions": {part.comparison: [part.level, part.bits] for part in each.score.contributions},
    }


def describe_row(row: Mapping[str, str]) -> str:
    """A record in a line."""
    return "; ".join(f"{name}: {value[:80]}" for name, value in row.items() if value)
