"""Valid tax numbers by country, in the form in which companies write them."""

from random import Random

from stdnum.at import uid
from stdnum.de import vat as german
from stdnum.es import cif
from stdnum.it import iva


def tax_number(country: str, random: Random) -> str:
    """A number of the right form with right check digits; two companies practically never get the same."""
    return _BY_COUNTRY[country](random)


def _digits(random: Random, length: int) -> str:
    return str(random.randint(10 ** (length - 1), 10**length - 1))


def _german(random: Random) -> str:
    number = _digits(random, 8)
    return f"DE{number}{german.mod_11_10.calc_check_digit(number)}"


def _austrian(random: Random) -> str:
    number = _digits(random, 7)
    return f"ATU{number}{uid.calc_check_digit('U' + number)}"


def _french(random: Random) -> str:
    number = _digits(random, 8)
    siren = int(number + _luhn(number))
    return f"FR{(12 + 3 * (siren % 97)) % 97:02d}{siren:09d}"


def _luhn(number: str) -> str:
    total = sum(sum(divmod(2 * int(digit), 10)) if at % 2 == 0 else int(digit) for at, digit in enumerate(number[::-1]))
    return str(-total % 10)


def _dutch(random: Random) -> str:
    while True:
        number = _digits(random, 9)
        # Since 2020 numbers may also pass ISO 7064 instead of the older weighted sum; here they pass the latter.
        rest = sum(int(digit) * weight for digit, weight in zip(number[:8], range(9, 1, -1), strict=True)) % 11
        if rest < 10:
            return f"NL{number[:8]}{rest}B01"


def _belgian(random: Random) -> str:
    number = int("0" + str(random.randint(4_000_000, 9_999_999)))
    return f"BE{number:08d}{97 - number % 97:02d}"


def _italian(random: Random) -> str:
    number = f"{random.randint(1, 9_999_999):07d}{random.randint(1, 100):03d}"
    return f"IT{number}{iva.luhn.calc_check_digit(number)}"


def _spanish(random: Random) -> str:
    number = random.choice("ABEFG") + f"{random.randint(1_000_000, 9_999_999)}"
    return f"ES{number}{cif.calc_check_digits(number)[0]}"


def _british(random: Random) -> str:
    number = _digits(random, 7)
    total = sum(int(digit) * weight for digit, weight in zip(number, range(8, 1, -1), strict=True))
    return f"GB{number}{97 - total % 97:02d}"


def _american(random: Random) -> str:
    prefix = random.choice(("20", "26", "27", "45", "46", "47", "81", "82", "83", "84", "33", "35", "36", "75", "76"))
    return f"{prefix}-{random.randint(1_000_000, 9_999_999)}"


_BY_COUNTRY = {
    "DE": _german,
    "AT": _austrian,
    "FR": _french,
    "NL": _dutch,
    "BE": _belgian,
    "IT": _italian,
    "ES": _spanish,
    "GB": _british,
    "US": _american,
}
