"""What the environment says: the one reader of environment variables.

Everything an operator can set is read here once, typed, with the default of a laptop. Where
``DATABASE_URL`` or ``REDIS_URL`` is absent, the address of the embedded server under
``SMARKETING_HOME`` is used instead.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import environ

from smarketing.embedded import paths

BASE_DIR: Final = Path(__file__).resolve().parent.parent

read = environ.Env()

HOME: Path = Path(read.str("SMARKETING_HOME", default=str(BASE_DIR / "var"))).resolve()

# What this process is: "web" answers people and must never wait long, "worker" runs loops and tasks,
# "command" is everything else that a person started and watches.
PROCESS: str = read.str("SMARKETING_PROCESS", default="command")


def kept(name: str, make: Callable[[], str]) -> str:
    """The secret in ``HOME/secret/NAME``, made at first use and readable only by its owner.

    Two processes that start at once agree: the file appears whole or not at all, and the first wins.
    """
    place = HOME / "secret" / name
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = place.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(draft, place)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return place.read_text().strip()


def _signing_key() -> str:
    return secrets.token_urlsafe(64)


def _encryption_key() -> str:
    """A key in the form that Fernet reads: 32 random bytes, URL-safe base 64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


TESTING: bool = read.bool("SMARKETING_TESTING", default=False)
DEBUG: bool = read.bool("DEBUG", default=False)
DEMO: bool = read.bool("SMARKETING_DEMO", default=False)
SITE_URL: str = read.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS: list[str] = read.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
TRUSTED_PROXIES: list[str] = read.list("TRUSTED_PROXIES", default=[])
EMAIL_BACKEND: str = read.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
DEFAULT_FROM_EMAIL: str = read.str("DEFAULT_FROM_EMAIL", default="smarketing@localhost")
EMAIL_HOST: str = read.str("EMAIL_HOST", default="localhost")
EMAIL_PORT: int = read.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER: str = read.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD: str = read.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS: bool = read.bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL: bool = read.bool("EMAIL_USE_SSL", default=False)
SECRET_KEY: str = read.str("SECRET_KEY", default="") or kept("signing_key", _signing_key)
SECRET_KEY_FALLBACKS: list[str] = read.list("SECRET_KEY_FALLBACKS", default=[])
# Secrets at rest have keys of their own, so that a dump of the database alone discloses none.
FIELD_ENCRYPTION_KEYS: list[str] = read.list("FIELD_ENCRYPTION_KEYS", default=[]) or kept(
    "encryption_keys", _encryption_key
).split(",")
# Recognises addresses of people who were erased. It outlives the other keys: a new one knows nobody.
SUPPRESSION_KEY: str = read.str("SUPPRESSION_KEY", default="") or kept("suppression_key", _signing_key)
# No request is read beyond this, whatever its address; imports are the largest.
MAX_BODY_BYTES: int = read.int("MAX_BODY_BYTES", default=64 * 1024 * 1024)
# Whoever sends it as a bearer token may read /metrics and /healthz; without one only the loopback may.
METRICS_TOKEN: str = read.str("METRICS_TOKEN", default="")
LOG_FORMAT: str = read.str("LOG_FORMAT", default="console" if PROCESS == "command" else "json")
LOG_LEVEL: str = read.str("LOG_LEVEL", default="WARNING" if PROCESS == "command" else "INFO").upper()
# Where webhooks may go: ports, and private networks (CIDR) that are allowed beside the public internet.
OUTBOUND_PORTS: list[int] = [int(port) for port in read.list("OUTBOUND_PORTS", default=["443"])]
OUTBOUND_NETWORKS: list[str] = read.list("OUTBOUND_NETWORKS", default=[])
# Pages and REST requests that one web process works on at once, each with a connection of its own.
PAGE_THREADS: int = read.int("PAGE_THREADS", default=4)
# Tracked messages that may wait to be applied; beyond, senders are told to come back.
INTAKE_INBOX_ROWS: int = read.int("INTAKE_INBOX_ROWS", default=500_000)
# Tracked events a minute that one network (/24, /48) may send to one web process with browser keys.
INTAKE_NETWORK_PER_MINUTE: int = read.int("INTAKE_NETWORK_PER_MINUTE", default=6000)
# Requests a minute that one API token may make.
API_REQUESTS_PER_MINUTE: int = read.int("API_REQUESTS_PER_MINUTE", default=600)


