"""Words of company names that tell companies of one house apart: numbers, letters of a series, and what it is for."""

from collections.abc import Sequence

from matching.features.values import distinct

# Single letters are initials, except at the end of a name (`Fund V`); beyond 39 numerals look like words.
_ONES = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_NUMERALS = {f"{'x' * tens}{ones}": str(10 * tens + one) for tens in range(4) for one, ones in enumerate(_ONES)}
_ROMAN = {numeral: number for numeral, number in _NUMERALS.items() if len(numeral) > 1}

# Numbers written out, from one to ten, as series of companies are named by them.
_COUNTED = (
    "one two three four five six seven eight nine ten",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "eins zwei drei vier funf sechs sieben acht neun zehn",
    "erste zweite dritte vierte funfte sechste siebte achte neunte zehnte",
    "un deux trois quatre cinq six sept huit neuf dix",
    "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "uno due tre quattro cinque sei sette otto nove dieci",
)
_WRITTEN = {word: str(number) for words in _COUNTED for number, word in enumerate(words.split(), start=1)}

# What the letter of a series follows, where it does not end the name.
_BEFORE_A_LETTER = "series serie class classe klasse tranche fund fonds compartment phase section lot los teil part"
_SERIES = frozenset(_BEFORE_A_LETTER.split())

_PURPOSES = """
    holding holdings beteiligung beteiligungs beteiligungen beteiligungsgesellschaft besitz besitzgesellschaft
    verwaltung verwaltungs verwaltungsgesellschaft vermogensverwaltung immobilien grundbesitz grundstucks
    grundstucksgesellschaft realty property properties estate vastgoed beheer deelnemingen participation
    participations participaties partecipazioni participaciones immobiliere immobiliare inmobiliaria fonciere
    patrimoine nieruchomosci ejendomme fastigheter eiendom kiinteisto leasing treasury stiftung foundation stichting
    pension pensions pensionskasse fund funds fonds fondo trust ventures
    stiftelse stiftelsen fonden saatio fundacja nadace alapitvany fundatia fundacion fundacao fondazione fondation vakfi
    nemovitosti nehnutelnosti vagyonkezelo imobiliare imobiliaria gayrimenkul majatkowa participacoes omistus sijoitus
"""
#: What a company is for that is not the house itself: who holds, owns, lets, finances or endows.
STRUCTURE = frozenset(_PURPOSES.split())

_BRANCHES = """
    netz netze netzgesellschaft networks network grid reseau reseaux reti redes natverk nett verkko
    service services servicegesellschaft dienstleistungen dienstleistung servizi servicios servicos diensten uslugi
    tjanster tjenester palvelut sluzby szolgaltato szolgaltatas hizmetleri facility facilities maintenance wartung
    vertrieb vertriebs vertriebsgesellschaft sales verkauf ventes vendite ventas vendas verkoop sprzedaz forsaljning
    handel handels handelsgesellschaft trading trade retail export import commerce commercio comercio distribution
    produktion produktions production produccion producao produzione manufacturing industries fabrication
    logistics logistik logistiek logistyka transport spedition shipping rederi
    energy energie energia energi strom gas wasser water abwasser wastewater solar wind warme heat fernwarme
    verkehr verkehrsbetriebe mobility mobilitat bus parking parkhaus baeder bader entsorgung recycling umwelt waste
    technik technology technologies technical systems solutions digital software it informatik data cloud
    consulting beratung advisory management media medien marketing verlag publishing
    finance financial finanz finanzen bank capital investments insurance versicherung versicherungen assurance
    security sicherheit safety engineering ingenieure construction bau development entwicklung infrastructure
    health healthcare care pflege medical mvz reha labor laboratories research forschung innovation
    akademie academy training education bildung school schule personal personnel staffing zeitarbeit recruitment
    catering gastronomie hotel hotels reisen travel tourism tourismus wohnen wohnbau wohnungsbau housing
    telecom telekommunikation telecommunications international global export foods food chemicals pharmaceuticals
    textiles packaging verpackung printing automotive motors marine aviation electronics machinery equipment parts
    robotics pharma agro agrar agriculture farms
        budownictwo handlowa inwestycje ubezpieczenia doradztwo drukarnia zywnosc rolnictwo motoryzacja maszyny
    opakowania     stavby stavebni obchod vyroba doprava tiskarna potraviny strojirna strojirenstvi obaly poradenstvi
    zemedelstvi     epitoipari kereskedelmi kereskedelem szallitmanyozo elelmiszer nyomda ingatlan tanacsado szoftver
    biztosito gepipari     vegyipari mezogazdasagi egeszsegugyi constructii servicii comert transporturi tipografie
    imobiliare consultanta     insaat ticaret sanayi nakliyat lojistik gida tekstil enerji otomotiv makina makine
    elektrik kimya sigorta     danismanlik yazilim turizm ambalaj matbaa saglik guvenlik tarim construcao construcoes
    distribuidora imoveis consultoria seguros     alimentos informatica grafica moveis embalagens agropecuaria
    engenharia construcciones distribuciones alimentacion     consultores maquinaria quimica envases ingenieria
    muebles bodegas farmaceutica farmaceutici costruzioni edilizia     alimentari consulenza assicurazioni meccanica
    chimica imballaggi ingegneria batiment travaux alimentaire sante     assurances informatique mecanique chimie
    emballage ingenierie conseil imprimerie bygg byggeri forsikring radgivning     konsult livsmedel fodevarer maskin
    maskiner tryk tryckeri trykkeri rakennus kuljetus kauppa elintarvike kirjapaino     vakuutus teollisuus sahko bouw
    vervoer voeding verzekeringen advies drukkerij verpakkingen techniek zorg     druck druckerei haustechnik
    lebensmittel maschinenbau elektro elektrotechnik chemie kataskeves kataskeyes emporia     metafores trofima
    oinopoiia farmaka symvouloi symvoyloi ypiresies energeia asfaleies
"""
#: What a part of a house does, by which it is told from the house and from its other parts.
ROLES = STRUCTURE | frozenset(_BRANCHES.split())


def numbers_in(words: Sequence[str]) -> tuple[str, ...]:
    """The numbers that words of a name are (`Fund III` is 3), and letters of series (`Fund B`, `Series B Notes`)."""
    found = [number for word in words if (number := _number(word))]
    last = len(words) - 1
    for place, word in enumerate(words[1:], start=1):
        if len(word) == 1 and word.isalpha() and (place == last or words[place - 1] in _SERIES):
            found.append(_NUMERALS.get(word, word))
    return distinct(found)


def _number(word: str) -> str | None:
    return (word.lstrip("0") or "0") if word.isdigit() else _ROMAN.get(word) or _WRITTEN.get(word)
