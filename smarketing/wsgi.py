"""WSGI entry point: tracking goes to the intake, pages and the REST interface to Django."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from smarketing.celery import app as celery_app
from smarketing.core import deadline

# Read by smarketing.env: short limits on statements, locks and the broker.
os.environ.setdefault("SMARKETING_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smarketing.settings")

_pages = get_wsgi_application()
deadline.install()

from leads.intake.entry import Entry  # noqa: E402 - needs the apps, which the lines above have loaded

application = Entry(_pages, page_threads=settings.PAGE_THREADS)

__all__ = ["application", "celery_app"]