def oidc_apps() -> list[dict[str, Any]]:
    """The one OpenID provider to sign in with, if the environment names one."""
    issuer = read.str("OIDC_ISSUER", default="")
    if not issuer:
        return []
    return [
        {
            "provider_id": "oidc",
            "name": read.str("OIDC_NAME", default="Single sign-on"),
            "client_id": read.str("OIDC_CLIENT_ID"),
            "secret": read.str("OIDC_CLIENT_SECRET"),
            "settings": {"server_url": issuer, "oauth_pkce_enabled": True},
        }
    ]


def oidc_origins() -> list[str]:
    """Where the sign-in form may lead to: a browser checks the redirect to the provider, too."""
    issuer = urlsplit(read.str("OIDC_ISSUER", default=""))
    named = [f"{issuer.scheme}://{issuer.netloc}"] if issuer.netloc else []
    return [*named, *read.list("OIDC_ORIGINS", default=[])]


def embedded() -> list[str]:
    """The embedded servers this installation uses: those that the environment does not name."""
    return [
        name
        for name, variable in (("postgres", "DATABASE_URL"), ("valkey", "REDIS_URL"))
        if not read.str(variable, default="")
    ]


# Seconds a statement, a wait for a lock and an idle transaction may take; 0 is without limit. A person
# waits for the web; an import or a migration is watched by whoever started it.
_LIMITS: dict[str, tuple[int, int, int]] = {
    "web": (5, 2, 10),
    "worker": (60, 5, 30),
    "command": (0, 10, 0),
}


def database() -> dict[str, Any]:
    """Django's settings of the one database, with the limits of this kind of process."""
    default = f"postgres://{paths.ROLE}@/{paths.DATABASE}?host={paths.socket_directory(HOME)}"
    found: dict[str, Any] = dict(read.db_url("DATABASE_URL", default=default))
    statement, lock, idle = _LIMITS.get(PROCESS, _LIMITS["command"])
    options = found.setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 5)
    options.setdefault("application_name", f"smarketing {PROCESS}")
    options.setdefault(
        "options",
        f"-c statement_timeout={statement}s -c lock_timeout={lock}s"
        f" -c idle_in_transaction_session_timeout={idle}s"
        # Of what core.prepared prepares the values don't shape the plan; left alone, PostgreSQL would
        # plan every look-up by a list of keys anew.
        " -c plan_cache_mode=force_generic_plan",
    )
    found["CONN_MAX_AGE"] = 60
    found["CONN_HEALTH_CHECKS"] = True
    found["ATOMIC_REQUESTS"] = False  # transactions are the services', and short
    return found


def broker_url() -> str:
    """Address of the Celery broker."""
    return read.str("REDIS_URL", default="") or f"redis+socket://{paths.valkey_socket(HOME)}"


def broker_options() -> dict[str, Any]:
    """How long this kind of process waits for the broker.

    The web gives up after half a second, without a second try; a worker is patient.
    """
    options: dict[str, Any] = {
        "visibility_timeout": 180,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }
    if PROCESS == "web":
        options |= {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "retry_on_timeout": False,
            "max_retries": 0,
        }
    return options


def cache_url(database: int = 1) -> str:
    """Address of the cache of counters: a database of its own on the broker's server."""
    broker = urlsplit(broker_url())
    if broker.scheme == "redis+socket":
        return f"unix://{broker.path}?db={database}"
    return urlunsplit(broker._replace(path=f"/{database}"))
