"""Pictures drawn on the server as inline SVG. Each has a title that says in words what it shows.

Shapes carry classes of the style sheet and numbers in attributes; there is no inline style.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from math import cos, pi, sin
from typing import NamedTuple

from markupsafe import Markup

from matching.scoring import Contribution

_HEAD = Markup(
    '<svg class="picture" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{title}">{body}</svg>'
)
_TEXT = Markup('<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{text}</text>')
_RECT = Markup('<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2" class="{kind}"/>')
_DOT = Markup('<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="sum"/>')
_DAYS_TABLE = Markup(
    '<details><summary>The same in numbers</summary><table><thead><tr><th scope="col">Day</th>'
    '<th scope="col" class="number">{title}</th></tr></thead><tbody>{rows}</tbody></table></details>'
)
_ROW_OF_DAY = Markup('<tr><th scope="row">{day}</th><td class="number">{number}</td></tr>')
_LINE = Markup('<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')


def _picture(width: float, height: float, title: str, body: Sequence[Markup]) -> Markup:
    return _HEAD.format(w=round(width), h=round(height), title=title, body=Markup("").join(body))


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> Markup:
    return _TEXT.format(x=x, y=y, anchor=anchor, kind=kind, text=text)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return _LINE.format(x1=x1, y1=y1, x2=x2, y2=y2, kind=kind)


def signed(bits: float) -> str:
    """A number of bits with its sign, a true minus included."""
    return f"{bits:+.1f}".replace("-", "−")


# --- match weight --------------------------------------------------------------------------------------------------

_ROW, _LABELS, _PLOT, _VALUES = 24, 120, 360, 50


def waterfall(
    prior: float, contributions: Sequence[Contribution], weight: float, limits: Mapping[str, float]
) -> Markup:
    """From the prior through every comparison to the match weight, against the weights that decide something."""
    steps = [("prior", 0.0, prior, "base")]
    total = prior
    for each in contributions:
        if each.bits:
            steps.append((each.comparison, total, total + each.bits, "for" if each.bits > 0 else "against"))
        total += each.bits
    steps.append(("match weight", 0.0, weight, "sum"))
    ends = [0.0, *limits.values(), *(end for _, _, end, _ in steps), *(start for _, start, _, _ in steps)]
    low, high = min(ends), max(ends)
    scale = _PLOT / ((high - low) or 1.0)

    def at(bits: float) -> float:
        return _LABELS + (bits - low) * scale

    top = 20
    height = top + _ROW * len(steps) + 6
    body = [_line(at(0), top - 4, at(0), height - 4, "rule")]
    for number, (name, limit) in enumerate(sorted(limits.items(), key=lambda each: each[1])):
        body.append(_line(at(limit), top - 4, at(limit), height - 4, "limit"))
        anchor = "end" if number == 0 and len(limits) > 1 else "start"
        body.append(_text(at(limit) + (-4 if anchor == "end" else 4), 11, name, anchor, "faint"))
    for number, (name, start, end, kind) in enumerate(steps):
        y = top + number * _ROW
        x, width = at(min(start, end)), max(1.5, abs(end - start) * scale)
        body.append(_text(_LABELS - 10, y + 14, name, "end"))
        body.append(_RECT.format(x=x, y=y + 3, w=width, h=_ROW - 8, kind=kind))
        body.append(_text(_LABELS + _PLOT + _VALUES, y + 14, signed(end - start), "end", "faint"))
        if number + 2 < len(steps):
            body.append(_line(at(end), y + _ROW - 5, at(end), y + _ROW + 3, "rule"))
    title = f"Match weight {signed(weight)} bits, from {signed(prior)} bits before anything is compared. " + ", ".join(
        f"{each.comparison} {signed(each.bits)}" for each in contributions if each.bits
    )
    return _picture(_LABELS + _PLOT + _VALUES + 4, height, title, body)


_LABELS_APART = 64.0


def gauge(weight: float, possible: float, match: float) -> Markup:
    """Where a match weight stands between "not a match", "a person decides" and "match"."""
    low, high = min(possible - 4, weight - 1), max(match + 4, weight + 1)
    width, bar = 300.0, 10.0

    def at(bits: float) -> float:
        return (bits - low) / (high - low) * width

    # Two labels in the middle of their marks need this much room; closer ones stand left and right of them.
    apart = at(match) - at(possible) >= _LABELS_APART
    asked = (at(possible), "middle") if apart else (max(at(possible) + 4, 50.0), "end")
    joined = (min(at(match), width - 26), "middle") if apart else (min(at(match) - 4, width - 52), "start")
    body = [
        _RECT.format(x=0, y=16, w=at(possible), h=bar, kind="base"),
        _RECT.format(x=at(possible), y=16, w=at(match) - at(possible), h=bar, kind="area"),
        _RECT.format(x=at(match), y=16, w=width - at(match), h=bar, kind="for"),
        _line(at(weight), 8, at(weight), 34, "spark"),
        _text(asked[0], 44, f"ask {signed(possible)}", asked[1], "faint"),
        _text(joined[0], 44, f"join {signed(match)}", joined[1], "faint"),
    ]
    return _picture(
        width,
        48,
        f"{signed(weight)} bits; a person is asked from {signed(possible)}, joined from {signed(match)}.",
        body,
    )


# --- numbers over time, and by class -------------------------------------------------------------------------------


class Bar(NamedTuple):
    """A class with its size. `kind` is base, for, against or sum."""

    label: str
    size: float
    text: str
    kind: str = "sum"


def bars(title: str, classes: Sequence[Bar], width: float = 420) -> Markup:
    """Horizontal bars with their label on the left and their number on the right."""
    most = max((each.size for each in classes), default=0) or 1
    # Wide enough for the longest label: a letter takes about 6.6 units.
    labels, values = max(130.0, 16 + 6.6 * max((len(each.label) for each in classes), default=0)), 70.0
    plot = width - labels - values
    body: list[Markup] = []
    for number, each in enumerate(classes):
        y = number * 26
        body.append(_text(labels - 10, y + 16, each.label, "end"))
        body.append(_RECT.format(x=labels, y=y + 5, w=max(1.0, each.size / most * plot), h=16, kind=each.kind))
        body.append(_text(labels + max(1.0, each.size / most * plot) + 6, y + 17, each.text, "start", "faint"))
    words = title + ": " + ", ".join(f"{each.label} {each.text}" for each in classes)
    return _picture(width, max(1, len(classes)) * 26, words, body)


def sparkline(
    title: str, values: Sequence[float], width: float = 160, height: float = 36, most: float | None = None
) -> Markup:
    """A small line of how a number went, up to its highest or to `most`: shares of different things compare then."""
    if len(values) < 2:
        return Markup("")
    low, high = min(0.0, *values), most or max(values) or 1.0
    step = width / (len(values) - 1)
    points = [
        (number * step, height - 3 - (value - low) / ((high - low) or 1) * (height - 6))
        for number, value in enumerate(values)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    body = [
        Markup('<polygon class="area" points="0,{h} {p} {w},{h}"/>').format(h=height, w=width, p=path),
        Markup('<polyline class="spark" points="{p}"/>').format(p=path),
    ]
    words = f"{title}: from {values[0]:g} to {values[-1]:g}, lowest {min(values):g}, highest {max(values):g}"
    return _picture(width, height, words, body)


def days(title: str, numbers: Sequence[tuple[date, int]], width: float = 640) -> Markup:
    """How a number went from day to day, in the distances of the days, with its scale; the same as a table below it."""
    if not numbers:
        return Markup("")
    first, last = numbers[0][0], numbers[-1][0]
    left, top, bottom = 52.0, 14.0, 110.0
    plot, most = width - left - 16, max(number for _, number in numbers) or 1
    span = max(1, (last - first).days)
    points = [
        (left + (day - first).days / span * plot, bottom - number / most * (bottom - top)) for day, number in numbers
    ]
    body = [
        _line(left, bottom, left + plot, bottom, "rule"),
        _line(left, top, left + plot, top, "rule"),
        _text(left - 8, top + 4, f"{most:,}".replace(",", "\u202f"), "end", "faint"),
        _text(left - 8, bottom + 4, "0", "end", "faint"),
        _text(left, bottom + 20, first.isoformat(), "start", "faint"),
    ]
    if len(numbers) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        body += [
            Markup('<polygon class="area" points="{a:.1f},{b} {p} {z:.1f},{b}"/>').format(
                a=points[0][0], z=points[-1][0], b=bottom, p=path
            ),
            Markup('<polyline class="spark" points="{p}"/>').format(p=path),
            _text(left + plot, bottom + 20, last.isoformat(), "end", "faint"),
        ]
    body += [_DOT.format(x=x, y=y) for x, y in points]
    values = [number for _, number in numbers]
    words = (
        f"{title} on {len(numbers)} days: from {values[0]:g} on {first} to {values[-1]:g} on {last}, "
        f"lowest {min(values):g}, highest {max(values):g}"
        if len(numbers) > 1
        else f"{title}: {values[0]:g} on {first}, the only day so far"
    )
    rows = Markup("").join(_ROW_OF_DAY.format(day=day.isoformat(), number=number) for day, number in reversed(numbers))
    return _picture(width, bottom + 28, words, body) + _DAYS_TABLE.format(title=title, rows=rows)


# --- who hangs together with whom ----------------------------------------------------------------------------------


class Node(NamedTuple):
    """A record in a cluster graph. `own` tells apart two groups."""

    name: str
    title: str
    own: bool = True


class Tie(NamedTuple):
    """A link between two nodes, by position. `kind` is link (match), weak (possible match) or cut (not the same)."""

    a: int
    b: int
    kind: str
    text: str


def cluster_graph(nodes: Sequence[Node], ties: Sequence[Tie]) -> Markup:
    """Records on a circle with the links between them."""
    width, height = 640.0, 340.0 if len(nodes) <= 6 else 430.0
    places = [
        (
            width / 2 + (width / 2 - 170) * cos(2 * pi * number / len(nodes) - pi / 2),
            height / 2 + (height / 2 - 50) * sin(2 * pi * number / len(nodes) - pi / 2),
        )
        for number in range(len(nodes))
    ]
    body: list[Markup] = []
    for tie in ties:
        (x1, y1), (x2, y2) = places[tie.a], places[tie.b]
        body.append(_line(x1, y1, x2, y2, tie.kind))
    for tie in ties if len(nodes) <= 6 else ():
        # Off the middle, where the lines of a circle cross.
        (x1, y1), (x2, y2) = places[tie.a], places[tie.b]
        body.append(_text(x1 + (x2 - x1) * 0.36, y1 + (y2 - y1) * 0.36 + 4, tie.text, "middle", "faint"))
    for (x, y), node in zip(places, nodes, strict=True):
        body.append(
            Markup('<circle cx="{x:.1f}" cy="{y:.1f}" r="17" class="{kind}"/>').format(
                x=x, y=y, kind="node own" if node.own else "node"
            )
        )
        body.append(_text(x, y + 4, node.name, "middle"))
        body.append(_outside(x, y, width, height, node.title))
    words = f"{len(nodes)} records. " + "; ".join(
        f"{nodes[tie.a].name} and {nodes[tie.b].name}: {_TIES[tie.kind]} {tie.text}" for tie in ties
    )
    return _picture(width, height, words, body)


def _outside(x: float, y: float, width: float, height: float, text: str) -> Markup:
    """The title of a node, on the side that looks away from the middle."""
    if abs(x - width / 2) < 20:
        return _text(x, y + (34 if y > height / 2 else -24), _fitting(text, width / 2), "middle", "faint")
    room = _fitting(text, width / 2 - abs(x - width / 2) - 24)
    return _text(x + (24 if x > width / 2 else -24), y + 4, room, "start" if x > width / 2 else "end", "faint")


_TIES = {"link": "match", "weak": "possible match", "cut": "judged not the same"}


# --- who belongs to whom -------------------------------------------------------------------------------------------


class Branch(NamedTuple):
    """A company in a tree, with what hangs below it. `own` marks the one the page is about."""

    title: str
    own: bool
    below: "Sequence[Branch]"


_COLUMN, _LINE_HEIGHT, _BOX = 250.0, 38.0, 210.0


def family_tree(root: Branch) -> Markup:
    """A tree from left to right, every company in a box of its own, parents beside the middle of their children."""
    boxes: list[Markup] = []
    lines: list[Markup] = []
    words: list[str] = []
    deepest = 0

    def place(branch: Branch, depth: int, top: float) -> tuple[float, float]:
        """Draw a branch from `top` down; returns the height of its box, and where the next branch begins."""
        nonlocal deepest
        deepest = max(deepest, depth)
        x, below, ends = depth * _COLUMN, top, []
        for each in branch.below:
            y, below = place(each, depth + 1, below)
            ends.append(y)
        middle = (ends[0] + ends[-1]) / 2 if ends else top + _LINE_HEIGHT / 2
        for y in ends:
            lines.append(_line(x + _BOX, middle, x + _BOX + 20, middle, "rule"))
            lines.append(_line(x + _BOX + 20, middle, x + _BOX + 20, y, "rule"))
            lines.append(_line(x + _BOX + 20, y, x + _COLUMN, y, "rule"))
        kind = "box own" if branch.own else "box"
        boxes.append(_RECT.format(x=x + 1, y=middle - 14, w=_BOX - 2, h=28, kind=kind))
        boxes.append(_text(x + 10, middle + 4, _fitting(branch.title, _BOX - 20), "start"))
        if branch.below:
            words.append(f"{branch.title} above {', '.join(each.title for each in branch.below)}")
        return middle, max(below, top + _LINE_HEIGHT)

    _, height = place(root, 0, 0.0)
    return _picture((deepest + 1) * _COLUMN - (_COLUMN - _BOX), height, "; ".join(reversed(words)), [*lines, *boxes])


def _fitting(text: str, width: float) -> str:
    """As much of a text as fits: letters of East Asian scripts are about twice as wide as Latin ones."""
    taken = 0.0
    for at, letter in enumerate(text):
        taken += 12.5 if unicodedata.east_asian_width(letter) in "WF" else 6.9
        if taken > width:
            return f"{text[: at - 1]}…"
    return text
