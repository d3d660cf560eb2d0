"""Composition of all addresses."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("smarketing.api")),
    path("accounts/", include("allauth.urls")),
    path("", include("sla.urls")),
    path("", include("smarketing.web.urls")),
    path("", include("leads.urls")),
    path("", include("reporting.urls")),
    path("", include("funnel.urls")),
]

handler400 = "smarketing.web.errors.bad_request"
handler403 = "smarketing.web.errors.denied"
handler404 = "smarketing.web.errors.missing"
handler500 = "smarketing.web.errors.fault"
