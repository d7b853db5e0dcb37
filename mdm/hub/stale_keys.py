"""Whether stored records are under the blocking keys that the rules of now make, where what arrives looks for them.

A release gives keys anew with its re-match; a version of the hub that makes keys otherwise, a profile that was put in
place of the shipped one, a first load that nothing has matched yet, and a re-match that was interrupted do not.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Engine

from mdm.core.rules import Rules
from mdm.hub.resolve import block_hashes
from mdm.model.ids import Domain
from mdm.store import pairs, whole
from mdm.store.neighbourhood import stated_comparisons
from mdm.store.reading import snapshot, transient_failures
from mdm.store.unit_of_work import UnitOfWork

CODE: Final = "KEYS_STALE"
ADVICE: Final = "`mdm match run` shows what matching them anew would change, and `mdm match run --apply` does it."

#: Records of a domain that are looked at, spread over all. `mdm verify` looks at each.
_SAMPLE = 64


def stale_keys(engine: Engine, rules: Rules) -> tuple[Domain, ...]:
    """Domains with records that are not where the rules make others look for them, as far as a sample shows.

    Raises:
        TransientError: the database cannot be reached now.
    """
    with transient_failures(), snapshot(engine) as work:
        return tuple(domain for domain in Domain if _stale(work, domain, rules))


def sentence(domains: Collection[Domain]) -> str:
    """What is so, in a sentence."""
    which = ", ".join(sorted(each.plural for each in domains))
    return f"Some {which} are not under the blocking keys that the rules make now: what arrives does not find them."


def _stale(work: UnitOfWork, domain: Domain, rules: Rules) -> bool:
    """Keys that follow from what references resolve to are not looked at: these change without any rule."""
    model, ids = rules.models[domain], whole.spread_records(work, domain, _SAMPLE)
    held = pairs.keys_of(work, ids)
    return any(
        (block, rec) not in held
        for rec, comparison in stated_comparisons(work, ids).items()
        for block in block_hashes(model, comparison)
    )
