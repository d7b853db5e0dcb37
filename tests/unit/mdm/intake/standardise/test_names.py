"""Two spellings of one company have one core; two companies keep two."""

import pytest

from mdm.intake.standardise.organisations import organisation_name
from tests.unit.mdm.intake.standardise.given import standardised


def core(name: str, country: str | None = None) -> str | None:
    found = organisation_name(name, country)
    return found.core if found is not None else None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Siemens Aktiengesellschaft", "SIEMENS AG"),
        ("Müller Maschinen GmbH", "Mueller Maschinen Ges.m.b.H."),
        ("Müller Maschinen GmbH", "MULLER MASCHINEN"),
        ("Rose & Klemt GmbH & Co. KG", "Rose und Klemt GmbH + Co KG"),
        ("SARL Bouvier France", "Bouvier France S.A.R.L."),
        ("Sté Bouvier France", "BOUVIER FRANCE"),
        ("Société par actions simplifiée Bouvier", "Bouvier"),
        ("Falros, LLC", "Falros Limited Liability Company"),
        ("Pezzi S. r. l.", "Pezzi Società a responsabilità limitata"),
        ("Mobilus Sp. z o.o.", "Mobilus Spółka z ograniczoną odpowiedzialnością"),
        ("Strnad spol. s r.o.", "Strnad s.r.o."),
        ("Pvt. Parts Private Limited", "Pvt. Parts (P) Ltd."),
        ("Timber Co., Ltd.", "TIMBER CO.,LTD"),
        ("Procter & Gamble Company", "Procter and Gamble Co"),
        ("The Walt Disney Company", "Walt Disney Co."),
        ("Nordic Int'l Mfg Ltd", "Nordic International Manufacturing Limited"),
        ("Nordic Tech. Inc.", "Nordic Technologies, Incorporated"),
        ("Acme Deutschland GmbH", "ACME GERMANY"),
        ("Acme DE GmbH", "Acme Deutschland"),
        ("PT. Nusantara Abadi (Persero) Tbk", "Nusantara Abadi"),
        ("★ Acme ★ GmbH", "Acme GmbH"),
    ],
)
def test_variants_of_one_name_share_their_core(one: str, other: str) -> None:
    assert core(one) == core(other) is not None


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("*** Acme Tools ***", "Acme Tools"),
        ("Acme Tools - DO NOT USE", "Acme Tools"),
        ("Acme Tools - Account Paysble", "Acme Tools"),
        ("Acme Tools - Account Planning", "Acme Tools - Account Planning"),
        ("Acme Tools Ltd (old)", "Acme Tools Ltd"),
        ("Acme Tools Ltd / HQ", "Acme Tools Ltd"),
        ("Acme Tools Ltd #2", "Acme Tools Ltd"),
        ("Acme Tools S.A. - Accounts Payable", "Acme Tools S.A."),
        ("c/o Acme Tools", "Acme Tools"),
        ("Acme Tools (United States)", "Acme Tools"),
        ("Acme Tools Inc., Columbus", "Acme Tools Inc."),
        ("Acme Tools Inc. US", "Acme Tools Inc."),
        ("Acme Tools, Leipzig", "Acme Tools"),
        ("Acme\u00a0Tools\t GmbH ", "Acme Tools GmbH"),
        ("Acme T&ouml;ols GmbH", "Acme Töols GmbH"),
        ("Acme SpÃ³Å‚ka komandytowa", "Acme Sp. k."),
    ],
)
def test_marks_places_and_damage_are_taken_off(marked: str, plain: str) -> None:
    assert core(marked) == core(plain) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AG Barr plc", "ag barr"),
        ("Spa Medica", "spa medica"),
        ("SAS Institute Inc.", "sas institute"),
        ("Alpha Umbrella Sub-Fund  # 57", "alpha umbrella sub fund 57"),  # no mark of a second row, as in the next
        ("Wellpost #3", "wellpost"),
        ("NV Energy", "nv energy"),
        ("AS Roma S.p.A.", "as roma"),
        ("Limited Brands, Inc.", "limited brands"),
        ("AO Smith", "ao smith"),
        ("Acme IT", "acme it"),
    ],
)
def test_a_form_word_inside_a_name_belongs_to_it(name: str, expected: str) -> None:
    assert core(name) == expected


def test_a_city_that_distinguishes_branches_is_kept() -> None:
    assert core("Acme Coffee Bordeaux SARL") != core("Acme Coffee Marseille SARL")


