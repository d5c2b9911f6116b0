"""What the columns of other systems' files mean to contacts.

The words are headings that English, Finnish, Swedish, German and Chinese people write,
and those of the exports of Google, Outlook, HubSpot and Salesforce.
"""

from core.i18n import lazy_gettext as _l
from core.imports import About, Target

_NAMES = ("name", "given_name", "family_name")
_MAIL, _PHONE, _WHO = _l("E-mail"), _l("Phone"), _l("Name")
_WORK, _HOME, _OTHER = _l("Address, work"), _l("Address, home"), _l("Address")

ABOUT = {
    "kind": About(
        _l("The rows are"),
        (("person", _l("People")), ("organisation", _l("Organisations"))),
        frozenset({"given_name", "family_name", "organisation", "job_title"}),
    )
}


def _mail(name: str, title: object, label: str, *words: str) -> Target:
    fixed = (("label", label),) if label else ()
    look = "" if label else "email"
    return Target(
        name, title, "emails", "address", fixed, "", _MAIL, tuple(words), look
    )


def _phone(name: str, title: object, label: str, *words: str) -> Target:
    fixed = (("label", label),) if label else ()
    look = "" if label else "phone"
    return Target(
        name, title, "phones", "number", fixed, "", _PHONE, tuple(words), look
    )


_PARTS: tuple[tuple[str, object, tuple[str, ...]], ...] = (
    (
        "street",
        _l("Street"),
        ("street", "street address", "address line", "address", "katuosoite", "osoite",
         "lähiosoite", "gatuadress", "adress", "gata", "straße", "strasse",
         "anschrift", "adresse", "地址", "街道", "address street", "mailing street",
         "billing street"),
    ),
    (
        "postcode",
        _l("Postcode"),
        ("postcode", "postal code", "zip code", "zip", "postinumero", "postnummer",
         "postnr", "plz", "postleitzahl", "邮编", "邮政编码", "address postal code",
         "mailing postal code", "mailing zip postal code", "billing zip postal code",
         "billing postal code"),
    ),
    (
        "city",
        _l("City"),
        ("city", "town", "kaupunki", "postitoimipaikka", "paikkakunta", "ort", "stad",
         "postort", "stadt", "城市", "市", "address city", "mailing city",
         "billing city"),
    ),
    (
        "region",
        _l("Region"),
        ("region", "state", "state region", "county", "province", "maakunta", "län",
         "bundesland", "省", "省份", "address region", "mailing state",
         "mailing state province", "billing state province", "billing state"),
    ),
    (
        "country",
        _l("Country"),
        ("country", "country region", "maa", "land", "国家", "address country",
         "mailing country", "billing country"),
    ),
)  # fmt: skip


def _address(group: str, heading: object, prefix: str, label: str) -> list[Target]:
    return [
        Target(
            f"{group}_{part}",
            title,
            "addresses",
            part,
            (("label", label),) if label else (),
            group,
            heading,
            tuple(f"{prefix} {one}".strip() for one in words),
        )
        for part, title, words in _PARTS
    ]


