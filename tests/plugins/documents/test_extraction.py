import io
import json
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.paper import make_docx, make_pdf
from plugins.documents.extraction import PARTLY, REASONS, Extraction, extract_text
from plugins.documents.readers.__main__ import read as read_here

Read = Callable[..., Extraction]

DOCUMENT = '<w:document xmlns:w="urn:w">{}</w:document>'
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes under any name but their own, and read their text."""

    def read(content: bytes, filename: str, *, timeout: float = 60) -> Extraction:
        path = tmp_path / "content"
        path.write_bytes(content)
        return extract_text(path, filename=filename, timeout=timeout)

    return read


def zipped(parts: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def unzipped(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def docx_with(xml: str) -> bytes:
    parts = unzipped(make_docx(["replaced"]))
    return zipped({**parts, "word/document.xml": xml})


def relations(**targets: str) -> str:
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    return "<Relationships xmlns='urn:r'>{}</Relationships>".format(
        "".join(
            f'<Relationship Id="{kind}{n}" Type="{kinds}{kind}" Target="{target}"/>'
            for kind, names in targets.items()
            for n, target in enumerate(names.split())
        )
    )


def xlsx_with(rows: str) -> bytes:
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": relations(officeDocument="xl/workbook.xml"),
            "xl/_rels/workbook.xml.rels": relations(worksheet="worksheets/s.xml"),
            "xl/workbook.xml": '<workbook xmlns:r="http://schemas.openxmlformats.org/'
            'officeDocument/2006/relationships"><sheets><sheet name="Prices"'
            ' sheetId="1" r:id="worksheet0"/></sheets></workbook>',
            "xl/worksheets/s.xml": SHEET.format(rows),
        }
    )


def open_document(kind: str, content: str) -> bytes:
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": "<o:document xmlns:o='urn:o' xmlns:t='urn:t'"
            f" xmlns:d='urn:d'>{content}</o:document>",
        }
    )


def test_a_pdf_gives_its_text_page_by_page(read: Read) -> None:
    found = read(make_pdf(["Hinnasto\nSäätöventtiili 12,50 €", "", "Ehdot"]), "a.pdf")
    assert found.state == "done"
    assert found.pages == ("Hinnasto\nSäätöventtiili 12,50 €", "", "Ehdot")
    assert found.text == "Hinnasto\nSäätöventtiili 12,50 €\n\nEhdot"
    assert found.detail == ""


def test_a_made_pdf_wraps_its_lines_and_goes_on_on_the_next_page(read: Read) -> None:
    words = " ".join(f"word{n}" for n in range(1500))
    found = read(make_pdf([f"Title (1) \\ åäö\n{words}"]), "a.pdf")
    assert len(found.pages) > 1
    assert found.pages[0].startswith("Title (1) \\ åäö\nword0 ")
    assert " ".join(found.text.split()).endswith("word1498 word1499")


def test_a_scan_says_that_search_finds_its_title_only(read: Read) -> None:
    found = read(make_pdf(["", ""]), "scan.pdf")
    assert found == Extraction("empty", detail=REASONS["no-words"][1])


def test_a_word_document_gives_its_paragraphs(read: Read) -> None:
    found = read(make_docx(["Otsikko", "Väli <&> tab\there\nline"]), "a.docx")
    assert found.state == "done"
    assert found.text == "Otsikko\nVäli <&> tab\there\nline"
    assert found.pages == ()


def test_deleted_moved_and_repeated_words_of_a_document_are_left_out(
    read: Read,
) -> None:
    xml = DOCUMENT.format(
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>kept</w:t></w:r>"
        "<w:del><w:delText>deleted</w:delText></w:del>"
        "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:Choice><w:t> box</w:t></w:Choice><w:Fallback><w:t> box</w:t></w:Fallback>"
        "</w:p>"
    )
    assert read(docx_with(xml), "a.docx").text == "kept box"


def test_headers_and_notes_of_a_document_are_read(read: Read) -> None:
    parts = unzipped(make_docx(["body"]))
    parts["word/_rels/document.xml.rels"] = relations(
        header="header1.xml", footnotes="/word/footnotes.xml", image="missing.png"
    )
    parts["word/header1.xml"] = "<hdr><p><t>in the header</t></p></hdr>"
    parts["word/footnotes.xml"] = "<notes><p><t>in a footnote</t></p></notes>"
    found = read(zipped(parts), "a.docx")
    assert found.text.split("\n") == ["body", "", "in the header", "", "in a footnote"]


def test_slides_come_in_the_order_they_are_shown_with_their_notes(read: Read) -> None:
    slide = "<sld><p><t>{}</t></p></sld>"
    content = zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": relations(officeDocument="ppt/presentation.xml"),
            "ppt/presentation.xml": "<presentation xmlns:r='urn:r'>"
            "<sldId id='256' r:id='slide1'/><sldId id='257' r:id='slide0'/>"
            "</presentation>",
            "ppt/_rels/presentation.xml.rels": relations(
                slide="slides/slide1.xml slides/slide2.xml"
            ),
            "ppt/slides/slide1.xml": slide.format("added first"),
            "ppt/slides/slide2.xml": slide.format("shown first"),
            "ppt/slides/_rels/slide2.xml.rels": relations(
                notesSlide="../notesSlides/n.xml"
            ),
            "ppt/notesSlides/n.xml": slide.format("say hello"),
        }
    )
    found = read(content, "a.pptx")
    assert found.pages == ("shown first\n\nsay hello", "added first")


def test_a_workbook_gives_its_sheets_as_people_type_numbers(read: Read) -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Valve</t></is></c>'
        '<c r="B1"><v>196</v></c><c r="C1"><v>12.5</v></c></row>'
    )
    found = read(xlsx_with(rows), "a.xlsx")
    assert found.pages == ("Prices\nValve\t196\t12.5",)


def test_an_open_document_text_is_read(read: Read) -> None:
    content = (
        "<t:h>Title</t:h><t:p>one<t:s/>two<t:tab/>three<t:line-break/>four</t:p>"
        "<t:tracked-changes><t:p>deleted</t:p></t:tracked-changes>"
    )
    found = read(open_document("text", content), "a.odt")
    assert found.text == "Title\none two\tthree\nfour"


def test_an_open_document_spreadsheet_gives_what_its_cells_show(read: Read) -> None:
    content = (
        "<d:table d:name='Stock'><d:table-row>"
        "<d:table-cell d:value='12.5'><t:p>12,50 €</t:p></d:table-cell>"
        "<d:table-cell d:number-columns-repeated='16000'/>"
        "<d:table-cell><t:p>pcs</t:p></d:table-cell></d:table-row></d:table>"
        "<d:table d:name='Empty'/>"
    )
    found = read(open_document("spreadsheet", content), "a.ods")
    assert [page.split() for page in found.pages] == [
        ["Stock", "12,50", "€", "pcs"],
        ["Empty"],
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("nimi;sähköposti\nMatti Hämäläinen;m@x.fi", "utf-8"),
        ("nimi;sähköposti\nMatti Hämäläinen;m@x.fi", "cp1252"),
        ("Öljynvaihto à 12 €", "cp1252"),
        ("“Göteborgs Rör” – 12 €", "cp1252"),
        ("El niño compró cañerías; ¿cuánto cuesta?", "cp1252"),
        ("Zażółć gęślą jaźń, proszę o ofertę na rury", "cp1250"),
        ("Здравствуйте, это письмо о заказе труб", "cp1251"),
        ("你好，我们需要二十个阀门。谢谢！", "gb18030"),
        ("price list, 12 €", "utf-8-sig"),
        ("price list, 12 €", "utf-16"),
    ],
)
def test_a_text_file_is_read_in_its_character_set(
    read: Read, text: str, encoding: str
) -> None:
    found = read(text.encode(encoding), "a.csv")
    assert (found.state, found.text) == ("done", text)


def test_a_web_page_gives_what_a_browser_shows(read: Read) -> None:
    page = (
        "<html><head><title>Offer</title><style>p{}</style></head><body>"
        "<p>Valves <b>bold</b>ly &amp;\n cheap</p><script>alert(1)</script>"
        "<table><tr><td>1</td><td>2</td></tr></table></body></html>"
    )
    found = read(page.encode(), "a.html")
    assert found.text.split() == ["Offer", "Valves", "boldly", "&", "cheap", "1", "2"]


def test_a_web_page_is_read_in_the_character_set_it_declares(read: Read) -> None:
    page = '<meta charset="koi8-r"><p>Здравствуйте</p>'
    assert read(page.encode("koi8-r"), "a.html").text == "\nЗдравствуйте".strip()


def test_an_email_gives_its_headers_text_and_attachments(read: Read) -> None:
    message = (
        "Subject: =?utf-8?q?Tarjouspyynt=C3=B6?=\nFrom: Pekka <pekka@a.example>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
        "Content-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable\n\nHyv=E4=E4 p=E4iv=E4=E4\n--b\n"
        "Content-Type: text/html\n\n<p>again</p>\n--b\n"
        "Content-Type: application/pdf\nContent-Disposition: attachment;"
        ' filename="list.pdf"\n\nx\n--b--\n'
    )
    found = read(message.encode(), "a.eml")
    assert found.text.split() == [
        *("Tarjouspyyntö", "Pekka", "<pekka@a.example>"),
        *("Hyvää", "päivää", "list.pdf"),
    ]


def test_a_wrong_name_does_not_hide_what_the_first_bytes_say(read: Read) -> None:
    assert read(make_pdf(["sopimus"]), "sopimus.docx").text == "sopimus"
    assert read(make_docx(["sopimus"]), "sopimus.txt").text == "sopimus"
    assert read(b"sopimus", "README").text == "sopimus"


@pytest.mark.parametrize(
    ("content", "filename", "reason"),
    [
        (b"", "a.pdf", "no-text"),
        (b" \n\t ", "a.txt", "no-text"),
        (b"plain words", "a.docx", "mismatch"),
        (b"plain words", "a.pdf", "mismatch"),
        (b"bin\0ary", "a.txt", "mismatch"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a.png", "unsupported"),
        (b"{\\rtf1 words}", "a.rtf", "unsupported"),
        (b"{\\rtf1 words}", "a.txt", "unsupported"),
        (zipped({"a.txt": "words"}), "a.zip", "unsupported"),
        (zipped({"mimetype": "application/epub+zip"}), "a.epub", "unsupported"),
        (b"%PDF-1.4\nnothing more", "a.pdf", "damaged"),
        (b"PK\3\4nothing more", "a.docx", "damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"W\0o\0r\0d\0", "a.doc", "unsupported"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + "Workbook".encode("utf-16-le"),
            "a.xls",
            "damaged",
        ),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "a.docx",
            "password",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(
    read: Read, content: bytes, filename: str, reason: str
) -> None:
    state, detail = REASONS[reason]
    assert read(content, filename) == Extraction(state, detail=detail)


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx"])
def test_a_truncated_file_gives_an_answer(read: Read, name: str, kept: float) -> None:
    content = {
        "a.pdf": make_pdf(["words\n" * 50] * 20),
        "a.docx": make_docx(["words"] * 50),
        "a.xlsx": xlsx_with('<row r="1"><c r="A1"><v>1</v></c></row>'),
    }[name]
    found = read(content[: int(len(content) * kept)], name)
    assert found.state in {"done", "failed"}
    # A PDF without its table of objects can still be read.
    assert found.detail or name == "a.pdf"


def test_a_declaration_of_entities_is_refused(read: Read) -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "words"><!ENTITY b "&a;&a;&a;">]>'
    found = read(docx_with(bomb + DOCUMENT.format("<w:t>&b;</w:t>")), "a.docx")
    assert found == Extraction("failed", detail=REASONS["unsafe"][1])


def test_an_archive_that_unpacks_to_too_much_is_refused_at_once(read: Read) -> None:
    bomb = docx_with(DOCUMENT.format(" " * 201_000_000))
    assert len(bomb) < 1_000_000
    start = time.monotonic()
    found = read(bomb, "a.docx")
    assert found == Extraction("failed", detail=REASONS["too-large"][1])
    assert time.monotonic() - start < 5


def test_an_archive_that_lies_about_its_size_gets_no_more_than_it_said(
    read: Read,
) -> None:
    xml = DOCUMENT.format("<w:t>" + "a" * 5_000_000 + "</w:t>")
    content = docx_with(xml)
    size = struct.pack("<I", len(xml))
    assert content.count(size) == 2
    found = read(content.replace(size, struct.pack("<I", 1000)), "a.docx")
    assert found.state == "failed"
    assert found.detail


def test_a_workbook_with_a_far_corner_is_refused_and_not_allocated(read: Read) -> None:
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    )
    found = read(xlsx_with(rows), "a.xlsx")
    assert found == Extraction("failed", detail=REASONS["too-large"][1])


def test_endlessly_nested_xml_is_read(read: Read) -> None:
    xml = DOCUMENT.format("<w:p>" * 200_000 + "<w:t>deep</w:t>" + "</w:p>" * 200_000)
    assert read(docx_with(xml), "a.docx").text == "deep"


def test_a_very_long_text_is_cut_and_says_so(read: Read) -> None:
    found = read(b"word " * 1_500_000, "a.txt")
    assert found.state == "done"
    assert len(found.text) == 5_000_000 - 1
    assert found.detail == PARTLY["long"]


def test_what_takes_too_long_is_stopped(read: Read) -> None:
    start = time.monotonic()
    found = read(b"<!--" * 1_000_000, "a.html", timeout=2)
    assert found == Extraction("failed", detail=REASONS["time"][1])
    assert time.monotonic() - start < 10


def test_pages_read_before_time_ran_out_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(make_pdf(["one", "two", "three"]))
    answer = read_here(path, ".pdf", deadline=time.monotonic())
    assert (answer["text"], answer["reason"]) == ("one\f", "time")
    assert "time" in PARTLY


def test_a_damaged_document_gives_what_came_before_the_damage(read: Read) -> None:
    xml = DOCUMENT.format("<w:p><w:t>before</w:t></w:p><w:p></w:t>after</w:p>")
    found = read(docx_with(xml), "a.docx")
    assert (found.state, found.text) == ("done", "before")
    assert found.detail == PARTLY["damaged"]


def test_no_character_that_a_database_refuses_comes_through(read: Read) -> None:
    found = read("a\x01b\xadc\ufeffd\x85e\r\nf\x0cg".encode(), "a.txt")
    assert found.text == "abcd\ne\nf\ng"


# What a person sees in these files of Apache Tika's own tests, beside the strings that
# its tests expect: where Tika writes markup, reads pictures or counts in tabs, not.
TIKA_STATES = {
    "gbk.zip": "unsupported",
    "test-zip-of-zip.zip": "unsupported",
    "testEPUB.epub": "unsupported",
    "testPPT.ppt": "unsupported",
    "testRTF.rtf": "unsupported",
    "testRTFJapanese.rtf": "unsupported",
    "testWORD.doc": "unsupported",
    "testZipEncrypted.zip": "encrypted",
    "testODTEncrypted.odt": "encrypted",
    "testWORD_protected_passtika.docx": "encrypted",
    "testPDF_no_extract_no_accessibility_owner_user.pdf": "encrypted",
    "testODTnotaZipFile.odt": "failed",
    "testWORD_truncated.docx": "failed",
    "testWORD_multi_authors.docx": "empty",
}
TIKA_OTHERWISE = {"testPDF_bookmarks.pdf"}


@pytest.fixture
def tika() -> Path:
    folder = os.environ.get("RAPPORT_TEST_DATA")
    if not folder or not Path(folder, "documents-tika").is_dir():
        pytest.skip("RAPPORT_TEST_DATA names no folder with documents-tika in it")
    return Path(folder, "documents-tika")


def test_files_from_many_programs_are_read(tika: Path) -> None:
    expected = json.loads((tika / "tika-assertions.json").read_text())["files"]
    wrong: dict[str, object] = {}
    for path in sorted(tika.iterdir()):
        found = extract_text(path, filename=path.name)
        state = TIKA_STATES.get(path.name, "done")
        if found.state != state or bool(found.detail) != (state != "done"):
            wrong[path.name] = found
        elif state == "done" and path.name not in TIKA_OTHERWISE:
            said = expected.get(path.name, {}).get("contains", [])
            words = " ".join(found.text.split())
            missing = [
                text
                for text in said
                if "<" not in text and " ".join(text.split()) not in words
            ]
            # Tika joins table cells column by column in one place.
            missing = [text for text in missing if not text.startswith("Row ")]
            if missing:
                wrong[path.name] = missing
    assert wrong == {}