def test_vowels_that_are_no_umlaut_stay_two_letters() -> None:
    assert core("Blue Avenue Queen Oers") == "blue avenue queen oers"


@pytest.mark.parametrize(
    ("native", "latin", "country"),
    [
        ("株式会社田中運輸", "tanaka unyu", "JP"),
        ("㈱田中運輸", "tanaka unyu", None),
        ("田中運輸 K.K.", "tanaka unyu", None),
        ("北京天泰印刷有限公司", "beijing tiantai printing", "CN"),
        ("北京天泰印刷 CO.,LTD", "beijing tiantai printing", None),
        ("ТОВ Київ Метал", "kyiv metal", "UA"),
        ("ООО Ромашка", "romashka", "RU"),
        ("АО Ромашка", "romashka", "RU"),
        ("Ελληνικά Πετρέλαια Α.Ε.", "ellinika petrelaia", "GR"),
        ("田中運輸(株)", "tanaka unyu", "JP"),
        ("田中運輸（有）", "tanaka unyu", "JP"),
        ("K.K. Tanaka Unyu", "tanaka unyu", "JP"),
        ("Tanaka Unyu (Kabushiki Kaisha)", "tanaka unyu", "JP"),
        ("삼성전자(주)", "samsung electronics", "KR"),
        ("유한책임회사 삼성전자", "samsung electronics", "KR"),
        ("신영물류 주식회사", "shinyoung logistics", "KR"),
        ("현대중공업", "hyundai heavy industries", "KR"),
        ("Inc. 대한산업", "dahan industries", "KR"),
        ("Co., Ltd. 아람식품", "aram foods", "KR"),
        ("한빛", "hanbit", "KR"),
        ("PT Maju Jaya", "maju jaya", "ID"),
        ("АТ Ромашка", "romashka", "UA"),
        ("Товариство з обмеженою відповідальністю «Ромашка»", "romashka", "UA"),
        ("Публичное акционерное общество Ромашка", "romashka", "RU"),
        ("AO Romashka", "romashka", "RU"),
        ("บริษัท สยาม จำกัด (มหาชน)", "syam", "TH"),
    ],
)
def test_names_in_other_scripts_have_the_latin_form_their_owners_use(native: str, latin: str, country: str) -> None:
    assert core(native, country) == latin


def test_japanese_characters_are_never_read_as_chinese() -> None:
    found = organisation_name("株式会社漢字不明", "JP")

    assert found is not None
    assert found.core is None
    assert found.native == "漢字不明"


@pytest.mark.parametrize(
    ("one", "other", "country", "same"),
    [
        ("राम स्टील", "रोम स्टील", "IN", False),
        ("ไทยยูเนี่ยน", "ไทยยานเนน", "TH", False),
        ("شركة النُّور", "شركة النور", "AE", True),
        ("شركة النور للتجارة ذ.م.م", "شركة النور للتجارة", "AE", True),
        ('השמש שיווק בע"מ', "השמש שיווק", "IL", True),
        ("ไทยยูเนี่ยน จำกัด (มหาชน)", "ไทยยูเนี่ยน", "TH", True),
        ("Παπαδόπουλος Ο.Ε.", "Παπαδόπουλος ΟΕ", "GR", True),
    ],
)
def test_native_names_are_the_same_but_for_what_may_be_left_out(one: str, other: str, country: str, same: bool) -> None:
    first, second = organisation_name(one, country), organisation_name(other, country)

    assert first is not None
    assert second is not None
    assert (first.native == second.native) is same


@pytest.mark.parametrize("written", ["Becker & Söhne Bau KG", "Becker u. Söhne Bau", "Becker und Söhne Bau"])
def test_what_joins_words_is_no_word(written: str) -> None:
    assert core(written, "DE") == core("Becker Söhne Bau GmbH", "DE")


def test_a_letter_among_initials_joins_nothing() -> None:
    assert core("Thomas U S Steel", "US") != core("Thomas S Steel", "US")


def test_the_native_form_is_kept_beside_the_latin_one() -> None:
    comparison = standardised("organisation_name", "株式会社田中運輸", country="JP").comparison

    assert comparison["name_native"] == "田中運輸"
    assert comparison["legal_form"] == "jsc"


@pytest.mark.parametrize(
    "junk", ["TBD", "N/A", "test", "Unknown", "xxx", "-", "...", "ERASED-081435", "Test Company", "no name", "0000"]
)
def test_junk_is_no_name(junk: str) -> None:
    result = standardised("organisation_name", junk)

    assert (result.value, result.rejected) == (None, "PLACEHOLDER")
    assert result.comparison == {}


