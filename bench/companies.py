"""Company records with known truth and hard negatives, as rows of the four platforms. Deterministic by seed.

One true company has one to six records in CRM, billing, product platform and ERP, each spoiled in its platform's way.
Every tenth company belongs to a group whose companies share brand and often address, phone and domain, and have tax
numbers of their own; six in a hundred are called like another company. About one true pair in ten has nothing left in
common that a matcher could hold on to.

    python -m bench.companies --records 100000 --out DIR     # DIR/records.jsonl.gz and DIR/truth.csv
"""

import argparse
import csv
import gzip
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson

from bench import company_dirt as dirt
from bench.company_numbers import tax_number
from bench.company_words import BRANDS, DEPARTMENTS, FREE_MAIL, LANDS, Land
from mdm.model.ids import CrosswalkKey

_RECORDS = range(1, 7)
_RECORD_WEIGHTS = (36, 25, 17, 11, 7, 4)
#: Share of companies that are siblings in a group, and of those that are called like another company.
_SIBLINGS = 0.10
_NAMESAKES = 0.06
_PLATFORMS = ("crm", "billing", "erp", "product")
_PLATFORM_WEIGHTS = (34, 27, 25, 14)
_LAND_WEIGHTS = (20, 6, 15, 10, 6, 13, 9, 9, 12)


class Row(NamedTuple):
    """A row of a platform, as its reader hands it to standardisation, and the true company behind it."""

    key: CrosswalkKey
    row: dict[str, Any]
    company: int


@dataclass(frozen=True, slots=True)
class Place:
    """A postal address in its parts; `street` is the two halves of its name."""

    street: tuple[str, str]
    number: str
    postcode: str
    town: str


@dataclass(frozen=True, slots=True)
class Company:
    """The truth."""

    number: int
    land: Land
    words: tuple[str, ...]
    form: tuple[str, ...]
    tax: str
    place: Place
    former: Place | None
    phone: str
    domain: str | None


def rows(records: int, seed: int = 1) -> Iterator[Row]:
    """Exactly `records` rows in random order of companies; a company's rows follow one another."""
    random = Random(seed)  # noqa: S311 - a repeatable source is what is wanted
    left = records
    for company in companies(random):
        for serial in range(min(random.choices(_RECORDS, _RECORD_WEIGHTS)[0], left)):
            yield _record(company, f"{company.number:07d}{serial}", random)
            left -= 1
        if not left:
            return


def companies(random: Random) -> Iterator[Company]:
    """True companies without end; groups and namesakes among them."""
    number = 0
    recent: list[Company] = []
    while True:
        kind = random.random()
        # A group has three to five companies, of which the first counts as none of the siblings.
        if kind < _SIBLINGS / 3 and recent:
            head = random.choice(recent)
            for _ in range(random.randint(2, 4)):
                number += 1
                yield _sibling(head, number, random)
            continue
        number += 1
        company = _namesake(random.choice(recent), number, random) if recent and kind > 1 - _NAMESAKES else None
        company = company or _founded(number, random)
        if len(recent) < 2000:
            recent.append(company)
        else:
            recent[random.randrange(2000)] = company
        yield company


def _founded(number: int, random: Random) -> Company:
    land = random.choices(LANDS, _LAND_WEIGHTS)[0]
    words = _words(land, random)
    place = _place(land, random)
    return _company(number, land, words, random.choice(land.forms), place, random)


def _company(
    number: int, land: Land, words: tuple[str, ...], form: tuple[str, ...], place: Place, random: Random
) -> Company:
    return Company(
        number=number,
        land=land,
        words=words,
        form=form,
        tax=tax_number(land.code, random),
        place=place,
        former=_place(land, random) if random.random() < 0.12 else None,
        phone=_phone(random),
        domain=_domain(words, land, random) if random.random() < 0.85 else None,
    )


def _words(land: Land, random: Random) -> tuple[str, ...]:
    kind = random.random()
    trade = random.choice(land.trades)
    if kind < 0.30:
        return (random.choice(land.surnames), trade)
    if kind < 0.42:
        return (random.choice(land.surnames), "&" if random.random() < 0.6 else "und", random.choice(land.surnames))
    if kind < 0.55:
        return (random.choice(land.towns)[0].split()[0], random.choice(land.surnames), trade)
    if kind < 0.85:
        return (random.choice(BRANDS).title(), trade)
    if kind < 0.93:
        return (random.choice(BRANDS).title(), random.choice(BRANDS).title(), trade)
    return (random.choice(BRANDS).title(),)


