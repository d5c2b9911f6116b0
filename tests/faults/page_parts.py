"""A page as a browser reads it: its text, its fields, and what could run on it."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

# Elements that our pages never have, whatever somebody wrote.
FOREIGN = {"iframe", "object", "embed", "base", "style", "frame", "applet", "marquee"}
# Attributes that hold an address.
ADDRESSES = {"href", "src", "action", "formaction", "xlink:href", "srcset", "data"}
RUNS = re.compile(r"^[\s\x00-\x20]*(javascript|vbscript|data)\s*:", re.I)


def squeezed(text: str) -> str:
    """Give a text as a page shows it: runs of white space are one space."""
    return re.sub(r"\s+", " ", text.replace("\r\n", "\n")).strip()


@dataclass
class Form:
    """A form: where it goes, and its fields with what they say now."""

    action: str
    method: str
    kind: str = ""
    fields: list[dict[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A parsed page."""

    def __init__(self, text: str):
        """Read the whole page."""
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.values: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self._inside: list[str] = []
        self._field: dict[str, str] | None = None
        self.feed(text)
        self.close()
        self.text = squeezed(" ".join(self.words))

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        attrs = {name: value or "" for name, value in given}
        self.tags.append((tag, attrs))
        self.values += [squeezed(value) for value in attrs.values()]
        if tag == "form":
            self.forms.append(
                Form(
                    attrs.get("action", ""),
                    attrs.get("method", "get").lower(),
                    attrs.get("enctype", ""),
                )
            )
        here = self.forms[-1].fields if self.forms else []
        if tag in {"input", "textarea", "select", "button"} and "name" in attrs:
            if tag == "button":
                attrs = {**attrs, "type": "submit"}
            made = {"type": tag, "value": "", **attrs, "tag": tag}
            here.append(made)
            self._field = made if tag in {"textarea", "select"} else None
        if tag == "option" and self._field is not None:
            chosen = self._field
            if "selected" in attrs or not chosen.get("some"):
                chosen["value"] = attrs.get("value", "")
                chosen["some"] = "yes"

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a field."""
        if tag in {"textarea", "select"}:
            self._field = None

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.words.append(data)
        if self._field is not None and self._field["tag"] == "textarea":
            self._field["value"] += data

    def shows(self, text: str) -> bool:
        """Say whether the page has this text, to read or in a field."""
        wanted = squeezed(text)
        return wanted in self.text or any(wanted in one for one in self.values)

    def dangers(self) -> list[str]:
        """Name what could run here and is not ours."""
        found = []
        for tag, attrs in self.tags:
            if tag in FOREIGN:
                found.append(f"<{tag}>")
            if tag == "script" and not attrs.get("src", "").startswith("/assets/"):
                kind = attrs.get("type", "")
                if kind not in {"application/json"}:
                    found.append(f"<script {attrs}>")
            for name, value in attrs.items():
                runs = name in ADDRESSES and RUNS.match(value)
                if name.startswith("on") or name == "style" or runs:
                    found.append(f"<{tag} {name}={value[:60]!r}>")
        return found