def test_the_value_is_what_people_wrote_without_damage_and_marks() -> None:
    assert standardised("organisation_name", "***  Müller &amp; Söhne GmbH *** ").value == "Müller & Söhne GmbH"


def test_trading_and_former_names_become_alternates() -> None:
    result = standardised("organisation_names", others="Foo Ltd t/a Wonder Tools (formerly Bar LLC)")

    assert result.value == ["Wonder Tools", "Bar LLC"]
    assert result.comparison["alternate_names"] == ["bar", "wonder tools"]


@pytest.mark.parametrize(
    ("written", "display", "form_class"),
    [
        ("GesmbH", "GmbH", "llc"),
        ("S.p.A.", "S.p.A.", "jsc"),
        ("㈱", "株式会社", "jsc"),
        ("Acme Besloten Vennootschap", "B.V.", "llc"),
        ("Acme Incorporated", "Inc.", "corp"),
        ("Acme L.P.", "LP", "lp"),
    ],
)
def test_a_legal_form_is_found_alone_or_at_the_end_of_a_name(written: str, display: str, form_class: str) -> None:
    result = standardised("legal_form", written)

    assert result.value == display
    assert result.comparison == {"legal_form": form_class}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Acme (S) Pte Ltd", "acme"),
        ("Acme (S) Pte. Ltd.", "acme"),
        ("Acme Pte. (S) Ltd", "acme"),
        ("Acme(M)Sdn. Bhd.", "acme"),
        ("Acme Tools (M) Berhad", "acme tools"),
        # Elsewhere, and with the other country's form, a letter in brackets is part of the name.
        ("Acme (S) GmbH", "acme s"),
        ("Acme (S) Ltd", "acme s"),
        ("Acme (M) Pte Ltd", "acme m"),
        ("(S) Pte Ltd", "s"),
    ],
)
def test_the_letter_of_the_country_belongs_to_the_forms_of_singapore_and_malaysia(given: str, expected: str) -> None:
    assert core(given) == expected


@pytest.mark.parametrize(
    ("country", "english", "own", "conflict"),
    [
        ("JP", "Tanaka Co., Ltd.", "田中株式会社", False),
        ("JP", "Tanaka Corporation", "田中株式会社", False),
        ("JP", "Tanaka K.K.", "田中(株)", False),
        ("JP", "Tanaka G.K.", "田中株式会社", True),
        ("KR", "Hanguk Co., Ltd.", "한국(주)", False),
        ("KR", "Hanguk Inc.", "한국 주식회사", False),
        ("CN", "Tiantai Co., Ltd.", "天泰有限公司", False),
        ("CN", "Tiantai Co., Ltd.", "天泰股份有限公司", False),
        ("CN", "天泰有限责任公司", "天泰股份有限公司", True),
        ("TW", "Tiantai Co., Ltd.", "天泰股份有限公司", False),
        ("TH", "Siam Co., Ltd.", "บริษัท สยาม จำกัด", False),
        ("TH", "Siam Co., Ltd.", "บริษัท สยาม จำกัด (มหาชน)", True),
        ("SG", "Acme Pte. Ltd.", "Acme Ltd.", False),
        ("MY", "Acme Sdn. Bhd.", "Acme Berhad", True),
        ("ID", "PT Acme", "PT Acme Tbk", False),
        ("UA", "Romashka LLC", "ТОВ Ромашка", False),
        ("RU", "Romashka JSC", "ПАО Ромашка", False),
        ("RU", "Romashka LLC", "АО Ромашка", True),
        ("GB", "Acme Ltd", "Acme plc", True),
    ],
)
def test_a_form_in_english_is_no_other_form_than_the_one_that_it_translates(
    country: str, english: str, own: str, conflict: bool
) -> None:
    forms = [standardised("legal_form", each, country=country).comparison.get("legal_form") for each in (english, own)]

    assert (None not in forms and forms[0] != forms[1]) is conflict


@pytest.mark.parametrize("country", ["JP", None])
def test_a_form_that_may_be_any_is_still_shown(country: str | None) -> None:
    found = standardised("legal_form", "Tanaka Co., Ltd.", country=country)

    assert (found.value, found.comparison) == ("Co., Ltd.", {})


@pytest.mark.parametrize("empty", ["😀", "★★★", "GmbH", "GmbH & Co. KG", "(株)", "㈱", "Ltd.", "株式会社"])
def test_symbols_and_a_form_alone_say_nothing(empty: str) -> None:
    result = standardised("organisation_name", empty)

    assert (result.value, result.rejected, result.comparison) == (None, "SAYS_NOTHING", {})


