"""Every way by which words could come before somebody's eyes.

A door is one address that is read (`{...}` is filled in), or a function for what is no
plain address. `test_leaks` fails when a new address that is read is in no table here.
"""

import io
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pypdfium2
import pytest

from core import live
from core.app import CRM
from core.db import db
from core.errors import Forbidden
from core.exporting import export_kinds, export_rows
from core.exporting.writers import WRITERS
from core.users.models import User
from core.worker import deliver_due
from tests.core.leak_world import House, Reader, Secret

# Read once by each reader: `{A}` and the like are the contacts of the house.
LISTS: dict[str, list[str]] = {
    "core.home": ["/"],
    "core.palette": ["/palette", "/palette?q=x", "/palette?q=@A", "/palette?q=%23x"],
    "core_api.events": ["/api/v1/events?cursor=0.0&limit=200"],
    "contacts.index": ["/contacts", "/contacts?q=Ahvenisto"],
    "contacts.show": ["/contacts/{A}", "/contacts/{B}", "/contacts/{V}"],
    "contacts.history": ["/contacts/{A}/changes", "/contacts/{B}/changes"],
    "erasing.ask": ["/contacts/{A}/erase", "/contacts/{B}/erase"],
    "contacts.edit": ["/contacts/{A}/edit"],
    "viewing.choose": ["/contacts/{A}/portal-users", "/contacts/{B}/portal-users"],
    "contacts.join": ["/contacts/{P}/join"],
    "merging.look": ["/contacts/{A}/merge?other={B}", "/contacts/{B}/merge?other={A}"],
    "merging.merged": ["/contacts/{A}/merged"],
    "merging_api.look_at_merge": ["/api/v1/contacts/{A}/merge?contact={B}"],
    "contacts_api.list_contacts": ["/api/v1/contacts"],
    "contacts_api.read_contact": ["/api/v1/contacts/{A}", "/api/v1/contacts/{B}"],
    "interactions.index": [
        "/interactions",
        "/interactions?kind=note",
        "/interactions?team=1",
        "/interactions?tag=xqz",
        "/interactions?author={author}&from=2000-01-01",
    ],
    "interactions.suggest": [
        "/interactions/suggest?mark=%23&q=xq",
        "/interactions/suggest?mark=@&q=a",
    ],
    "interactions.people": ["/interactions/people?q=Ahvenisto"],
    "interactions.records": [
        "/interactions/records?q=xqz",
        "/interactions/records?q=Ahvenisto",
    ],
    "interactions.story": [
        "/interactions/timeline/{A}",
        "/interactions/timeline/{B}",
        "/interactions/timeline/{A}?author={author}&from=2000-01-01",
        "/interactions/timeline/{A}?plugin=interactions",
        # As if nothing had ever been read: all of it is counted and shown as new.
        "/interactions/timeline/{A}?new=0.0&unseen=1",
    ],
    "interactions.dossier": ["/interactions/timeline/{A}/dossier"],
    "interactions.dossier_json": [
        "/interactions/timeline/{A}.json",
        "/interactions/timeline/{A}.json?audience=shared",
        "/interactions/timeline/{B}.json",
    ],
    "interactions.changed": ["/interactions/timeline/{A}/changed?new=0.0"],
    "interactions.new": ["/interactions/new?contact={A}"],
    "interactions.calendar_address": ["/interactions/calendar"],
    "interactions.invitation": ["/invitation/nothing"],
    "interactions.contact_followers": ["/interactions/follow/{A}"],
    "interactions_api.show_contact_follow": ["/api/v1/contacts/{A}/follow"],
    "interactions_api.show_seen": [
        "/api/v1/contacts/{A}/seen",
        "/api/v1/contacts/{B}/seen",
    ],
    "interactions.readers": ["/interactions/readers?contact={A}&audience=staff"],
    "interaction_api.index": [
        "/api/v1/interactions?limit=200",
        "/api/v1/interactions?limit=200&author={author}&from=2000-01-01",
    ],
    "interaction_api.show_timeline": [
        "/api/v1/contacts/{A}/timeline?limit=200",
        "/api/v1/contacts/{B}/timeline?limit=200",
        "/api/v1/contacts/{V}/timeline?limit=200",
    ],
    "interactions.follow_up_index": ["/follow-ups", "/follow-ups?view=done"],
    "interactions.follow_up_of_contact": ["/follow-ups/of/{A}", "/follow-ups/of/{B}"],
    "interactions_api.list_follow_ups": [
        "/api/v1/follow-ups?limit=200",
        "/api/v1/follow-ups?contact={A}&limit=200",
    ],
    "interactions.hand_over_new": ["/hand-overs/new?contact={A}"],
    "interactions_api.list_hand_overs": ["/api/v1/hand-overs?contact={A}&limit=200"],
    "interactions_api.show_hand_over": [
        f"/api/v1/hand-overs/{one}" for one in range(1, 4)
    ],
    "interactions.hand_over_show": [f"/hand-overs/{one}" for one in range(1, 4)],
    "documents.index": ["/documents"],
    "documents.new": ["/documents/new?contact={A}"],
    "documents.who": ["/documents/who?contact={A}&audience=staff"],
    "documents.portal_index": ["/portal/documents"],
    "documents_api.index": ["/api/v1/documents?limit=200"],
    "support.index": ["/support", "/support?state=open", "/support?mine=1"],
    "support.new": ["/support/new?contact={A}"],
    "support.portal_index": ["/portal/messages"],
    "support.portal_new": ["/portal/messages/new"],
    "search.health_page": ["/admin/search"],
    "support_api.list_tickets": ["/api/v1/tickets?limit=200"],
    "notifications.index": ["/notifications"],
    "notifications.bell": ["/notifications/bell"],
    "notifications_api.list_notifications": ["/api/v1/notifications?limit=200"],
    "presence.show": ["/presence?about=contact/{A}", "/presence?about=contact/{B}"],
    "undo.index": ["/me/changes"],
    "portal.home": ["/portal"],
    "imports.index": ["/import"],
    "mail.outbox": ["/admin/mail"],
    "admin.deliveries": ["/admin/deliveries"],
    "admin.jobs": ["/admin/jobs"],
    "admin.index": ["/admin"],
    "admin.system_page": ["/admin/system"],
    "admin.system_text": ["/admin/system.txt"],
    "private.of_user": ["/admin/users/{author}/private"],
    "core.metrics": ["/metrics"],
    "core.readyz": ["/readyz"],
    "users.access": ["/me/access"],
    "users_api.show_me": ["/api/v1/me"],
}
# Read by each reader for each secret of a kind: `{id}`, `{number}`, `{needle}`.
ONE: dict[str, dict[str, list[str]]] = {
    "interactions": {
        "interactions.show": ["/interactions/{id}"],
        "interactions.edit": ["/interactions/{id}/edit"],
        "interactions.replies": ["/interactions/{id}/replies"],
        "interactions.history": ["/interactions/{id}/history"],
        "interactions_api.list_reactions": ["/api/v1/interactions/{id}/reactions"],
        "interactions_api.list_edits": ["/api/v1/interactions/{id}/history"],
        "interactions_api.show_thread_follow": ["/api/v1/interactions/{id}/follow"],
        "interactions.invite": ["/interactions/{id}/invite"],
        "interactions.ask_to_call_off": ["/interactions/{id}/call-off"],
        "interactions_api.read_meeting": ["/api/v1/interactions/{id}/meeting"],
        "interactions.thread_followers": ["/interactions/{id}/follow"],
        "interactions.entry_acts": ["/interactions/{id}/acts"],
        "interactions.links": ["/interactions/{id}/links"],
        "interaction_api.show": ["/api/v1/interactions/{id}"],
        "interactions.new": ["/interactions/new?contact={A}&parent={id}"],
        "interactions.follow_up_new": ["/follow-ups/new?entry={id}"],
        "search.related_to": ["/search/related/interaction/{id}"],
    },
    "documents": {
        "documents.show": ["/documents/{id}"],
        "documents.edit": ["/documents/{id}/edit"],
        "documents.share": ["/documents/{id}/share"],
        "documents.text": ["/documents/{id}/text"],
        "documents.new_version": ["/documents/{id}/versions"],
        "documents.download": ["/documents/{id}/versions/1/file"],
        "documents.portal_show": ["/portal/documents/{id}"],
        "documents_api.read": ["/api/v1/documents/{id}"],
        "documents_api.read_file": ["/api/v1/documents/{id}/versions/1/file"],
    },
    "follow-ups": {
        "interactions.follow_up_show": ["/follow-ups/{id}"],
        "interactions_api.show_follow_up": ["/api/v1/follow-ups/{id}"],
    },
    "tickets": {
        "support.show": ["/support/{number}"],
        "presence.show": ["/presence?about=support.ticket/{id}"],
        "support.thread": ["/support/{number}/thread"],
        "support.portal_show": ["/portal/messages/{number}"],
        "support_api.show_ticket": ["/api/v1/tickets/{id}"],
        "support_api.list_messages": ["/api/v1/tickets/{id}/messages"],
        "search.related_to": ["/search/related/support.ticket/{id}"],
    },
}
# What one looks for: every secret's own plain word.
LOOKED_FOR: dict[str, list[str]] = {
    "search.index": ["/search?q={needle}", "/search?q={needle}&sort=new&when=year"],
    "search_api.find": ["/api/v1/search?q={needle}"],
    "core.palette": ["/palette?q={needle}"],
    "documents.index": ["/documents?q={needle}"],
    "documents_api.index": ["/api/v1/documents?q={needle}"],
    "documents.portal_index": ["/portal/documents?q={needle}"],
    "interaction_api.show_timeline": ["/api/v1/contacts/{A}/timeline?q={needle}"],
    "interaction_api.index": ["/api/v1/interactions?q={needle}"],
    "interactions.story": ["/interactions/timeline/{A}?q={needle}"],
}
# Read through a function below.
OTHERWISE = {
    "live.stream",
    "admin.why",
    "contacts.panel",
    "notifications.open_one",
    "interactions.calendar",
    "interactions.dossier_pdf",
    "interactions.dossier_file",
}
# What shows no entry, document or ticket, and nothing counted from them.
OTHER: dict[str, str] = {
    "admin.": "accounts, roles, settings and plugins of the house",
    "assets": "files of the program",
    "contacts.new": "an empty form",
    "contacts.new_view": "filters as they were typed",
    "contacts.edit_view": "a filter that one keeps oneself",
    "core.": "health and the description of the API",
    "deputies.index": "one's own deputies",
    "keys.show": "one's own keys",
    "interactions.dossier_kept": "how far a dossier is that one asked for oneself",
    "interactions.fields": "the fields of a kind, as they were typed",
    "interactions.when": "a date in words, read back",
    "imports.": "rows of files as they were sent, for who may bring in their kind",
    "leaving.ask": "counts of what a leaver owns, for administrators",
    "mail.mine": "a mail one sent oneself",
    "passwords.": "signed out",
    "portal.": "orders, products, purchase orders: they have no audience",
    "portal_api.": "orders, products, purchase orders: they have no audience",
    "styleguide.": "made-up examples",
    "unsubscribe.": "names the kinds of news in a signed link, and nothing of records",
    "users.": "one's own account",
}


