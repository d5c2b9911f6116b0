"""Somebody at a browser of their own: what they open, press and read."""

import re

from core.testing.factories import PASSWORD

# A form that is refused with a reason is no fault of the page, nor is a question that
# a newer one took the place of; htmx says so in two words. A request that fails has
# the first word in common with it, and one of its own after it.
NO_FAULT = re.compile(r"of 422|^htmx:(afterRequest|sendAbort)$")
# By how many pixels a page is wider than its window.
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Person:
    """An account signed in by the form, with scripts or without, at any width."""

    def __init__(
        self, browser, server, user, *, scripts=True, width=1280, password=PASSWORD
    ):
        self.server = server
        context = browser.new_context(
            java_script_enabled=scripts, viewport={"width": width, "height": 800}
        )
        self.page = context.new_page()
        # What the browser's console says: nothing, if all is well.
        self.complaints = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        server.sign_in(self.page, user.email, password)

    def _hear(self, message):
        if message.type in {"error", "warning"} and not NO_FAULT.search(message.text):
            self.complaints.append(message.text)

    def opens(self, path):
        self.page.goto(f"{self.server.url}{path}")

    def reads(self):
        """Give the words of the page's main part."""
        return " ".join(self.page.locator("main").inner_text().split())

    def presses(self, name):
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def status_of(self, path):
        return self.page.request.get(f"{self.server.url}{path}").status
