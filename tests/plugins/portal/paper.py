"""Reading our pages in tests as a person does: the words, the forms, what is hidden."""

import re
from html import unescape
from typing import Any


def words_of(answer: Any) -> str:
    """Give the words of the page's main part, without markup."""
    page = answer.text
    main = (
        page[page.index("<main") : page.index("</main>")] if "<main" in page else page
    )
    bare = re.sub(r"<(script|style|template).*?</\1>", " ", main, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", bare)).split())


def values_of(answer: Any, name: str) -> list[str]:
    """Give what the inputs called `name` hold, as the browser would send it."""
    found = []
    for tag in re.findall(r"<input\b[^>]*>", answer.text):
        if f'name="{name}"' in tag:
            value = re.search(r'value="([^"]*)"', tag)
            found.append(unescape(value[1]) if value else "")
    return found


def basket_form(answer: Any) -> dict[str, Any]:
    """Give what the basket's form would send now."""
    names = ("sku", "quantity", "price", "comes_on")
    columns = {name: values_of(answer, name) for name in names}
    return {**columns, "token": values_of(answer, "token")[0]}
