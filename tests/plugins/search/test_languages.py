"""What people type finds what was written, in the languages and notations of a CRM."""

import pytest

from tests.plugins.search.conftest import opened

PERSON = ("Jane Doe", ("jane.doe@acme.com", "+358 40 123 4567"), "")
PRODUCT = ("Pumppu", ("AB-1234-X",), "")
INVOICE = ("Lasku", ("INV-2026-0042",), "")

#: (what is typed, (title, identifiers, body)); each must be found.
FOUND = [
    # Finnish
    ("sopimus", ("", (), "Sopimuksen allekirjoitus viivästyi")),
    ("sopimus", ("", (), "Lähetimme sopimukset")),
    ("sopimusta", ("", (), "uusia sopimuksia")),
    ("asiakas", ("", (), "soitin asiakkaille")),
    ("asiakkaat", ("", (), "tärkeä asiakas")),
    ("tilaus", ("", (), "avointen tilausten lista")),
    ("lasku", ("", (), "maksamattomat laskut ja laskujen kopiot")),
    ("yritys", ("", (), "tarjous yritykselle")),
    ("käydä", ("", (), "kävimme tehtaalla")),
    ("mies", ("", (), "miehet")),
    ("Helsinki", ("", (), "tapaaminen Helsingissä")),
    ("toimitusaikataulu", ("", (), "sovittiin toimitusaikataulusta")),
    ("maksuehto", ("", (), "puhuttiin maksuehdoista")),
    ("käyttöohje", ("", (), "lähetä käyttöohjeet")),
    ("kayttoohje", ("", (), "käyttöohje liitteenä")),
    ("tilaus asiakas", ("", (), "asiakkaan tilaukset myöhässä")),
    ("EU", ("", (), "EU:n säädökset")),
    ("EU:n", ("", (), "EU vaatii")),
    ("Virtanen", ("Virtanen Oy", (), "")),
    # Words that are parts of others, and verbs
    ("sopimus", ("", (), "asiakassopimuksen liite")),
    ("sopimus", ("", (), "sopimusluonnokset")),
    ("luonnos", ("", (), "sopimusluonnokset")),
    ("pumppu", ("", (), "uusi lämpöpumppu")),
    ("lasku", ("", (), "ostolaskut")),
    ("varasto", ("", (), "keskusvarastolta")),
    ("venttiili", ("", (), "palloventtiilit")),
    ("toimittaa", ("", (), "on toimitettu")),
    ("maksaa", ("", (), "lasku maksettu")),
    ("lähettää", ("", (), "tarjous lähetetty")),
    ("Mäkinen", ("", (), "Mäkisen kanssa")),
    ("Järvinen", ("Järvisen Putki Oy", (), "")),
    # Swedish
    ("bok", ("", (), "två böcker")),
    ("köpa", ("", (), "de köpte pumpar")),
    ("skriva", ("", (), "han skrev")),
    ("stad", ("", (), "städerna")),
    ("räkning", ("", (), "räkningarna")),
    ("kund", ("", (), "vi ringde kunderna")),
    ("avtal", ("", (), "avtalet löper ut")),
    ("faktura", ("", (), "fakturorna saknas")),
    ("goteborg", ("", (), "möte i Göteborg")),
    ("Åkesson", ("Hans Åkesson", (), "")),
    ("hans akesson", ("Hans Åkesson", (), "")),
    # German
    ("Vertrag", ("", (), "die neuen Verträge")),
    ("Rechnung", ("", (), "offene Rechnungen")),
    ("Haus", ("", (), "zwei Häuser")),
    ("mueller", ("Müller GmbH", (), "")),
    ("muller", ("Müller GmbH", (), "")),
    ("Müller", ("Mueller GmbH", (), "")),
    ("strasse", ("", (), "Lange Straße 5")),
    ("Straße", ("", (), "Lange Strasse 5")),
    ("kaufen", ("", (), "wurde gekauft")),
    ("schreiben", ("", (), "hat geschrieben")),
    ("Buch", ("", (), "die Bücher")),
    ("gehen", ("", (), "sie ging")),
    ("groesse", ("", (), "Größe")),
    # English
    ("buy", ("", (), "they bought two pumps")),
    ("child", ("", (), "the children's room")),
    ("mouse", ("", (), "two mice")),
    ("meet", ("", (), "we met on Monday")),
    ("send", ("", (), "it was sent today")),
    ("reorder", ("", (), "re-order it")),
    ("re-order", ("", (), "reorder it")),
    ("e-mail", ("", (), "email sent")),
    ("followup", ("", (), "follow-up calls")),
    ("o brien", ("Pat O'Brien", (), "")),
    ("contract", ("", (), "two contracts were signed")),
    ("delivering", ("", (), "delivered on Monday")),
    ("company", ("", (), "our companies")),
    ("customer", ("", (), "the customer's wish")),
    ("don't", ("", (), "don’t call")),
    ("obrien", ("Pat O'Brien", (), "")),
    ("O’Brien", ("Pat O'Brien", (), "")),
    # Chinese, Japanese, Korean, Thai
    ("客户", ("", (), "北京市的客户管理系统")),
    ("管理", ("", (), "北京市的客户管理系统")),
    ("客户管理", ("", (), "北京市的客户管理系统")),
    ("客", ("", (), "北京市的客户管理系统")),
    ("张伟", ("张伟", (), "")),
    ("伟", ("张伟", (), "")),
    ("北京 系统", ("", (), "北京市的客户管理系统")),
    ("東京", ("", (), "東京都の会社")),
    ("カタカナ", ("", (), "カタカナで書く")),
    ("ｶﾀｶﾅ", ("", (), "カタカナで書く")),
    ("서울", ("", (), "서울특별시")),
    ("กรุงเทพ", ("", (), "อยู่ที่กรุงเทพมหานคร")),
    ("张伟", ("张 伟", (), "")),
    ("13812345678", ("", (), "电话13812345678联系")),
    ("li@firm.example", ("", (), "邮箱li@firm.example谢谢")),
    ("SO-1001", ("", (), "订单号：SO-1001")),
    ("合同", ("", (), "销售合同已签订")),
    # Mixed
    ("公司", ("", (), "Nokia公司的合同")),
    ("nokia", ("", (), "Nokia公司的合同")),
    ("contract asiakas", ("", (), "asiakkaalle lähetettiin the contracts")),
    ("ABC123", ("", (), "ＡＢＣ１２３")),
    # E-mail
    ("jane.doe@acme.com", PERSON),
    ("JANE.DOE@ACME.COM", PERSON),
    ("jane.d", PERSON),
    ("doe@acme", PERSON),
    ("doe@ac", PERSON),
    ("acme.com", PERSON),
    ("acme", PERSON),
    ("jane.doe@acme.com", ("", (), "kirjoita jane.doe@acme.com huomenna")),
    # Telephone
    ("+358401234567", PERSON),
    ("00358401234567", PERSON),
    ("+358 (0)40 1234567", PERSON),
    ("0401234567", PERSON),
    ("040 123 4567", PERSON),
    ("040-123 4567", PERSON),
    ("040 123", PERSON),
    ("+358 40", PERSON),
    ("123 4567", PERSON),
    ("4567", PERSON),
    ("+358 40 1234567", ("Jane", ("0401234567",), "")),
    ("0401234567", ("", (), "soita +358 40 123 4567 huomenna")),
    ("4567", ("", (), "soita +358 40 123 4567 huomenna")),
    ("+1 212 555 0100", ("Bob", ("(212) 555-0100",), "")),
    # Codes
    ("AB-1234-X", PRODUCT),
    ("ab1234x", PRODUCT),
    ("ab 1234 x", PRODUCT),
    ("AB-1234", PRODUCT),
    ("ab12", PRODUCT),
    ("1234", PRODUCT),
    ("1234-X", PRODUCT),
    ("inv-2026-0042", INVOICE),
    ("INV-2026", INVOICE),
    ("inv2026", INVOICE),
    ("2026-0042", INVOICE),
    ("0042", INVOICE),
    ("2026-03-15", ("", (), "toimitus 2026-03-15")),
    ("AB-1234-X", ("", (), "tilattiin AB1234X kaksi")),
    ("AB1234", ("", (), "AB 1234 pump")),
    ("DN50", ("", (), "venttiili DN 50")),
    ("DN 50", ("", (), "venttiili DN50")),
    ('KV-1/2"', ("", ('KV-1/2"',), "")),
    ("kv12", ("", ('KV-1/2"',), "")),
    ("#1001", ("", (), "ticket #1001")),
    ("https://www.kallio.example", ("", (), "see kallio.example")),
    # Amounts and days
    ("12500", ("", (), "summa 12 500 €")),
    ("12 500", ("", (), "12.500,00 EUR")),
    ("12500", ("", (), "12,500.00 in all")),
    ("5.3.2026", ("", (), "on 2026-03-05")),
    ("2026-03-05", ("", (), "5.3.2026 klo 10")),
    # Accents and other letters
    ("cafe", ("Café Zoë", (), "")),
    ("zoë", ("Cafe Zoe", (), "")),
    ("lodz", ("Łódź", (), "")),
    ("orsted", ("Ørsted", (), "")),
    ("encyclopaedia", ("Encyclopædia", (), "")),
    ("francois", ("Franc\u0327ois", (), "")),
    ("istanbul", ("İstanbul", (), "")),
    ("αθηνα", ("Αθήνα", (), "")),
    ("МОСКВА", ("Москва", (), "")),
    ("הוכחה", ("", (), "הוֹכָחָה")),
    ("दिल्ली", ("", (), "नई दिल्ली")),
    # Quotes and exclusion
    ('"signed contract"', ("", (), "a signed contract came")),
    ('"a signed contract', ("", (), "the signed contract came")),
    ("“signed contract”", ("", (), "a signed contract came")),
    ('"客户管理"', ("", (), "北京市的客户管理系统")),
    ("contract -draft", ("", (), "the contract is final")),
    # Names made of words that are too common elsewhere
    ("den", ("Den", (), "")),
    ("the the", ("The The", (), "")),
]

