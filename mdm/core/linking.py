"""From candidate pairs to links: all pairs of a batch scored together, then decided one by one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from matching.decision import Decision, decide, worth_deciding
from matching.model import MatchModel
from matching.scoring import score_pairs
from mdm.model.delta import Link, LinkChange
from mdm.model.ids import RecordId
from mdm.model.neighbourhood import LiveLink

#: Weights are kept to a millionth of a bit, so that the order in which floating-point sums ran cannot break ties.
_DIGITS = 6


def decide_links(
    model: MatchModel,
    pairs: Collection[tuple[RecordId, RecordId]],
    comparisons: Mapping[RecordId, Mapping[str, Any]],
) -> tuple[Link, ...]:
    """The links worth keeping among candidate pairs: matches and possible matches, by (a, b)."""
    ordered = sorted(pair for pair in pairs if pair[0] in comparisons and pair[1] in comparisons)
    if not ordered:
        return ()
    scores = score_pairs(model, [comparisons[a] for a, _ in ordered], [comparisons[b] for _, b in ordered])
    links = []
    for row in np.flatnonzero(worth_deciding(model, scores.weight, scores.vetoes)).tolist():
        a, b = ordered[row]
        weight, veto = float(scores.weight[row]), scores.veto_at(row)
        decision = decide(model, weight, veto)
        if decision is not Decision.NONE:
            links.append(Link(a, b, decision.value, round(weight, _DIGITS), veto))
    return tuple(links)


def change_links(live: Sequence[LiveLink], wanted: Sequence[Link]) -> LinkChange:
    """What to write so that the live links among compared records are the wanted ones."""
    before = {(link.a, link.b): link for link in live}
    after = {(link.a, link.b): link for link in wanted}
    kept = {pair for pair, link in after.items() if pair in before and _same(before[pair], link)}
    return LinkChange(
        added=tuple(link for pair, link in sorted(after.items()) if pair not in kept),
        superseded=tuple(sorted(link.link_id for pair, link in before.items() if pair not in kept)),
    )


def _same(live: LiveLink, link: Link) -> bool:
    return (live.weight, live.decision, live.veto) == (link.weight, link.decision, link.veto)