def _sibling(head: Company, number: int, random: Random) -> Company:
    """Another company of the group: the brand, another line of business, and what the group shares."""
    line = random.choice(DEPARTMENTS) if random.random() < 0.7 else random.choice(head.land.towns)[0]
    kept = head.words[:1] if random.random() < 0.5 or len(head.words) > 3 else head.words
    # Some groups call two companies the same and tell them apart by their legal form only.
    words = head.words if random.random() < 0.12 else (*kept, line)
    place = head.place if random.random() < 0.6 else _place(head.land, random)
    return Company(
        number=number,
        land=head.land,
        words=words,
        form=random.choice(head.land.forms),
        tax=tax_number(head.land.code, random),
        place=place,
        former=None,
        phone=head.phone if random.random() < 0.5 else _phone(random),
        domain=head.domain if random.random() < 0.7 else _domain(words, head.land, random),
    )


def _namesake(other: Company, number: int, random: Random) -> Company:
    """A company that is called like another one and has nothing to do with it; sometimes of the same town."""
    place = _place(other.land, random)
    if random.random() < 0.3:
        place = Place(place.street, place.number, other.place.postcode[:2] + place.postcode[2:], other.place.town)
    form = other.form if random.random() < 0.7 else random.choice(other.land.forms)
    return _company(number, other.land, other.words, form, place, random)


def _place(land: Land, random: Random) -> Place:
    town, prefix = random.choice(land.towns)
    number = str(random.randint(1, 180))
    if random.random() < 0.08:
        number += random.choice("abc")
    return Place(random.choice(land.streets), number, _postcode(land, prefix, random), town)


def _postcode(land: Land, prefix: str, random: Random) -> str:
    unit = "".join(random.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))
    if land.code == "GB":
        return f"{prefix}{random.randint(1, 20)} {random.randint(1, 9)}{unit}"
    if land.code == "NL":
        return f"{prefix}{random.randint(10, 99)} {unit}"
    length = 4 if land.code in ("AT", "BE") else 5
    width = length - len(prefix)
    return f"{prefix}{random.randrange(10**width):0{width}d}"


def _phone(random: Random) -> str:
    """A national number without its leading zero."""
    return f"{random.randint(20, 89)}{random.randint(1_000_000, 9_999_999)}"


def _domain(words: Sequence[str], land: Land, random: Random) -> str:
    letters = [dirt.folded(word, random).lower() for word in words if word[0].isalpha() and word != "und"]
    kind = random.random()
    joint = "-" if kind < 0.35 else ""
    chosen = letters[:1] if kind > 0.85 else letters[:2]
    plain = joint.join("".join(c for c in word if c.isascii() and c.isalnum()) for word in chosen)
    return f"{plain or 'firma'}.{land.top_level if random.random() < 0.8 else 'com'}"


# --- records -------------------------------------------------------------------------------------------------------


def _record(company: Company, serial: str, random: Random) -> Row:
    platform = random.choices(_PLATFORMS, _PLATFORM_WEIGHTS)[0]
    place = company.former if company.former is not None and random.random() < 0.4 else company.place
    return _RECORD[platform](company, place, serial, random)


def _name(company: Company, random: Random, form: float, upper: float = 0.0) -> str:
    words = list(company.words)
    kind = random.random()
    if kind < 0.02 and len(words) >= 3:
        words = [dirt.acronym(words)]
    elif kind < 0.10:
        words = dirt.shortened(words)
    elif kind < 0.13 and len(words) > 1:
        words.reverse()
    elif kind < 0.16 and len(words) > 2:
        words.pop()
    text = " ".join(words)
    if random.random() < 0.08:
        text = dirt.typo(text, random)
    if random.random() < form:
        spelling = company.form[0] if random.random() < 0.6 else random.choice(company.form)
        text = f"{text} {spelling}"
    if random.random() < 0.2:
        text = dirt.folded(text, random)
    if random.random() < upper:
        text = text.upper()[: dirt.ERP_NAME]
    return text


def _street(place: Place, random: Random) -> str:
    first, second = place.street
    together = second in ("straße", "weg", "gasse", "platz", "straat", "laan", "plein")
    if random.random() < 0.35:
        second = {
            "straße": "str.", "straat": "str.", "Street": "St", "Road": "Rd", "Avenue": "Ave", "Lane": "Ln",
            "Boulevard": "Blvd", "Drive": "Dr",
        }.get(second, second)  # fmt: skip
        first = {"Avenue": "Av.", "Boulevard": "Bd", "Calle": "C/", "Avenida": "Avda.", "Via": "V."}.get(first, first)
    street = first + second if together else f"{first} {second}"
    if random.random() < 0.05:
        street = dirt.typo(street, random)
    return dirt.folded(street, random) if random.random() < 0.2 else street


def _line(place: Place, land: Land, random: Random) -> str:
    street = _street(place, random)
    return f"{place.number} {street}" if land.number_first else f"{street} {place.number}"