#: What must not be found.
MISSED = [
    ('"contract signed"', ("", (), "a signed contract came")),
    ('"管理客户"', ("", (), "北京市的客户管理系统")),
    ("户京", ("", (), "北京市的客户管理系统")),
    ("contract -draft", ("", (), "the contract is a draft")),
    ("sopimus -luonnos", ("", (), "sopimuksen luonnokset")),
    ('"sopimus"', ("", (), "sopimuksen")),
    ("9999", PERSON),
    ("050 123", PERSON),
    ("kunst", ("", (), "kunderna")),
    ("jane.x", PERSON),
    ("asiakassopimus", ("", (), "Sopimuksen allekirjoitus viivästyi")),
    ("12500", ("", (), "12,50 a piece")),
    ("resort", ("", (), "re-order it")),
]

#: What is being typed, with the last word unfinished.
TYPED = [
    ("vir", ("Virtanen Oy", (), "")),
    ("virtanen o", ("Virtanen Oy", (), "")),
    ("oy vir", ("Virtanen Oy", (), "")),
    ("laskutusosoi", ("Laskutusosoite", (), "")),
    ("müll", ("Mueller & Muller", (), "")),
    ("jane.doe@ac", PERSON),
    ("ab-1", PRODUCT),
    ("040", PERSON),
    ("客户", ("客户管理", (), "")),
    ("åk", ("Hans Åkesson", (), "")),
]


