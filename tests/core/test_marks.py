"""Names and tags in a text: where they stand, and what hostile ones become."""

import re
from urllib.parse import unquote

import pytest

from core.marks import Marks
from core.markup import to_html

TAGS = "/interactions?tag="
HOSTILE = [
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "a](javascript:alert(1))",
    "(((((((((a+)+)+)+",
    "\\E\\Q.*",
    "ﷺ\u202e",
    "李伟",
]


def names(*words):
    return Marks(tuple((one, one, False) for one in words), TAGS)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_word_in_a_badge(name):
    html = to_html(f"Hello @{name} and #tag", names(name))
    assert 'class="mention"' in html or "@" in html
    assert not re.search(r"<(?!/?(p|span|a|em|strong|code|br)\b)", html)
    assert "onerror=alert(1)>" not in html
    assert 'href="javascript' not in html


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#price and #Price-list.", ["price", "price-list"]),
        ("# Heading", []),
        ("No. #12, a#b, &#35; http://x.example/#part", []),
        ("价格#报价，#合同", ["报价", "合同"]),
        ("`#code` [#link](http://x.example) #päivä", ["päivä"]),
    ],
)
def test_a_tag_is_a_word_of_its_own(text, tags):
    found = re.findall(r'href="/interactions\?tag=([^"]+)"', to_html(text, names()))
    assert [unquote(one) for one in found] == tags


@pytest.mark.parametrize(
    ("text", "badges"),
    [
        ("@Anna Laine, @anna laine!", 2),
        ("x@Anna Laine @Annabel Laine", 0),
        ("`@Anna Laine` [@Anna Laine](http://x.example)", 0),
        ("**@Anna Laine**", 1),
        ("问@Anna Laine", 1),
    ],
)
def test_a_name_is_a_badge_where_it_is_a_word(text, badges):
    html = to_html(text, names("Anna Laine"))
    assert html.count('<span class="mention">@Anna Laine</span>') == badges


def test_a_name_keeps_its_letters_in_any_capitals_and_one_alike_is_no_name():
    marks = names("Rolf Groß", "Mika Koski", "İlker Öz")
    for said in ("Rolf Groß", "ROLF GROSS", "rolf groß"):
        assert '<span class="mention">@Rolf Groß</span>' in to_html(f"@{said}", marks)
    assert '<span class="mention">@İlker Öz</span>' in to_html("@İlker Öz", marks)
    # To a pattern the dotless letter of Turkish is an "i"; it is another name.
    assert to_html("Ask @Mıka Koski.", marks) == "<p>Ask @Mıka Koski.</p>\n"


def test_nobody_draws_a_badge_by_html_of_their_own():
    html = to_html('<span class="mention">@Boss</span>', names())
    assert "<span" not in html
