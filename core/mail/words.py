"""What a mail says: subject, plain text, and the same as HTML.

One template serves every language: it is drawn in the recipient's. The plain text is
what was meant; the HTML is made from it, so that both say the same and nothing that
somebody typed becomes markup.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app
from jinja2 import Environment
from markupsafe import Markup, escape

from core import settings
from core.errors import Invalid
from core.i18n import LANGUAGES, _, in_language

_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


@dataclass(frozen=True)
class Words:
    """The words of one mail, in one language."""

    subject: str
    text: str
    html: str
    language: str


def from_template(name: str, /, *, language: str, **values: object) -> Words:
    """Draw the template `name` in `language`.

    The template is plain text (`….txt`) with the blocks `subject` and `body`, its
    strings marked with `_()` as on pages. It is given `house` and `values`.
    """
    return draw(current_app.jinja_env, name, language, values)


def draw(
    jinja: Environment, name: str, language: str, values: Mapping[str, object]
) -> Words:
    """Draw a template of `jinja`, as `from_template` does of the application's."""
    template = jinja.get_template(name)
    with in_language(language):
        context = template.new_context({"house": house_name(), **values})
        subject = " ".join("".join(template.blocks["subject"](context)).split())
        body = "".join(template.blocks["body"](context))
        return _words(subject, body, language)


def from_text(subject: str, text: str, *, language: str, signed: bool = True) -> Words:
    """Take what somebody wrote; below it comes the house's signature, if it has one."""
    code = language if language in LANGUAGES else "en"
    signature = settings.get("mail")[f"signature_{code}"] if signed else ""
    with in_language(code):
        return _words(
            subject, f"{text}\n\n-- \n{signature}" if signature else text, code
        )


def house_name() -> str:
    """Name the house, as mails do."""
    return str(settings.get("house")["name"])


def public_url(endpoint: str, **values: object) -> str:
    """Give the address of a page as a mail must write it: from PUBLIC_URL.

    What a browser says in its Host header is never used, since anybody can say
    anything there. Raises `Invalid` when PUBLIC_URL is not set.
    """
    base = current_app.config["PUBLIC_URL"]
    if not base:
        raise Invalid(_("Links in mails need the address of this server: PUBLIC_URL."))
    parts = urlsplit(str(base))
    adapter = current_app.url_map.bind(parts.netloc, url_scheme=parts.scheme)
    return str(base).rstrip("/") + adapter.build(endpoint, values)


def _words(subject: str, text: str, language: str) -> Words:
    text = re.sub(r"\n{3,}", "\n\n", text.strip().replace("\r\n", "\n")) + "\n"
    page = current_app.jinja_env.get_template("core/mail/frame.html")
    html = page.render(
        subject=subject,
        paragraphs=[_paragraph(one) for one in text.strip().split("\n\n")],
        language=language,
        house=house_name(),
    )
    return Words(subject, text, html, language)


def _paragraph(text: str) -> Markup:
    """Turn a paragraph into HTML: links can be followed, lines stay lines."""
    parts, last = [], 0
    for found in _LINK.finditer(text):
        parts.append(escape(text[last : found.start()]))
        parts.append(Markup('<a href="{0}">{0}</a>').format(found.group()))
        last = found.end()
    parts.append(escape(text[last:]))
    return Markup("<br>\n").join(Markup("").join(parts).split("\n"))