@pytest.mark.parametrize("name", ["CIC", "SE", "Müller 😀 GmbH", "№ 1 Bau GmbH", "Acme® GmbH"])
def test_letters_beside_symbols_and_forms_that_are_names_stay_names(name: str) -> None:
    assert core(name) is not None
    assert "grinning" not in str(core(name))


def test_a_name_without_a_form_has_none() -> None:
    assert standardised("legal_form", "Acme").value is None


@pytest.mark.parametrize(
    ("country", "name", "core"),
    [
        ("SE", "AB Volvo", "volvo"),
        ("DE", "GmbH Müller", "muller"),
        ("FR", "SA Dupont", "dupont"),
        ("FR", "SAS Dupont", "dupont"),
        ("US", "Société par actions simplifiée Dupont", "dupont"),
        ("EE", "AS Tallink", "tallink"),
        ("FI", "Oy Karl Fazer Ab", "karl fazer"),
        ("FI", "Ab Rani Plast Oy", "rani plast"),
        ("FI", "Oy Hartwall Oy", "hartwall"),
        ("EE", "OÜ Tallinna Vesi", "tallinna vesi"),
        ("JP", "Kato Insatsu Zhu Shi Hui She", "kato insatsu"),  # the form letter by letter, by a machine
        ("DE", "Nordwind Dtl. GmbH", "nordwind germany"),
        ("US", "SAS Institute", "sas institute"),
        ("SG", "SIA Cargo", "sia cargo"),
        (None, "SAS Institute", "sas institute"),
        (None, "SIA Cargo", "sia cargo"),
        (None, "SAS Institute Ltd", "sas institute"),
        (None, "SARL Dupont", "dupont"),
        (None, "Dupont SAS", "dupont"),
        ("IT", "AS Roma", "as roma"),
        ("AU", "SA Power Networks", "sa power networks"),
        ("GB", "AB Foods", "ab foods"),
    ],
)
def test_a_form_stands_first_only_where_the_law_puts_it_there(country: str | None, name: str, core: str) -> None:
    """Elsewhere the same letters are initials, and may be where no country is known."""
    assert standardised("organisation_name", name, country=country).comparison["name"] == core


@pytest.mark.parametrize(
    ("country", "name", "others"),
    [
        (None, "SAS Dupont", ["dupont"]),
        (None, "SAS SCI Dupont", ["sci dupont"]),
        (None, "SARL Dupont", None),
        (None, "SAS Institute Inc.", None),
        ("FR", "SAS Dupont", None),
        ("US", "SAS Institute", None),
    ],
)
def test_initials_that_may_be_a_form_are_left_out_of_another_name(
    country: str | None, name: str, others: list[str] | None
) -> None:
    """Where no country is known: whoever calls it by the form at the end, or by none, finds it, too."""
    found = standardised("organisation_name", name, country=country)
    assert found.comparison.get("alternate_names") == others
    also = standardised("organisation_names", name, country=country)
    assert also.comparison["alternate_names"] == sorted({found.comparison["name"], *(others or ())})
    assert also.value == [name], "what is shown is what was given"


