"""Templates put values into pages letter by letter as `markupsafe.escape` does."""

import pytest
from flask import Flask, render_template_string
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from core.drawing import put
from core.i18n import lazy_gettext


class _Named:
    def __str__(self) -> str:
        return "<b>Kallio & Sons</b>"


class _Word(str):
    __slots__ = ()

    def __html__(self) -> str:
        return f"<i>{escape(str(self))}</i>"


@given(st.text())
def test_any_text_is_put_as_escape_writes_it(text: str) -> None:
    assert put(text) == str(escape(text))


@pytest.mark.parametrize(
    "value",
    [
        "a & b",
        "it's",
        '"',
        "<",
        ">",
        "",
        Markup("<b>"),
        _Word("<&>"),
        _Named(),
        7,
        None,
    ],
)
def test_anything_else_is_put_as_escape_writes_it(value: object) -> None:
    assert put(value) == str(escape(value))


def test_a_template_escapes_wherever_a_value_stands(app: Flask) -> None:
    page = (
        "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}"
        "{% set block %}{{ bad }}{% endset %}"
        "{{ bad }} {{ m(bad) }} {{ block }} {{ bad ~ '<' }} {{ safe }} {{ later }}"
        "{% filter upper %}{{ bad }}{% endfilter %}{% autoescape false %}{{ bad }}"
        "{% endautoescape %}"
    )
    with app.test_request_context():
        drawn = render_template_string(
            page, bad="<b>", safe=Markup("<u>"), later=lazy_gettext("Contacts")
        )
    bad = "&lt;b&gt;"
    assert drawn == f"{bad} <i>{bad}</i> {bad} {bad}&lt; <u> Contacts&LT;B&GT;<b>"
