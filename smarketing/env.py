"""What the environment says: the one reader of environment variables.

Everything an operator can set is read here once, typed, with the default of a laptop. Where
``DATABASE_URL`` or ``REDIS_URL`` is absent, the address of the embedded server under
``SMARKETING_HOME`` is used instead.
"""

from __future__ import annotations

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

read = environ.Env()

HOME = Path(read.str("SMARKETING_HOME", default=str(BASE_DIR / "var"))).resolve()

TESTING: bool = read.bool("SMARKETING_TESTING", default=False)
DEBUG: bool = read.bool("DEBUG", default=False)
DEMO: bool = read.bool("SMARKETING_DEMO", default=False)
SITE_URL: str = read.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS: list[str] = read.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
TRUSTED_PROXIES: list[str] = read.list("TRUSTED_PROXIES", default=[])
EMAIL_BACKEND: str = read.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
DEFAULT_FROM_EMAIL: str = read.str("DEFAULT_FROM_EMAIL", default="smarketing@localhost")
SECRET_KEY: str = read.str(
    "SECRET_KEY", default="development-only-key-replaced-by-the-file-in-home-" + "x" * 20
)
SECRET_KEY_FALLBACKS: list[str] = read.list("SECRET_KEY_FALLBACKS", default=[])
FIELD_ENCRYPTION_KEYS: list[str] = read.list("FIELD_ENCRYPTION_KEYS", default=[])


def database() -> dict[str, object]:
    """Django's settings of the one database."""
    return dict(read.db_url("DATABASE_URL", default=f"postgres://postgres@/smarketing?host={HOME}/run"))


def broker_url() -> str:
    """Address of the Celery broker."""
    return read.str("REDIS_URL", default=f"redis+socket://{HOME}/run/valkey.sock")
