"""Settings of the tests: the product's own, below a home of their own.

The environment is set before the product reads it, and stays set for processes that tests start.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["SMARKETING_TESTING"] = "1"
os.environ["SMARKETING_HOME"] = os.environ.get(
    "SMARKETING_TEST_HOME", str(Path(__file__).resolve().parents[1] / "var" / "test")
)

from smarketing import env  # noqa: E402
from smarketing.settings import *  # noqa: E402, F403

# Argon2 takes 0.2 s and 100 MB for each of the many users that tests sign in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - whitenoise warns of a missing one
# Tests clear the counters: each process of a parallel run has its own.
CACHES["counters"]["LOCATION"] = env.cache_url(  # noqa: F405
    1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 15
)
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