def in_a_table(endpoint: str) -> bool:
    """Say whether an address that is read is tried here, or why it need not be."""
    tried = {*LISTS, *LOOKED_FOR, *OTHERWISE}.union(*(one for one in ONE.values()))
    return endpoint in tried or any(endpoint.startswith(one) for one in OTHER)


def shown(answer: Any) -> str:
    """Give everything an answer shows: its head and its body."""
    body = answer.get_data()
    answer.close()
    return f"{answer.status}\n{answer.headers}\n{body.decode(errors='replace')}"


def read(reader: Reader, address: str) -> str:
    """Ask at a door as a browser, or as a program where the address is one's."""
    return shown(ask(reader, address))


def ask(reader: Reader, address: str, method: str = "GET", **more: Any) -> Any:
    """Send a request as a reader."""
    program = address.startswith(("/api/", "/metrics"))
    client = reader.program if program else reader.page
    return client.open(address, method=method, **more)


def lists(house: House) -> Iterator[tuple[str, Callable[[Reader], str]]]:
    """Give each door that is read once by each reader."""
    for addresses in LISTS.values():
        for one in addresses:
            address = one.format(**house.ids)
            yield address, partial(read, address=address)
    for name in _panels(house):
        for firm in ("A", "B"):
            address = f"/contacts/{house.ids[firm]}/panels/{name}"
            yield address, partial(read, address=address)
    for query in ("", "?audience=shared"):
        address = f"/interactions/timeline/{house.ids['A']}.pdf{query}"
        yield address, partial(_paper, address=address)
    asked = f"/interactions/timeline/{house.ids['A']}/dossier"
    yield "/interactions/dossiers/<id>/file", partial(_kept, house.app, address=asked)
    yield "/notifications/<id>", _every_notification
    yield "/calendar/<own>", _own_calendar
    yield "/live", stream
    for kind in sorted(export_kinds(house.app)):
        for form in ("csv", "json"):
            yield (
                f"export {kind} --format {form}",
                partial(_exported, house.app, kind=kind, form=form),
            )


