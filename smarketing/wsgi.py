"""WSGI entry point."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from smarketing.celery import app as celery_app
from smarketing.core import deadline

# Read by smarketing.env: short limits on statements, locks and the broker.
os.environ.setdefault("SMARKETING_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smarketing.settings")

application = get_wsgi_application()
deadline.install()

__all__ = ["application", "celery_app"]
