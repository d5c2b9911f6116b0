"""Addresses are those Flask gives, however they are put together."""

from typing import Any

import pytest
from flask import Flask
from flask import url_for as flask_url_for
from hypothesis import given
from hypothesis import strategies as st

from core.links import url_for

ANY = st.one_of(
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.none(),
    st.text(),
    st.lists(st.integers(), max_size=3),
    # What stands for numbers inside, as somebody's own words.
    st.just("7770000000000"),
    st.just(7_770_000_000_001),
)


def test_an_address_is_the_one_that_flask_gives(app: Flask) -> None:
    @given(
        numbers=st.lists(st.integers(0, 2**63), min_size=2, max_size=2),
        more=st.dictionaries(st.sampled_from(["after", "q", "b%d"]), ANY),
    )
    def is_the_same(numbers: list[int], more: dict[str, Any]) -> None:
        # The second is put together from what the first one left.
        for number in numbers:
            values = {"contact_id": number, "name": "100%", **more}
            ours = url_for("contacts.panel", **values)
            assert ours == flask_url_for("contacts.panel", **values)

    with app.test_request_context():
        is_the_same()


def test_an_address_follows_where_the_app_is_mounted(app: Flask) -> None:
    for root in ("", "/crm", ""):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": root}):
            assert url_for("contacts.show", contact_id=7) == f"{root}/contacts/7"


@pytest.mark.parametrize("number", [-1, True, 1.0, "1"])
def test_what_is_no_plain_number_is_told_apart(app: Flask, number: object) -> None:
    with app.test_request_context():
        assert url_for("contacts.index", page=1) == "/contacts?page=1"
        expected = flask_url_for("contacts.index", page=number)
        assert url_for("contacts.index", page=number) == expected
