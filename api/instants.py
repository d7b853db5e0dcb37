"""A golden record computed for an instant on the axes valid, known and rules."""

from dataclasses import replace
from typing import Any

from fastapi import Request

from api.deps import Released, hub_of
from api.errors import NOT_VALID_THEN, refuse
from api.present import key_object
from api.routes.parameters import Axes
from mdm.hub.time_travel import Instant, golden_then
from mdm.store.read_models import GoldenRow


def compute(request: Request, base: GoldenRow, look: Axes) -> tuple[GoldenRow, dict[str, Any]]:
    """The version as it would read at the instant, and what `as_of` says about that.

    Args:
        base: the version known at `look.known_at`, or now.

    Raises:
        ProblemRaised: `not-valid-then`, when none of its source rows existed.
        NotFound: the rule set was never released here.
    """
    hub = hub_of(request)
    released: Released = request.app.state.released
    known_at = look.known_at or hub.clock()
    then = golden_then(
        hub.engine,
        released.catalogue,
        released.rules,
        base.domain,
        base.entity_id,
        Instant(known_at, look.valid_at, look.rules),
    )
    if then is None:
        raise refuse(NOT_VALID_THEN, f"No source row of {base.entity_id} is known to have existed then.")
    as_of = {
        "known_at": look.known_at,
        "valid_at": look.valid_at,
        "rules": then.ruleset,
        "records": [key_object(key) for key in then.members],
        "overrides": [
            {
                "attribute": each.attribute,
                "author": each.author,
                "since": each.created_at,
                "expires_at": each.expires_at,
            }
            for each in then.overrides
        ],
    }
    computed = replace(base, name=then.name, values=then.values, members=len(then.members), ruleset=then.ruleset)
    return computed, as_of
