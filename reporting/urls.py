"""Addresses of reporting."""

from __future__ import annotations

from django.urls import path

from reporting.views import home, reports, website

app_name = "reporting"
urlpatterns = [
    path("supply/", home.supply, name="supply"),
    path("alignment/", home.alignment, name="alignment"),
    path("website/", website.dashboard, name="website"),
    path("website/live/", website.live, name="website_live"),
    path("reports/", reports.index, name="reports"),
    path("reports/<slug:key>/", reports.report, name="report"),
    path("reports/<slug:key>/export/", reports.export, name="export"),
    path("reports/<slug:key>/records/", reports.behind, name="records"),
]
