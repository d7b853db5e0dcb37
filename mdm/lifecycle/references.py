"""Rows that name another row which the hub has never had, as cases. Pure: what never arrived was looked up before.

A row that arrived and was deleted since is no matter of this, nor is a table of which nothing ever arrived: it is not
connected. How far the platform of the missing row has told its story is part of the case: what is late is not lost.
"""

from collections import defaultdict
from collections.abc import Iterator

from mdm.lifecycle.cases import Missing, ReferenceCase
from mdm.lifecycle.ledger import Ledger
from mdm.lifecycle.material import Material, Stated
from mdm.lifecycle.numbers import number_forms

#: An entitlement whose subscription nobody knows is told as a pair (`entitlement_without_subscription`).
_TOLD_ELSEWHERE = frozenset({("entitlement", "contract")})


def reference_cases(material: Material, ledger: Ledger) -> Iterator[ReferenceCase]:
    """Every live fact and contract record that names something unknown."""
    nowhere = _entries_of_nothing(material, ledger)
    for row in (*material.facts, *material.contract_records):
        named = [
            Missing(each.role, f"{each.target.system} {each.target.type} {each.target.key}",
                    material.heard.get(each.target.system))
            for each in row.references
            if each.target in material.unknown and (row.kind, each.role) not in _TOLD_ELSEWHERE
        ]  # fmt: skip
        missing = (*named, *nowhere.get(row.key, ()))
        if missing:
            yield ReferenceCase(row, material.entity(row.target("customer")), tuple(missing))


def _entries_of_nothing(material: Material, ledger: Ledger) -> dict[object, tuple[Missing, ...]]:
    """By its first line: each journal entry of which no line names an invoice that is known, by the number it names.

    Nothing is said where there are no invoices at all, nor of a number that two invoices share.
    """
    systems = {key.system for key in ledger.invoices}
    heard = [material.heard[each] for each in systems if each in material.heard]
    if not systems or len(heard) < len(systems):
        return {}
    known = {
        form
        for invoice in ledger.invoices.values()
        for form in number_forms(invoice.number) | number_forms(invoice.key.key)
    }
    entries: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for row in material.of_kind("posting"):
        entries[row.key.system, row.text("journal_entry") or row.key.key].append(row)
    found: dict[object, tuple[Missing, ...]] = {}
    for rows in entries.values():
        numbers = sorted({number for row in rows if (number := row.text("invoice_number"))})
        if numbers and not any(number_forms(number) & known for number in numbers):
            found[min(row.key for row in rows)] = (Missing("invoice", numbers[0], min(heard)),)
    return found
