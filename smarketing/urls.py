"""Composition of all addresses."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("smarketing.api")),
    path("accounts/", include("allauth.urls")),
]
