"""Products against the mapping of use and revenue: does the use of everything that is sold lead to revenue?"""

from mdm.lifecycle.cases import Context, ProductCase
from mdm.lifecycle.findings import Problem


def usage_unit_missing(case: ProductCase, context: Context) -> Problem | None:
    """Nobody knows in which unit a product that is sold is used."""
    return _problem(case, context, "usage_unit", "usage unit")


def billing_metric_missing(case: ProductCase, context: Context) -> Problem | None:
    """The mapping does not lead from the unit of a product that is sold to what billing counts."""
    return _problem(case, context, "billing_metric", "billing metric")


def revenue_account_missing(case: ProductCase, context: Context) -> Problem | None:
    """Nobody knows on which account the revenue of a product that is sold is booked."""
    return _problem(case, context, "revenue_account", "revenue account")


def _problem(case: ProductCase, context: Context, step: str, called: str) -> Problem | None:
    """About the row where it is mended, the first where there are several; without one, about the product's first.

    The other rows of the product are the other side: what they say is why the step is missing.
    """
    why = case.lacks.get(step)
    if why is None:
        return None
    subject = next((row for row in case.rows if context.policy.plays(step, row)), case.rows[0])
    others = (row for row in case.rows if row != subject)
    return Problem((subject, *others), f"{case.name or subject.key} is sold and has no {called}: {why}.")
