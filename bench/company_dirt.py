"""How people and systems spoil what they type about a company. Each function depends on its random source only."""

from random import Random

from bench.company_words import SHORT_WORDS

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_PLAIN = str.maketrans("äöüÄÖÜáàâéèêëíîïóôúñçÉÁÓ", "aouAOUaaaeeeeiiiooun" + "cEAO")
#: What an ERP of the last century stores of a name.
ERP_NAME = 35


def folded(text: str, random: Random) -> str:
    """Without umlauts and accents, one way or the other."""
    return text.translate(_UMLAUTS if random.random() < 0.5 else _PLAIN).translate(_PLAIN)


def typo(text: str, random: Random) -> str:
    """One slip of the finger: a letter dropped, doubled, swapped with its neighbour, or another one."""
    if len(text) < 4:
        return text
    at = random.randrange(1, len(text) - 1)
    kind = random.random()
    if kind < 0.25:
        return text[:at] + text[at + 1 :]
    if kind < 0.45:
        return text[:at] + text[at] + text[at:]
    if kind < 0.75:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + random.choice("abcdefghiklmnoprstuvwz") + text[at + 1 :]


def shortened(words: list[str]) -> list[str]:
    """Words that people abbreviate, abbreviated."""
    return [SHORT_WORDS.get(word, word) for word in words]


def acronym(words: list[str]) -> str:
    """The initials of a name of three words and more."""
    return "".join(word[0].upper() for word in words if word[0].isalpha())


def mistyped(number: str, random: Random) -> str:
    """A number with two digits swapped, or one other digit."""
    places = [at for at, character in enumerate(number) if character.isdigit()]
    at = random.choice(places[:-1])
    if random.random() < 0.5 and number[at + 1].isdigit() and number[at + 1] != number[at]:
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:at] + str((int(number[at]) + random.randint(1, 9)) % 10) + number[at + 1 :]


def spaced(number: str, random: Random) -> str:
    """A number with blanks or dots, as people group digits."""
    mark = random.choice((" ", ".", ""))
    return mark.join(number[at : at + 3] for at in range(0, len(number), 3)) if mark else number
