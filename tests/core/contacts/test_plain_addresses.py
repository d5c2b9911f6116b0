"""The quick way through e-mail addresses says what the whole check says."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from core.contacts.cleaning import Refused, email_address

LOCALS = st.one_of(
    st.text("abcXYZ019._+-'!#", min_size=1, max_size=70),
    st.sampled_from(["Info", "SALES", "support", "Pekka.Virtanen"]),
)
DOMAINS = st.text("abZ09.-_é公", min_size=1, max_size=80)
KNOWN = ["example.com", "EXAMPLE.Com", "xn--bcher-kva.example", "a.b-c.fi", "ä.de"]


@given(LOCALS, st.one_of(DOMAINS, st.sampled_from(KNOWN)))
def test_an_address_is_taken_or_refused_as_the_library_says(local, domain):
    text = f"{local}@{domain}"
    try:
        wanted = validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        with pytest.raises(Refused):
            email_address(text)
    else:
        assert email_address(text) == wanted
