"""What resolving a batch came to: pairs compared and decided, golden versions by cause, attributes that disagree.

Counted as it happens, by the process that does it; no table is read for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.model.delta import GoldenVersion, Link
from mdm.model.ids import Domain

#: What became of a compared pair: joined by its weight, asked about, kept from joining by a rule, or nothing.
MATCH, REVIEW, VETO, NO_MATCH = "match", "review", "veto", "no_match"


@dataclass(slots=True)
class Measures:
    """Pairs by domain and what became of them, weights of those that are links, golden versions by domain and cause,
    and attributes of them about which members disagree."""

    pairs: Counter[tuple[Domain, str]] = field(default_factory=Counter)
    weights: list[tuple[Domain, str, float]] = field(default_factory=list)
    causes: Counter[tuple[Domain, str]] = field(default_factory=Counter)
    conflicts: Counter[tuple[Domain, str]] = field(default_factory=Counter)

    def add(self, other: "Measures") -> None:
        """Add what another part of the batch came to."""
        self.pairs.update(other.pairs)
        self.weights += other.weights
        self.causes.update(other.causes)
        self.conflicts.update(other.conflicts)


def measured(domain: Domain, compared: int, links: Sequence[Link], golden: Iterable[GoldenVersion]) -> Measures:
    """What one domain of a batch came to.

    Args:
        compared: how many pairs were compared.
        links: those of them that are worth keeping.
    """
    found = Measures()
    for link in links:
        decision = VETO if link.veto is not None else MATCH if link.decision == "match" else REVIEW
        found.pairs[domain, decision] += 1
        found.weights.append((domain, decision, link.weight))
    found.pairs[domain, NO_MATCH] += compared - len(links)
    for version in golden:
        found.causes[domain, version.cause] += 1
        for name, lineage in version.lineage.items():
            if _disagree(lineage):
                found.conflicts[domain, name] += 1
    return found


def _disagree(lineage: Mapping[str, Any]) -> bool:
    """Whether another value lost; a union keeps them all."""
    return any(each.get("value") is not None for each in lineage.get("runners_up", ()))
