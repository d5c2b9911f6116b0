import pytest

from core.testing.factories import make_user
from plugins.documents.filenames import clean_filename, media_type_of, title_of


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Price agreement 2026.pdf", "Price agreement 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\anna\Prices.xlsx", "Prices.xlsx"),
        ("/", "file"),
        ("", "file"),
        (None, "file"),
        ("..", "file"),
        (" . hidden. ", "hidden"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\r\nSet-Cookie: x=1.txt", "abSet-Cookie_ x=1.txt"),
        ('say "yes"|<no>?.txt', "say _yes___no__.txt"),
        ("nul.txt", "_nul.txt"),
        ("COM1", "_COM1"),
        ("Hintasopimus Ääkköset 李伟.pdf", "Hintasopimus Ääkköset 李伟.pdf"),
        ("A\u0308.txt", "Ä.txt"),
        ("\ud800.txt", "txt"),
    ],
)
def test_a_file_name_is_kept_without_what_hides_or_misleads(sent, kept):
    assert clean_filename(sent) == kept


@pytest.mark.parametrize("letter", ["x", "ä", "李", "𝄞"])
def test_a_long_name_is_cut_before_its_ending(letter):
    kept = clean_filename(letter * 500 + ".pdf")
    assert kept.endswith(".pdf")
    assert len(kept) <= 200
    assert len(kept.encode()) <= 240


def test_the_ending_says_what_it_is_and_the_sender_is_not_believed():
    assert media_type_of("a.pdf") == "application/pdf"
    assert media_type_of("a.nonsense") == "application/octet-stream"
    assert media_type_of("a.csv.gz") == "application/octet-stream"


def test_a_title_is_the_name_without_its_ending():
    assert title_of("Price_agreement.v2.pdf") == "Price agreement.v2"
    assert title_of(".pdf") == ".pdf"


def test_a_hostile_name_arrives_harmless_and_goes_out_harmless(app, api, send):
    client = api(make_user())
    hostile = "../../<b onload=x>\u202e.html"
    (version,) = send(client, b"<script>alert(1)</script>", hostile).json["versions"]
    assert version["filename"] == "_b onload=x_.html"
    answer = client.get(version["url"], buffered=True)
    said = answer.headers["Content-Disposition"]
    assert said == 'attachment; filename="_b onload=x_.html"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_name_in_any_script_comes_back_as_it_was(app, api, send):
    client = api(make_user())
    (version,) = send(client, filename="价目表 Ääkköset.pdf").json["versions"]
    answer = client.get(version["url"], buffered=True)
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment;")
    assert "filename*=UTF-8''%E4%BB%B7%E7%9B%AE%E8%A1%A8%20" in said
