"""Addresses of people, leads, companies, campaigns and tasks."""

from __future__ import annotations

from django.urls import URLPattern, path

from leads.views import (
    activities,
    attributes,
    campaigns,
    capture,
    companies,
    consent_pages,
    consents,
    facts,
    people,
    timeline,
)

app_name = "leads"
urlpatterns: list[URLPattern] = [
    path("leads/new/", capture.new, name="lead_new"),
    path("leads/known/", capture.known, name="known"),
    path("leads/<int:pk>/", people.lead_page, name="lead"),
    path("people/<int:pk>/", people.person_page, name="person"),
    path("people/<int:pk>/timeline/", timeline.show, name="timeline"),
    path("people/<int:pk>/log/", activities.closed_composer, name="composer"),
    path("people/<int:pk>/log/<slug:kind>/", activities.log, name="log"),
    path("facts/<slug:kind>/<int:pk>/<slug:name>/", facts.show, name="fact"),
    path("facts/<slug:kind>/<int:pk>/<slug:name>/edit/", facts.edit, name="fact_edit"),
    path("companies/", companies.company_list, name="companies"),
    path("companies/new/", companies.company_new, name="company_new"),
    path("companies/suggestions/", companies.suggestions, name="company_suggestions"),
    path("companies/<int:pk>/", companies.company_page, name="company"),
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/new/", campaigns.campaign_new, name="campaign_new"),
    path("campaigns/<int:pk>/", campaigns.campaign_page, name="campaign"),
    path("people/<int:pk>/consent/", consents.record, name="consent_record"),
    path("settings/purposes/", consents.purposes, name="purposes"),
    path("settings/purposes/new/", consents.purpose_new, name="purpose_new"),
    path("settings/purposes/<slug:code>/edit/", consents.purpose_edit, name="purpose_edit"),
    path("confirm/<str:token>/", consent_pages.confirm, name="consent_confirm"),
    path("u/<str:token>/", consent_pages.unsubscribe, name="consent_unsubscribe"),
    path("preferences/<str:token>/", consent_pages.preferences, name="consent_preferences"),
    path("settings/attributes/", attributes.attribute_list, name="attributes"),
    path("settings/attributes/new/", attributes.attribute_new, name="attribute_new"),
    path("settings/attributes/<int:pk>/edit/", attributes.attribute_edit, name="attribute_edit"),
    path("tasks/", activities.tasks, name="tasks"),
    path("tasks/<int:pk>/done/", activities.complete, name="task_done"),
    path("tasks/<int:pk>/open/", activities.reopen, name="task_reopen"),
]
