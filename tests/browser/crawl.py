"""Every page of an application, found the way people find them: by its links."""

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urljoin, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.core.contacts.reading import form_of

_ADDRESSES = re.compile(
    r"""\s(?:href|hx-get|data-live-url|data-write-url)=["']([^"'#]+)"""
)
_POSTS = re.compile(r'<form[^>]*method="post"[^>]*>', re.DOTALL)
_ACTION = re.compile(r'action="([^"]*)"')
# A page may need an instance of its kind that links where the others do not.
TRIES = 3


@dataclass
class Visit:
    """What stands at an address for somebody."""

    role: str
    url: str
    endpoint: str
    html: str
    status: int = 200


@dataclass
class Crawl:
    """The pages of one application: the fullest of each address, and what is none."""

    app: object
    pages: dict = field(default_factory=dict)
    met: set = field(default_factory=set)

    def __post_init__(self):
        """Make ready to say which view answers an address."""
        self.routes = self.app.url_map.bind("localhost")

    def endpoint_of(self, path):
        try:
            return self.routes.match(path, method="GET")[0]
        except (HTTPException, RequestRedirect):
            return None

    def walk(self, role, browser, start=()):
        """Follow every link `role` is shown, a few of each kind, from `start` on."""
        known = [
            rule.rule
            for rule in self.app.url_map.iter_rules()
            if "GET" in rule.methods and not rule.arguments and is_for_people(rule)
        ]
        queue, seen, tries = [*start, "/", *known], set(), {}
        while queue:
            url = queue.pop(0)
            path = urlsplit(url).path
            endpoint = self.endpoint_of(path)
            if url in seen or endpoint is None:
                continue
            seen.add(url)
            tries[endpoint] = tries.get(endpoint, 0) + 1
            if tries[endpoint] > TRIES:
                continue
            answer = browser.get(url)
            self.met.add(endpoint)
            if answer.status_code in {301, 302, 303}:
                queue.append(urljoin(url, answer.location))
            if answer.status_code != 200 or answer.mimetype != "text/html":
                answer.close()
                continue
            html = answer.text
            answer.close()
            queue += [
                unescape(one)
                for one in _ADDRESSES.findall(html)
                if unescape(one).startswith("/") and not one.startswith("/assets/")
            ]
            if "<!doctype html>" in html:
                self.keep(Visit(role, url, endpoint, html))

    def keep(self, visit):
        """Keep the fullest page of each view and shell."""
        shell = "portal" if visit.role in {"customer", "vendor"} else "staff"
        key = (shell, visit.endpoint)
        if key not in self.pages or len(self.pages[key].html) < len(visit.html):
            self.pages[key] = visit

    def never_met(self):
        """Name the views for people that no link and no plain address led to."""
        return {
            rule.endpoint
            for rule in self.app.url_map.iter_rules()
            if "GET" in rule.methods and is_for_people(rule)
        } - self.met

    def refusals(self, role, browser):
        """Send every form of `role` as it stands, and give the pages that refuse it."""
        found = {}
        for visit in [one for one in self.pages.values() if one.role == role]:
            for tag in _POSTS.findall(visit.html):
                action = (
                    unescape(_ACTION.search(tag).group(1)) if "action" in tag else ""
                )
                path = urlsplit(action).path or visit.url
                if path in found or path == "/sign-out":
                    continue
                blank = {
                    name: values if name == "csrf_token" or "version" in name else ""
                    for name, values in form_of(visit.html, action).items()
                }
                answer = browser.post(
                    path,
                    data=urlencode(blank, doseq=True),
                    content_type="application/x-www-form-urlencoded",
                )
                found[path] = None
                if answer.status_code in {400, 409, 422} and "<!doctype" in answer.text:
                    found[path] = Visit(
                        role, visit.url, path, answer.text, answer.status_code
                    )
        return [one for one in found.values() if one]


def is_for_people(rule):
    """Say whether an address is a page's, and not a program's or a file's."""
    return not rule.rule.startswith(
        ("/api/", "/assets/", "/live", "/healthz", "/readyz", "/metrics")
    )
