"""Addresses of the funnel."""

from __future__ import annotations

from django.urls import URLPattern, path

from funnel.views import alerts, board, definitions, handoffs, lead_actions, leads, opportunities, settings

app_name = "funnel"
urlpatterns: list[URLPattern] = [
    path("leads/", leads.lead_page, name="leads"),
    path("leads/export.csv", leads.export, name="leads_export"),
    path("leads/owner/", leads.change_owner, name="leads_owner"),
    path("leads/owner/undo/<int:pk>/<int:at>/", leads.undo_owner, name="owner_undo"),
    path("leads/<int:pk>/deliver/", lead_actions.deliver, name="lead_deliver"),
    path("leads/<int:pk>/override/", lead_actions.override, name="lead_override"),
    path("leads/<int:pk>/owner/", lead_actions.change_owner, name="lead_owner"),
    path("leads/<int:pk>/move/", lead_actions.move, name="lead_move"),
    path("leads/<int:pk>/qualification/", lead_actions.qualify, name="lead_qualify"),
    path("leads/<int:pk>/signals/<slug:key>/", lead_actions.events_of_signal, name="signal_events"),
    path("alerts/", alerts.alert_page, name="alerts"),
    path("alerts/new/", alerts.new, name="alert_new"),
    path("alerts/hours/", alerts.hours, name="alert_hours"),
    path("alerts/<int:pk>/", alerts.alert_hits, name="alert"),
    path("alerts/<int:pk>/edit/", alerts.edit, name="alert_edit"),
    path("alerts/<int:pk>/snooze/", alerts.snooze, name="alert_snooze"),
    path("alerts/<int:pk>/stop/", alerts.stop, name="alert_stop"),
    path("alerts/<int:pk>/resume/", alerts.resume, name="alert_resume"),
    path("handoffs/<int:pk>/accept/", handoffs.accept, name="handoff_accept"),
    path("handoffs/<int:pk>/return/", handoffs.return_, name="handoff_return"),
    path("handoffs/<int:pk>/undo/", handoffs.undo, name="handoff_undo"),
    path("opportunities/", board.board_page, name="opportunities"),
    path("opportunities/list/", board.deal_list, name="opportunities_list"),
    path("opportunities/export.csv", board.export, name="opportunities_export"),
    path("opportunities/new/", opportunities.new, name="opportunity_new"),
    path("opportunities/<int:pk>/", opportunities.deal_page, name="opportunity"),
    path("opportunities/<int:pk>/edit/", opportunities.edit, name="opportunity_edit"),
    path("opportunities/<int:pk>/move/", board.move, name="opportunity_move"),
    path("opportunities/<int:pk>/undo/", board.undo, name="opportunity_undo"),
    path("settings/definition/", definitions.show, name="definition"),
    path("settings/definition/draft/", definitions.draft, name="definition_draft"),
    path("settings/definition/row/<slug:section>/", definitions.row, name="definition_row"),
    path("settings/definition/<int:number>/", definitions.version, name="definition_version"),
    path("settings/definition/<int:number>/edit/", definitions.edit, name="definition_edit"),
    path("settings/definition/<int:number>/propose/", definitions.propose, name="definition_propose"),
    path("settings/definition/<int:number>/discard/", definitions.discard, name="definition_discard"),
    path("settings/definition/<int:number>/sign/", definitions.sign, name="definition_sign"),
    path("settings/stages/", settings.stage_page, name="stages"),
    path("settings/stages/<int:pk>/", settings.stage_edit, name="stage_edit"),
    path("settings/columns/<int:pk>/", settings.column_edit, name="column_edit"),
    path("settings/rings/", settings.ring_page, name="rings"),
    path("settings/rings/<int:ring>/<int:user>/", settings.place_edit, name="place_edit"),
    path("settings/products/", settings.product_page, name="products"),
    path("settings/products/new/", settings.product_new, name="product_new"),
    path("settings/products/<int:pk>/", settings.product_edit, name="product_edit"),
]
