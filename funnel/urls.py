"""Addresses of the funnel."""

from __future__ import annotations

from django.urls import URLPattern, path

from funnel.views import leads

app_name = "funnel"
urlpatterns: list[URLPattern] = [
    path("leads/", leads.lead_page, name="leads"),
    path("leads/export.csv", leads.export, name="leads_export"),
    path("leads/owner/", leads.change_owner, name="leads_owner"),
    path("leads/owner/undo/<int:pk>/<int:at>/", leads.undo_owner, name="owner_undo"),
]