def _exported(app: CRM, reader: Reader, *, kind: str, form: str) -> str:
    return export(app, reader, kind, form)


def _panels(house: House) -> list[str]:
    """Name the panels that the page of a contact fetches anew."""
    page = read(house.reader("admin"), f"/contacts/{house.ids['A']}")
    found = sorted(set(re.findall(r"/contacts/\d+/panels/([\w.]+)", page)))
    assert found, "the page of a contact names no panels any more"
    return found


def _paper(reader: Reader, *, address: str) -> str:
    answer = ask(reader, address)
    if answer.mimetype != "application/pdf":
        return shown(answer)
    with pypdfium2.PdfDocument(answer.get_data()) as document:
        return "".join(one.get_textpage().get_text_range() for one in document)


def _kept(app: CRM, reader: Reader, *, address: str) -> str:
    """Have a worker make a dossier, and fetch it."""
    asked = ask(reader, address, "POST", data={"ending": "json"})
    if asked.status_code != 303 or "/dossiers/" not in asked.location:
        return shown(asked)
    while deliver_due(app):
        pass
    return read(reader, f"{asked.location}/file")


def _every_notification(reader: Reader) -> str:
    return "".join(read(reader, f"/notifications/{one}") for one in range(1, 6))


def _own_calendar(reader: Reader) -> str:
    """Read one's calendar, unfolded, as its program does; signed in or not."""
    secret = f"feed-{reader.user.id}" if reader.user else "nothing"
    return read(reader, f"/calendar/{secret}.ics").replace("\r\n ", "")


