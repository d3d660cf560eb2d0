"""Addresses of resources: no trailing slash, no index page."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """``/leads``, ``/leads/7``, ``/leads/7/accept``."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