@pytest.fixture(scope="module", params=["whoosh", "postgresql"])
def library(request, tmp_path_factory, analyser, make_doc):
    """Return an engine with the text of every case, one record each."""
    root = tmp_path_factory.mktemp("languages")
    with opened(request.param, request, root, analyser) as make:
        engine = make()
        build = engine.begin_build()
        for _, (title, identifiers, body) in FOUND + MISSED + TYPED:
            key = repr((title, identifiers, body))
            build.add([make_doc(key, title, body, identifiers=identifiers)])
        build.finish()
        yield engine


def keys(page):
    return {hit.key for hit in page.hits}


@pytest.mark.parametrize(("typed", "text"), FOUND)
def test_what_is_typed_finds_what_was_written(library, search, typed, text):
    page = search(library, typed, strict=True, limit=200)
    assert repr(text) in keys(page)


@pytest.mark.parametrize(("typed", "text"), MISSED)
def test_what_does_not_match_is_not_found(library, search, typed, text):
    page = search(library, typed, strict=True, limit=200)
    assert repr(text) not in keys(page)


@pytest.mark.parametrize(("typed", "text"), TYPED)
def test_an_unfinished_word_finds_titles_and_identifiers(library, search, typed, text):
    page = search(library, typed, typing=True, strict=True, limit=200)
    assert repr(text) in keys(page)


def test_a_body_is_not_found_by_half_a_word(library, search):
    assert search(library, "viiväst", typing=True).total == 0
