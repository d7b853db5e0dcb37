"""A row against what it names: did that ever arrive?"""

from mdm.lifecycle.cases import Context, ReferenceCase
from mdm.lifecycle.findings import Problem

#: Which attribute says what a row is worth.
_AMOUNTS = ("total", "value", "amount")


def reference_never_arrived(case: ReferenceCase, context: Context) -> Problem | None:
    """The row names another one that the hub has never had, although the platform of that one has told its story for
    longer since than a row may be under way.

    While that platform is silent or behind nobody can tell, and nothing is said.
    """
    row, grace = case.row, context.policy.grace["reference"]
    lost = [each for each in case.missing if each.heard is not None and each.heard - row.changed_at > grace]
    if not lost:
        return None
    currency = row.text("currency")
    amount = next((found for name in _AMOUNTS if (found := row.amount(name)) is not None), None)
    named = " and ".join(f"{each.role.replace('_', ' ')} {each.name}" for each in lost)
    return Problem(
        (row.key,),
        f"{row.kind.replace('_', ' ').capitalize()} {row.key.key} names {named}, which never arrived.",
        amount if currency is not None else None,
        currency if amount is not None else None,
    )
