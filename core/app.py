"""The application factory: configuration → database → plugins → routes → door check."""

import gc
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click import Command
from flask import Blueprint, Flask, Response, g, has_request_context
from flask_login import current_user
from flask_smorest import Api
from jinja2 import ChoiceLoader, FileSystemLoader
from marshmallow import Schema
from werkzeug.middleware.proxy_fix import ProxyFix

import core.changes  # noqa: F401 - listens to every session from now on
from core import __version__, front
from core.answering import begin_request, init_requests, note_request
from core.assets import init_assets
from core.config import instance_folder, load_config
from core.db import db
from core.drafts import tell_it_arrived
from core.drawing import PageEnvironment
from core.event_visibility import scope_of
from core.events import Declarations, EventType, Subscriber, acting
from core.files import init_files
from core.house import HouseSettings
from core.i18n import init_i18n, locale_code
from core.idempotency import answer_once
from core.imports import ImportKind
from core.jobs import Job
from core.live import init_live
from core.pages import Check, EntryFiles, EntryPart, NotificationKind
from core.parts import contained_kinds, contained_type
from core.permissions import Permission, door_of, undeclared_routes
from core.plugin_manager import (
    PluginError,
    answers,
    create_plugin_manager,
    declared,
    declared_by,
    named,
    plugin_names,
)
from core.problems import init_problems
from core.records import RecordType
from core.schemas import ApiBlueprint
from core.security import init_security
from core.settings import config_key, from_environment, pinned
from core.shell import init_shell
from core.users.models import User
from core.visibility import Condition


class CRM(Flask):
    """Flask with the transaction rule: a return commits, an exception rolls back."""

    jinja_environment = PageEnvironment

    def wsgi_app(self, environ: Any, start_response: Any) -> Any:
        """Answer each request in a context of its own, whoever called it."""
        # Flask would share the context of a test or command that is pushed already,
        # and with it the session and everything else that belongs to one request. Who
        # acts in it is forgotten with it.
        with self.app_context(), acting(None):
            return super().wsgi_app(environ, start_response)

    def update_template_context(self, context: dict[str, Any]) -> None:
        """Give a template what every template can use.

        A page has many parts, each with a template: the plugins are asked once for it.
        """
        if not has_request_context():
            super().update_template_context(context)
            return
        # A view may sign somebody in, or write in another's language.
        reader = id(current_user._get_current_object()), locale_code()
        kept: tuple[Any, dict[str, Any]] = g.get("rapport_context", ((), {}))
        if kept[0] != reader:
            given: dict[str, Any] = {}
            super().update_template_context(given)
            kept = g.rapport_context = reader, given
        context |= {**kept[1], **context}

    def dispatch_request(self) -> Response:
        """Run the view in one transaction.

        The commit happens in here, so what fails at commit still reaches the error
        handlers, and the response has not been sent.
        """
        try:
            response = answer_once(
                lambda: self.make_response(super(CRM, self).dispatch_request())
            )
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        tell_it_arrived(response)
        return response

    def full_dispatch_request(self) -> Response:
        """Answer a request, then write what must outlive a refusal."""
        started = begin_request()
        response = super().full_dispatch_request()
        # SQLite has one writer: the request's own transaction must be over first.
        db.session.close()
        db.run_asides()
        note_request(self, response, started)
        return response


class _Api(Api):  # type: ignore[misc]
    """The OpenAPI side; errors are shown by `core.problems` alone."""

    def _register_error_handlers(self) -> None:
        """Leave errors to the one module that shows them."""


