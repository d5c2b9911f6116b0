"""Read pages as their users do: forms with what stands in them, and the words."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    def __init__(self, action):
        super().__init__()
        self.action, self.inside, self.values = action, False, {}
        self.area = self.select = None

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            self.inside = found.get("action") == self.action
        if not self.inside:
            return
        name = found.get("name")
        if tag == "input" and name:
            ticked = (
                found.get("type") not in {"checkbox", "radio"} or "checked" in found
            )
            if ticked:
                self.add(name, found.get("value") or "")
        elif tag == "textarea":
            self.area, self.text = name, ""
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in found:
            self.add(self.select, found.get("value") or "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.area:
            # The browser drops one line break at the beginning.
            self.add(self.area, self.text.removeprefix("\n"))
            self.area = None
        elif tag == "select":
            self.select = None

    def handle_data(self, data):
        if self.area:
            self.text += data

    def add(self, name, value):
        self.values.setdefault(name, []).append(value)


class _Words(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_data(self, data):
        self.found.append(data)


def form_of(page, action):
    """Give what the form sent to `action` would send: {name: [values]}."""
    reader = _Form(action)
    reader.feed(page)
    return reader.values


def words_of(page):
    """Give the text of a page without its marks."""
    reader = _Words()
    reader.feed(page)
    return " ".join(" ".join(reader.found).split())