TARGETS = (
    Target(
        "name", _l("Name"), "name", heading=_WHO, unless=_NAMES[1:],
        words=("name", "full name", "display name", "nimi", "koko nimi", "namn",
               "vollständiger name", "姓名", "名称", "contact name", "account name",
               "company name", "asiakas", "kund", "kunde", "客户", "客户名称"),
    ),
    Target(
        "given_name", _l("Given name"), "given_name", heading=_WHO,
        words=("given name", "first name", "forename", "etunimi", "kutsumanimi",
               "förnamn", "vorname", "名", "名字"),
    ),
    Target(
        "family_name", _l("Family name"), "family_name", heading=_WHO,
        words=("family name", "last name", "surname", "sukunimi", "efternamn",
               "nachname", "familienname", "姓", "姓氏"),
    ),
    Target(
        "given_first", _l("Full name, given name first: take it apart"), "given_name",
        heading=_WHO, also=(("given_name", "but_last"), ("family_name", "last")),
    ),
    Target(
        "family_first", _l("Full name, family name first: take it apart"),
        "family_name", heading=_WHO,
        also=(("family_name", "first"), ("given_name", "but_first")),
    ),
    Target(
        "organisation", _l("Organisation"), "organisation", heading=_WHO,
        unless=_NAMES, alone="name",
        words=("organisation", "organization", "company", "company name", "firm",
               "account name", "associated company", "organization name", "yritys",
               "yrityksen nimi", "organisaatio", "firma", "företag", "bolag",
               "unternehmen", "公司", "公司名称", "单位", "employer"),
    ),
    Target(
        "job_title", _l("Job title"), "job_title", heading=_WHO,
        words=("job title", "organization title", "position", "titteli", "tehtävä",
               "ammattinimike", "befattning", "yrkestitel", "position im unternehmen",
               "职位", "职务", "title"),
    ),
    _mail("email", _l("E-mail"), "", "email", "e mail address", "email address",
          "e mail value", "mail", "sähköposti", "sähköpostiosoite", "s posti", "e post",
          "e postadress", "e mail adresse", "邮箱", "电子邮件", "电子邮箱"),
    _mail("email_work", _l("E-mail, work"), "work", "work email", "business email",
          "company email", "työsähköposti", "工作邮箱"),
    _mail("email_home", _l("E-mail, home"), "home", "home email", "personal email",
          "kotisähköposti"),
    _phone("phone", _l("Phone"), "", "phone", "phone number", "telephone", "tel",
           "phone value", "primary phone", "other phone", "puhelin", "puh",
           "puhelinnumero", "telefon", "telefonnummer", "rufnummer", "电话",
           "联系电话"),
    _phone("phone_mobile", _l("Phone, mobile"), "mobile", "mobile", "mobile phone",
           "mobile phone number", "cell", "cell phone", "gsm", "matkapuhelin",
           "kännykkä", "mobil", "mobiltelefon", "handy", "mobilnummer", "手机",
           "手机号", "移动电话"),
    _phone("phone_work", _l("Phone, work"), "work", "business phone", "work phone",
           "company main phone", "office phone", "työpuhelin", "arbetstelefon",
           "工作电话", "办公电话"),
    _phone("phone_home", _l("Phone, home"), "home", "home phone", "kotipuhelin",
           "hemtelefon", "家庭电话"),
    *_address("address", _OTHER, "", ""),
    *_address("work", _WORK, "business", "work"),
    *_address("home", _HOME, "home", "home"),
    Target(
        "website", _l("Website"), "website", look="url",
        words=("website", "web page", "website url", "website value", "homepage",
               "url", "www", "kotisivu", "verkkosivu", "hemsida", "webbplats",
               "webseite", "网站", "网址"),
    ),
    Target(
        "tags", _l("Tags"), "tags",
        words=("tags", "tag", "labels", "categories", "group membership", "tunnisteet",
               "luokka", "ryhmä", "etiketter", "kategori", "kategorie", "标签", "分类"),
    ),
    Target(
        "roles", _l("Roles (customer, vendor)"), "roles",
        words=("roles", "role", "rooli", "roll", "rolle", "角色"),
    ),
    Target(
        "know_first", _l("Know this first"), "know_first",
        words=("know first", "notes", "note", "comments", "description", "muistiinpano",
               "huomautus", "huomiot", "lisätiedot", "anteckningar", "anmerkung",
               "notizen", "bemerkung", "备注"),
    ),
    Target(
        "language", _l("Language"), "language",
        words=("language code", "kielikoodi", "språkkod"),
    ),
    Target(
        "owner", _l("Owner (a colleague's e-mail)"), "owner",
        words=("owner email", "contact owner email"),
    ),
    Target("next_step", _l("Next step"), "next_step", words=("next step",)),
    Target("next_step_on", _l("Day of the next step"), "next_step_on",
           words=("next step on", "next step date", "next activity date")),
    Target("do_not_contact", _l("Do not contact"), "do_not_contact",
           words=("do not contact", "do not call", "email opt out")),
    Target("kind", _l("Person or organisation"), "kind", words=("kind",)),
)  # fmt: skip
