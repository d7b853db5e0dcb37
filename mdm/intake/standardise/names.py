"""The standardisers of names and legal forms."""

from mdm.intake.standardise.junk import why_no_name
from mdm.intake.standardise.legal_forms import class_in, legal_form_of
from mdm.intake.standardise.organisations import OrganisationName, organisation_name
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised


def name(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `organisation_name`: the first usable name, with all that comparison needs of it."""
    rejected = None
    for given in inputs:
        if not given.text.strip():
            continue
        found = organisation_name(given.text, context.country)
        if found is None:
            rejected = why_no_name(given.text)
            continue
        return Standardised(found.display, _comparison(found, context.country), rejected)
    return Standardised(rejected=rejected) if rejected else UNKNOWN


def _comparison(found: OrganisationName, country: str | None) -> dict[str, object]:
    comparison: dict[str, object] = {}
    if found.core is not None:
        comparison["name"] = found.core
        comparison["name_sorted"] = " ".join(sorted(found.core.split()))
        comparison["name_compact"] = found.core.replace(" ", "")
    if found.native is not None:
        comparison["name_native"] = found.native
    if found.form is not None and (form_class := class_in(found.form, country)) is not None:
        comparison["legal_form"] = form_class
    others = {*_cores(found.others, country), *filter(None, (found.shorter, found.reading))}
    if others:
        comparison["alternate_names"] = sorted(others)
    return comparison


def alternate_names(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `organisation_names`: additional names, and other names found inside the main one."""
    names: list[str] = []
    shorter: set[str] = set()
    for given in inputs:
        found = organisation_name(given.text, context.country) if given.text.strip() else None
        if found is not None:
            names += found.others if given.part == "others" else (found.display, *found.others)
            shorter |= {*filter(None, (found.shorter, found.reading))}
    if not names:
        return UNKNOWN
    unique = tuple(dict.fromkeys(names))
    cores = sorted(shorter.union(_cores(unique, context.country)))
    return Standardised(list(unique), {"alternate_names": cores} if cores else {})


def _cores(names: tuple[str, ...], country: str | None) -> list[str]:
    found = (organisation_name(name, country) for name in names)
    return sorted({name.core for name in found if name is not None and name.core is not None})


def legal_form(inputs: Inputs, context: Context) -> Standardised:
    """Standardiser `legal_form`: the first column that is a form, or a name that carries one."""
    for given in inputs:
        if not given.text.strip():
            continue
        form = legal_form_of(given.text)
        if form is None:
            found = organisation_name(given.text, context.country)
            form = found.form if found is not None else None
        if form is not None:
            form_class = class_in(form, context.country)
            return Standardised(form.display, {"legal_form": form_class} if form_class is not None else {})
    return UNKNOWN