def create_app(
    config: dict[str, Any] | None = None,
    *,
    instance: Path | None = None,
    extra_plugins: Sequence[tuple[str, Any]] = (),
) -> CRM:
    """Build the application of one deployment.

    `config` overrides everything, as tests do; `extra_plugins` are (name, module)
    pairs beside the installed ones. Raises `PluginError` when a plugin is not sound,
    naming it.
    """
    folder = instance or instance_folder()
    settings = load_config(folder) | (config or {})
    app = CRM("core", instance_path=str(folder), static_folder=None)
    app.config.update(settings)
    lasting = bool(app.config["SECRET_KEY"]) or (folder / "secret_key").exists()
    app.extensions["rapport_lasting_key"] = lasting
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or _secret_key(folder)
    if app.config["TRUSTED_HOSTS"] == []:
        app.config["TRUSTED_HOSTS"] = None
    if app.config["PROXIES"]:
        hops = app.config["PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    db.init_app(app)
    init_requests(app)
    app.extensions["rapport_pm"] = create_plugin_manager(
        app.config["PLUGINS_DISABLED"], extra_plugins
    )
    _collect(app, config or {})
    init_i18n(app, _folders(app, "translations"))
    init_files(app)
    init_problems(app)
    init_security(app)
    init_shell(app)
    init_live(app)
    init_assets(app)
    _register_routes(app)
    # Whoever takes a plugin out or puts it back needs an application in which it is on.
    app.extensions["rapport_build"] = create_app
    list(answers(app, "init_app", app=app))
    _refuse_open_routes(app)
    if not gc.isenabled():
        # The process began without: what stays for good is never looked through again,
        # and the rest seldom, for a page or a step of an import makes thousands.
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()
    return app


def _secret_key(folder: Path) -> str:
    """Read the key `rapport init` wrote; without one, sign-ins end with the process."""
    file = folder / "secret_key"
    if file.exists():
        return file.read_text("utf-8").strip()
    return secrets.token_hex()


def _collect(app: Flask, overrides: dict[str, Any]) -> None:
    """Ask every plugin once what it declares."""
    files = [one for _n, one in declared(app, "register_entry_files", EntryFiles)][:1]
    app.extensions.update(
        rapport_permissions=named(app, "register_permissions", Permission),
        rapport_records={
            name: contained_type(declared_by(app, "register_records", name), one)
            for name, one in named(app, "register_records", RecordType).items()
        },
        rapport_kinds=contained_kinds(app),
        rapport_entry_files=files[0] if files else None,
        rapport_entry_parts=[
            *named(app, "register_entry_parts", EntryPart).values(),
            *(one.part for one in files),
        ],
        rapport_imports=named(app, "register_imports", ImportKind),
        rapport_notifications=named(app, "register_notifications", NotificationKind),
        rapport_jobs=list(named(app, "register_jobs", Job).values()),
        rapport_checks=list(named(app, "register_checks", Check).values()),
        rapport_commands=named(app, "register_commands", Command),
        rapport_settings=_settings(app, overrides),
        rapport_events=Declarations(
            list(named(app, "register_subscribers", Subscriber).values()),
            list(named(app, "register_event_types", EventType).values()),
            scope_of,
        ),
    )

    def ask_scope(user: User) -> list[tuple[str, Condition]]:
        found = answers(app, "contact_scope", user=user)
        return [(name, one) for name, one in found if one is not None]

    app.extensions["rapport_contact_scope"] = ask_scope


def _settings(app: Flask, overrides: dict[str, Any]) -> dict[str, type[Schema]]:
    """Collect the settings' schemas, and take what the environment says of them.

    Raises `PluginError` for a schema that `{}` does not satisfy, and `ValueError` for
    a value in the configuration that is not valid.
    """
    found: dict[str, type[Schema]] = {}
    house = [("house", HouseSettings)]
    for plugin, schema in [*house, *answers(app, "register_settings")]:
        name = plugin.removeprefix("core.")
        if not (isinstance(schema, type) and issubclass(schema, Schema)):
            raise PluginError(f"plugin {name!r}: register_settings returns no schema")
        if wrong := schema().validate({}):
            raise PluginError(
                f"plugin {name!r}: settings without a load_default: {', '.join(wrong)}"
            )
        found[name] = schema
        app.config.update(from_environment(name, schema().fields) | overrides)
        for field, said in schema().validate(pinned(app, name, schema)).items():
            key = config_key(name, field, schema().fields[field])
            raise ValueError(f"{key} in the configuration: {' '.join(said)}")
    return found


def _folders(app: Flask, name: str) -> list[Path]:
    """Find a folder beside core and beside the `plugin.py` of every plugin."""
    pm = app.extensions["rapport_pm"]
    homes = [Path(__file__).parent]
    for plugin in plugin_names(app):
        file = getattr(pm.get_plugin(plugin), "__file__", None)
        if file:
            homes.append(Path(file).parent)
    return [home / name for home in homes if (home / name).is_dir()]


def _register_routes(app: Flask) -> None:
    folders = [str(one) for one in _folders(app, "templates")]
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folders)])
    app.config.update(
        API_TITLE="Rapport",
        API_VERSION=f"v{__version__}",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_JSON_PATH=None,
        OPENAPI_URL_PREFIX=None,
    )
    api = _Api(app)
    app.extensions["rapport_api"] = api
    _describe_security(api)
    core = [("core", front.bp), ("core", front.api)]
    for plugin, blueprint in core + declared(app, "register_blueprints", Blueprint):
        home = api if isinstance(blueprint, ApiBlueprint) else app
        try:
            home.register_blueprint(blueprint)
        except (AssertionError, ValueError) as error:
            raise PluginError(
                f"plugin {plugin!r}: the blueprint {blueprint.name!r} cannot be "
                f"registered: {error}"
            ) from error


def _describe_security(api: Api) -> None:
    scheme = {"type": "http", "scheme": "bearer"}
    api.spec.components.security_scheme("token", scheme)
    api.spec.options["security"] = [{"token": []}]


def _refuse_open_routes(app: Flask) -> None:
    open_routes = undeclared_routes(app)
    if open_routes:
        raise PluginError(
            f"these routes say nobody's permission: {', '.join(open_routes)}. Put "
            "@requires(...), @signed_in or @public on each."
        )
    missing = {
        door.permission.name
        for door in map(door_of, app.view_functions.values())
        if door.permission is not None
    } - set(app.extensions["rapport_permissions"])
    if missing:
        raise PluginError(
            f"no plugin declares the permission {', '.join(sorted(missing))}: add it "
            "to register_permissions"
        )