def stream(reader: Reader) -> str:
    """Read the live stream from the beginning until it is silent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "ALIVE_EVERY", 0.02)
        answer = reader.page.get("/live?cursor=0.0")
        if answer.mimetype != "text/event-stream":
            return shown(answer)
        told = []
        for part in answer.response:
            told.append(part.decode() if isinstance(part, bytes) else part)
            if told[-1].startswith(":"):
                break
        answer.close()
    return "".join(told)


def export(app: CRM, reader: Reader, kind: str, form: str) -> str:
    """Take everything out as `rapport export --as` does."""
    if reader.user is None or not reader.role:
        # The command is for whoever has the machine; it finds no such account.
        return ""
    out = io.BytesIO()
    with db.read_only() as session:
        user = session.get_one(User, reader.user.id)
        _known = user.permissions, user.team_ids, user.reach
        session.expunge_all()
    declared = export_kinds(app)[kind]
    try:
        WRITERS[form](declared, export_rows(declared, user), out)
    except Forbidden:
        return ""
    return out.getvalue().decode()


def asked(house: House, secret: Secret) -> Iterator[str]:
    """Give the addresses at which a reader asks for one secret."""
    files = secret.of == "documents"
    for endpoint, addresses in LOOKED_FOR.items():
        both = endpoint.startswith(("search", "core"))
        if both or endpoint.startswith("documents") == files:
            for one in addresses:
                yield one.format(needle=secret.needle, **house.ids)


def own(house: House, secret: Secret) -> Iterator[str]:
    """Give the addresses of one secret itself."""
    for addresses in ONE[secret.of].values():
        for one in addresses:
            yield one.format(id=secret.id, number=secret.number, **house.ids)


def changed(reader: Reader, secret: Secret) -> Iterator[tuple[str, Any]]:
    """Try to change it as a program, with a stale version and with none."""
    if not secret.id:
        return
    address = f"/api/v1/{secret.of}/{secret.id}"
    word = {"documents": "title", "follow-ups": "text"}.get(secret.of, "subject")
    words: dict[str, Any] = {word: "x"}
    for headers in ({}, {"If-Match": '"999"'}):
        for method in ("PATCH", "DELETE"):
            if method == "DELETE" and secret.of == "tickets":
                continue
            sent = {"json": words} if method == "PATCH" else {}
            answer = ask(reader, address, method, headers=headers, **sent)
            yield f"{method} {address} {json.dumps(headers)}", answer