@pytest.mark.parametrize(
    ("country", "name", "form_class"),
    [
        ("AT", "Acme Tools e.U.", "soleprop"),
        ("AT", "Acme Tools OG", "gp"),
        ("AU", "Acme Tools P/L", "llc"),
        ("BE", "Acme Tools Comm.V", "lp"),
        ("BR", "Acme Tools Ltda - ME", "llc"),
        ("CH", "Acme Tools Ltd", "jsc"),
        ("CH", "Genossenschaft Acme Tools", "coop"),
        ("DK", "Acme Tools I/S", "gp"),
        ("ES", "Acme Tools S.L. Unipersonal", "llc"),
        ("FI", "Acme Tools Abp", "jsc"),
        ("GR", "Acme Tools P.C.", "llc"),
        ("US", "Acme Tools P.C.", "corp"),
        ("HU", "Acme Tools Zártkörűen Működő Részvénytársaság", "jsc"),
        ("IE", "Acme Tools Teoranta", "llc"),
        ("IT", "Acme Tools S.n.c. di Mario Rossi & C.", "gp"),
        ("IT", "Acme Tools S.r.l. a socio unico", "llc"),
        ("JP", "㈱ Acme Tools", "jsc"),
        ("JP", "Co., Ltd. Acme Tools", None),
        ("KR", "Inc. Acme Tools", "jsc"),
        ("MX", "Acme Tools SRL de CV", "llc"),
        ("NO", "Acme Tools DA", "gp"),
        ("PT", "Acme Tools Unipessoal, Lda", "llc"),
        ("RU", "ИП Acme Tools", "soleprop"),
        ("UA", "LLC Acme Tools", "llc"),
        # Mistyped.
        ("GB", "Acme Tools Limted", "llc"),
        ("DE", "Acme Tools Gmbhh", "llc"),
        ("US", "Acme Tools Incorporatd", "corp"),
        ("IN", "Acme Tools Pvt. imited", "llc"),
        ("DE", "Acme Tools GmbH & Co. Kommanditgeslelschaft", "lp"),
        ("TR", "Acme Tools San. ve Dış Tic. Ltd. Şti.", "llc"),
        ("TR", "Acme Tools TR", None),
        # Wound up.
        ("DE", "Acme Tools GmbH i.L.", "llc"),
        ("IT", "Acme Tools S.r.l. in liquidazione", "llc"),
        ("PL", "Acme Tools Sp. z o.o. w likwidacji", "llc"),
        ("TR", "Tasfiye Halinde Acme Tools Ltd. Şti.", "llc"),
        # What people write around it.
        ("HU", "Acme Tools Kft. - HUF", "llc"),
        ("IN", "M/s. Acme Tools", None),
        ("IN", "Acme Tools (Prop. Ram Kumar)", None),
        ("DE", "Firma Acme Tools Inh. Peter Müller", None),
        ("MX", "Empresa Acme Tools S.A.", "jsc"),
    ],
)
def test_forms_and_additions_of_many_countries_leave_one_core(country: str, name: str, form_class: str | None) -> None:
    comparison = standardised("organisation_name", name, country=country).comparison

    assert comparison["name"] == "acme tools"
    assert comparison.get("legal_form") == form_class


@pytest.mark.parametrize(
    ("country", "name", "expected"),
    [
        ("DE", "Acme EU", "acme eu"),
        ("NO", "Berg og Sønner", "berg sonner"),
        ("BE", "Racing SC BV", "racing sc"),
        ("US", "Liquidation World Inc", "liquidation world"),
        ("GB", "Acme Prop. Ltd", "acme properties"),
        ("GB", "Acme Smth", "acme smth"),
        ("IN", "Cash IN", "cash in"),
        ("DE", "Acme Tools DE", "acme tools germany"),
        ("DE", "Solar Park 3 B", "solar park 3 b"),
        ("LU", "Acme Fund V", "acme fund v"),
    ],
)
def test_what_is_a_form_elsewhere_is_a_word(country: str, name: str, expected: str) -> None:
    assert core(name, country) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("F.lli Rossi", "Fratelli Rossi"),
        ("Etablissements Dupont et Fils", "Ets Dupont & Fils"),
        ("Gebr. Heinemann", "Gebrüder Heinemann"),
        ("Bakkerij v.d. Berg", "Bakkerij van den Berg"),
        ("PHU Kowalski", "Przedsiębiorstwo Handlowo-Usługowe Kowalski"),
        ("F.H. Nowak", "Firma Handlowa Nowak"),
        ("Bostadsrättsföreningen Solen 2", "BRF Solen 2"),
        ("1st National Bank", "First National Bank"),
        ("3 M Deutschland", "3M Deutschland"),
        ("Shree Balaji Traders", "Sri Balaji Traders"),
    ],
)
def test_abbreviations_of_many_countries_are_the_words_that_they_stand_for(one: str, other: str) -> None:
    assert core(one) == core(other) is not None


def test_the_value_still_says_that_a_company_is_wound_up() -> None:
    assert (
        standardised("organisation_name", "Acme GmbH in Liquidation", country="DE").value == "Acme GmbH in Liquidation"
    )


def test_a_greek_name_is_compared_in_both_of_its_latin_forms() -> None:
    comparison = standardised("organisation_name", "Παπαδόπουλος & Ευαγγέλου Α.Ε.", country="GR").comparison

    assert comparison["name"] == core("Papadopoylos & Eyaggeloy S.A.", "GR")
    assert comparison["alternate_names"] == [core("Papadopoulos & Evangelou S.A.", "GR")]


def test_a_korean_name_is_spelt_as_its_owners_do() -> None:
    assert core("(주)현대건설", "KR") == core("Hyundai Construction Co., Ltd.", "KR")
