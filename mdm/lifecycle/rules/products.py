"""Products against the mapping of use and revenue: does the use of everything that is sold lead to revenue?"""

from mdm.lifecycle.cases import Context, ProductCase
from mdm.lifecycle.findings import Problem


def usage_unit_missing(case: ProductCase, _context: Context) -> Problem | None:
    """Nobody knows in which unit a product that is sold is used."""
    return _problem(case, "usage_unit", "usage unit")


def billing_metric_missing(case: ProductCase, _context: Context) -> Problem | None:
    """The mapping does not lead from the unit of a product that is sold to what billing counts."""
    return _problem(case, "billing_metric", "billing metric")


def revenue_account_missing(case: ProductCase, _context: Context) -> Problem | None:
    """Nobody knows on which account the revenue of a product that is sold is booked."""
    return _problem(case, "revenue_account", "revenue account")


def _problem(case: ProductCase, step: str, called: str) -> Problem | None:
    why = case.lacks.get(step)
    if why is None:
        return None
    product = case.name or case.row.key
    return Problem((case.row,), f"{product} is sold and has no {called}: {why}.")
