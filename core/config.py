"""Every configuration key of a deployment, its default, and one sentence why.

Looked up in this order, the later winning: here, `instance/config.py`, environment
variables `RAPPORT_<KEY>`, and what a test passes to `create_app()`.
"""

import json
import os
from pathlib import Path
from typing import Any

DEFAULTS: dict[str, Any] = {
    # Signs cookies; `rapport init` writes a random one into instance/config.py.
    "SECRET_KEY": None,
    # SQLite in the instance folder, unless a PostgreSQL address is given.
    "DATABASE_URL": None,
    # Where uploaded bytes live; `files` in the instance folder by default.
    "FILES_FOLDER": None,
    # What searches: whoosh, in a folder here, or postgresql, in that database.
    "SEARCH": "whoosh",
    # Where the search index lives; `search` in the instance folder by default.
    "SEARCH_FOLDER": None,
    # Where search keeps its word lists; beside the index by default.
    "SEARCH_LEMMAS": None,
    # Names of installed plugins that are switched off.
    "PLUGINS_DISABLED": [],
    # The name of the house, in titles and the portal; set here, the administration
    # shows it and cannot change it.
    "HOUSE_NAME": None,
    # Money is written in this currency (ISO 4217); set here, it is pinned likewise.
    "CURRENCY": None,
    # Cookies only over TLS; switch on wherever people do not sit at the server.
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_NAME": "rapport",
    # Days until a sign-in must be repeated.
    "SESSION_DAYS": 30,
    # Where people reach Rapport, such as https://crm.example.com: for links in mails.
    "PUBLIC_URL": None,
    # The server that takes outgoing mail; without one, mails wait.
    "SMTP_HOST": None,
    # 587 for starttls, 465 for tls, 25 within one's own network.
    "SMTP_PORT": 587,
    # The account at that server, where it asks for one.
    "SMTP_USER": None,
    # The password of that account; better in RAPPORT_SMTP_PASSWORD than in a file.
    "SMTP_PASSWORD": None,
    # How the connection is protected: starttls, tls (from the first byte) or none.
    "SMTP_SECURITY": "starttls",
    # The address mails come from; bounces go there too.
    "MAIL_FROM": None,
    # Days after which a browser that nobody used must sign in again.
    "SESSION_IDLE_DAYS": 14,
    # Host names this server answers to; an empty list takes any.
    "TRUSTED_HOSTS": [],
    # How many proxies in front of us set X-Forwarded-*.
    "PROXIES": 0,
    # Bytes of one request, uploads included.
    "MAX_CONTENT_LENGTH": 64 * 1024 * 1024,
    "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
    # Requests of one user or address: generous for people, a wall for loops.
    "RATE_LIMIT": "1200 per minute",
    # Where limits are counted: in each process, or for all in redis://host:6379 (with
    # the library redis).
    "RATE_LIMIT_STORAGE": "process://",
    # Live streams one process holds open before browsers are told to poll.
    "LIVE_STREAMS": 240,
    # Seconds after which another worker takes over what one that died had in hand.
    "LEASE_SECONDS": 60,
    # Threads of the web process: every live stream takes one.
    "THREADS": 272,
}


# What the commands switched off; the configuration file is the administrator's own.
SWITCHES = "plugins.json"


def load_config(instance: Path) -> dict[str, Any]:
    """Read the configuration of the deployment in the folder `instance`.

    Raises `ValueError` when the file or an environment variable cannot be read.
    """
    config = dict(DEFAULTS)
    file = instance / "config.py"
    if file.exists():
        found: dict[str, Any] = {}
        try:
            code = compile(file.read_text("utf-8"), str(file), "exec")
        except SyntaxError as error:
            raise ValueError(f"{file}, line {error.lineno}: {error.msg}") from error
        exec(code, found)  # noqa: S102 - the deployment's own file
        config.update({k: v for k, v in found.items() if k.isupper()})
    for key in set(config):
        text = os.environ.get(f"RAPPORT_{key}")
        if text is not None:
            config[key] = _typed(key, text, DEFAULTS.get(key))
    off = [*config["PLUGINS_DISABLED"], *switched_off(instance)]
    config["PLUGINS_DISABLED"] = list(dict.fromkeys(off))
    return config | _paths(config, instance)


def switched_off(instance: Path) -> list[str]:
    """Name the plugins that `rapport plugin off` and `remove` keep off here."""
    file = instance / SWITCHES
    if not file.exists():
        return []
    try:
        found = json.loads(file.read_text("utf-8"))["off"]
        return [str(one) for one in found]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} cannot be read: {error!r}") from error


def _typed(key: str, text: str, default: object) -> object:
    """Read an environment variable as the type of the key's default."""
    if isinstance(default, bool):
        return _yes_or_no(key, text)
    if isinstance(default, int):
        if not text.isdigit():
            raise ValueError(f"RAPPORT_{key} must be a whole number, not {text!r}")
        return int(text)
    if isinstance(default, list):
        try:
            listed = json.loads(text) if text.startswith("[") else text.split(",")
        except ValueError:
            raise ValueError(f"RAPPORT_{key} must be a list, not {text!r}") from None
        return [name for one in listed if (name := str(one).strip())]
    return text


def _yes_or_no(key: str, text: str) -> bool:
    # Taken for "no", a misspelt "yes" would leave a protection off.
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(f"RAPPORT_{key} must be true or false, not {text!r}")


def _paths(config: dict[str, Any], instance: Path) -> dict[str, Any]:
    return {
        "INSTANCE": str(instance),
        "DATABASE_URL": config["DATABASE_URL"] or f"sqlite:///{instance}/rapport.db",
        "FILES_FOLDER": config["FILES_FOLDER"] or str(instance / "files"),
        "SEARCH_FOLDER": config["SEARCH_FOLDER"] or str(instance / "search"),
    }


def instance_folder() -> Path:
    """Give the folder of this deployment: RAPPORT_INSTANCE, or `instance/` here."""
    return Path(os.environ.get("RAPPORT_INSTANCE") or "instance").resolve()
