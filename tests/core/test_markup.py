import gc
import threading
import time
from collections.abc import Callable

import pytest

from core.markup import excerpt, to_html, to_text


def test_markdown_becomes_html() -> None:
    html = to_html("Has **four** developments\n\n- one\n- two\n\n~~old~~ `code`")
    assert html == (
        "<p>Has <strong>four</strong> developments</p>\n"
        "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
        "<p><s>old</s> <code>code</code></p>\n"
    )


def test_a_line_break_typed_is_a_line_break_shown() -> None:
    assert to_html("first\nsecond") == "<p>first<br>\nsecond</p>\n"


def test_a_table_is_a_table_without_inline_style() -> None:
    html = to_html("| sku | price |\n|:----|------:|\n| A1  | 12.50 |\n")
    assert "<td>12.50</td>" in html
    assert "style" not in html


def test_headings_stand_below_those_of_the_page() -> None:
    html = to_html("# One\n\nTwo\n---\n\n##### Five\n\n###### Six")
    assert "<h3>One</h3>" in html
    assert "<h4>Two</h4>" in html
    assert "<h6>Five</h6>" in html
    assert "<h6>Six</h6>" in html
    assert "<h1" not in html
    assert "<h2" not in html


def test_links_give_nothing_away_and_pass_nothing_on() -> None:
    html = to_html("[terms](https://example.com/a?b=1&c=2)")
    assert html == (
        '<p><a href="https://example.com/a?b=1&amp;c=2"'
        ' rel="nofollow noopener noreferrer">terms</a></p>\n'
    )


@pytest.mark.parametrize(
    ("text", "address", "after"),
    [
        ("see https://a.example/x_y_(z)?b=1.", "https://a.example/x_y_(z)?b=1", "."),
        ("(http://a.example)", "http://a.example", ")"),
        ("**https://a.example/**", "https://a.example/", ""),
        ("看 https://a.example/价格。谢谢", "https://a.example/价格", "。谢谢"),
    ],
)
def test_a_bare_address_can_be_clicked(text: str, address: str, after: str) -> None:
    assert f">{address}</a>{after}" in to_html(text)


def test_an_address_in_a_link_or_in_code_stays_what_it_is() -> None:
    html = to_html("[https://a.example](https://b.example) `https://c.example`")
    assert html.count("<a ") == 1
    assert "<code>https://c.example</code>" in html


def test_a_picture_becomes_a_link_so_that_nobody_is_tracked() -> None:
    html = to_html("![the plan](https://tracker.example/p.png)")
    assert "<img" not in html
    assert '<a href="https://tracker.example/p.png"' in html
    assert ">the plan</a>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "[x](javascript:alert(1))",
        "[x](  JaVaScRiPt&colon;alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](vbscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        '![x"onerror="alert(1)](https://a.example/"onerror="x)',
        '[x](https://a.example "t" onclick="alert(1)")',
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
        "```html\n<script>alert(1)</script>\n```",
        'https://a.example/"onmouseover="alert(1)',
        "<style>*{display:none}</style>",
        '<svg><p><style><img src="</style><img src=x onerror=alert(1)>">',
    ],
)
def test_hostile_text_is_shown_and_not_run(text: str) -> None:
    html = to_html(text)
    # A browser sees tags only where there is a "<"; these are all that there are.
    tags = {part.split(">")[0] for part in html.split("<")[1:]}
    names = {tag.split()[0].strip("/") for tag in tags}
    assert names <= {"p", "a", "code", "pre", "br"}
    for tag in tags:
        name, *attributes = tag.split('"')[0::2]
        words = f"{name} {' '.join(attributes)}".split()
        assert set(words[1:]) <= {"href=", "title=", "rel="}
        assert "script:" not in tag.lower()
        assert "data:" not in tag


WORST = {
    "quotes": "> " * 50_000,
    "tight quotes": ">" * 50_000,
    "brackets": "[" * 50_000,
    "pictures": "![" * 50_000,
    "just enough pictures": "![" * 9_900,
    "links": "[a](" * 50_000,
    "nested links": "[" * 9_900 + "a" + "](b)" * 9_900,
    "tags": "<div>" * 50_000,
    "few tags": "<div>" * 9_900,
    "stars": "*" * 50_000,
    "emphasis": "*a _b " * 2_450 + "b_ a* " * 2_450,
    "backticks": " ".join("`" * n for n in range(1, 140)),
    "lists": "- " * 50_000,
    "deep list": "\n".join(" " * n + "- a" for n in range(0, 400, 2)),
    "lazy quote": "> " * 23 + "\na" * 2_400,
    "table": "a|b\n-|-\n" + "|\n" * 2_400,
    "references": "\n".join(f"[a{n}]: /u" for n in range(2_400)),
    "entities": "&amp;" * 9_900,
    "addresses": "http://a.example/( " * 5_000,
    "long address": "http://" * 14_000,
    "spaces": " " * 99_999 + "a",
    "lines": "\n" * 99_999,
}


@pytest.mark.parametrize("show", [to_html, to_text])
@pytest.mark.parametrize("name", WORST)
def test_no_text_takes_long(name: str, show: Callable[[str], str]) -> None:
    # What other threads do, or clearing up after a thousand tests, is not its time.
    gc.disable()
    try:
        start = time.thread_time()
        show(WORST[name])
        assert time.thread_time() - start < 1
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "text",
    ["word\n\n" * 20_000, "> " * 30 + "word", "[" * 20_000 + "word", "a\n" * 3_000],
    ids=["large", "deep", "dense", "many lines"],
)
def test_what_is_no_note_any_more_is_shown_as_typed_and_whole(text: str) -> None:
    html = to_html(text)
    shown = str(html).removeprefix("<p>").removesuffix("</p>").replace("<br>", "")
    assert shown.replace("&gt;", ">") == text.strip()
    assert to_text(text) == text.strip()


@pytest.mark.parametrize("depth", range(1, 30))
def test_no_depth_of_quotes_or_lists_loses_a_word(depth: int) -> None:
    quotes = "> " * depth + "word"
    lists = "\n".join(f"{'  ' * n}- item{n}" for n in range(depth))
    assert "word" in to_html(quotes)
    assert f"item{depth - 1}" in to_html(lists)


def test_characters_no_encoder_takes_are_replaced() -> None:
    assert "a?b" in to_html("a\ud800b")
    assert to_text("a\ud800b") == "a?b"


def test_threads_get_the_same_html() -> None:
    text = "# Title\n\n> - **bold** [a](https://b.example)\n\n| a |\n|---|\n| 1 |"
    expected = to_html(text)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(to_html(text))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_plain_text_keeps_the_words_and_drops_the_marks() -> None:
    text = to_text(
        "# Title\nHas **four** [developments](https://a.example) and `code`\nline\n\n"
        "- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said\n\n![plan](p.png)\n"
    )
    assert text == (
        "Title\n\nHas four developments and code\nline\n\n"
        "one\ntwo\na\tb\t\n1\t2\t\nsaid\nplan"
    )


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("short", 10, "short"),
        ("two\n\nlines\there", 40, "two lines here"),
        ("hello world, and more", 14, "hello world…"),
        ("hello world", 11, "hello world"),
        ("一二三四五六七八九十", 5, "一二三四…"),
        ("https://a.example/long/path", 12, "https://a.e…"),
        (" " * 1000 + "late" + " " * 1000 + "words", 40, "late words"),
        ("", 10, ""),
    ],
)
def test_an_excerpt_is_one_line_that_ends_with_a_word(
    text: str, length: int, expected: str
) -> None:
    assert excerpt(text, length) == expected
    assert len(excerpt(text, length)) <= length