def _town(place: Place, random: Random) -> str:
    if random.random() < 0.04:
        return dirt.typo(place.town, random)
    return dirt.folded(place.town, random) if random.random() < 0.15 else place.town


def _number(company: Company, known: float, random: Random) -> str | None:
    if random.random() >= known:
        return None
    number = company.tax
    if random.random() < 0.03:
        number = dirt.mistyped(number, random)
    return dirt.spaced(number, random) if random.random() < 0.25 else number


def _call(company: Company, known: float, random: Random) -> str | None:
    if random.random() >= known:
        return None
    phone = _phone(random) if random.random() < 0.08 else company.phone
    if random.random() < 0.5:
        return f"{company.land.calling}{phone}"
    return f"{company.land.calling} {phone[:2]} {phone[2:5]} {phone[5:]}"


def _mail(company: Company, known: float, random: Random) -> str | None:
    if random.random() >= known:
        return None
    user = random.choice(("info", "office", "contact", "buchhaltung", "sales", "mail"))
    if company.domain is None or random.random() < 0.12:
        person = random.choice(company.land.surnames).lower()
        return f"{dirt.folded(person, random)}{random.randint(1, 9999)}@{random.choice(FREE_MAIL)}"
    return f"{user}@{company.domain}"


def _crm(company: Company, place: Place, serial: str, random: Random) -> Row:
    row: dict[str, Any] = {
        "name": _name(company, random, form=0.7),
        "billing_country": random.choice(company.land.spelt) if random.random() < 0.9 else None,
        "vat_number__c": _number(company, 0.30, random),
        "phone": _call(company, 0.5, random),
        "website": f"www.{company.domain}" if company.domain and random.random() < 0.55 else None,
    }
    if random.random() < 0.7:
        row |= {
            "billing_street": _line(place, company.land, random),
            "billing_postal_code": place.postcode,
            "billing_city": _town(place, random),
        }
    return Row(CrosswalkKey("crm", "account", f"001{serial}"), row, company.number)


def _billing(company: Company, place: Place, serial: str, random: Random) -> Row:
    number = _number(company, 0.55, random)
    kind = {"US": "us_ein", "GB": "gb_vat"}.get(company.land.code, "eu_vat")
    row: dict[str, Any] = {
        "name": _name(company, random, form=0.85),
        "email": _mail(company, 0.8, random),
        "phone": _call(company, 0.35, random),
        "address_country": company.land.code if random.random() < 0.95 else None,
        "tax_id": number,
        "tax_id_type": kind if number else None,
        "metadata": "{}",
    }
    if random.random() < 0.8:
        row |= {
            "address_line1": _line(place, company.land, random),
            "address_postal_code": place.postcode,
            "address_city": _town(place, random),
        }
    return Row(CrosswalkKey("billing", "customer", f"cus_{serial}"), row, company.number)


def _erp(company: Company, place: Place, serial: str, random: Random) -> Row:
    column = "tax_number" if company.land.code == "US" else "vat_number"
    row: dict[str, Any] = {
        "legal_name": _name(company, random, form=0.95, upper=0.4),
        column: _number(company, 0.9, random),
        "street": _street(place, random),
        "house_number": place.number,
        "postal_code": place.postcode,
        "city": _town(place, random),
        "country": company.land.code,
        "phone": _call(company, 0.4, random),
        "email": _mail(company, 0.3, random),
    }
    return Row(CrosswalkKey("erp", "business_partner", serial), row, company.number)


def _product(company: Company, place: Place, serial: str, random: Random) -> Row:
    del place
    row = {
        "display_name": _name(company, random, form=0.35),
        "country": company.land.code if random.random() < 0.7 else None,
        "admin_email": _mail(company, 0.9, random),
        "domain": company.domain if company.domain and random.random() < 0.6 else None,
    }
    key = f"00000000-0000-4000-8000-{serial:0>12}"
    return Row(CrosswalkKey("product", "tenant", key), row, company.number)


_RECORD = {"crm": _crm, "billing": _billing, "erp": _erp, "product": _product}


def main(arguments: Sequence[str]) -> int:
    """Write rows and truth into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        gzip.open(options.out / "records.jsonl.gz", "wb", compresslevel=3) as records,
        (options.out / "truth.csv").open("w", newline="", encoding="utf-8") as truth,
    ):
        writer = csv.writer(truth)
        writer.writerow(("system", "type", "key", "company"))
        for each in rows(options.records, options.seed):
            document = {"system": each.key.system, "type": each.key.type, "key": each.key.key, "row": each.row}
            records.write(orjson.dumps(document) + b"\n")
            writer.writerow((*each.key, each.company))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
