"""Addresses of the shared parts of the pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, path

from smarketing.web.views import (
    home,
    notices,
    notifications,
    palette,
    profile,
    saved_views,
    settings_audit,
    settings_index,
    settings_organisation,
    settings_teams,
    settings_tokens,
    settings_users,
    settings_webhooks,
    styleguide,
)

app_name = "web"
urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("profile", profile.edit, name="profile"),
    path("notifications", notifications.show, name="notifications"),
    path("notifications/bell", notifications.bell, name="bell"),
    path("notifications/choices", notices.edit, name="notices"),
    path("notifications/read", notifications.read_all, name="notifications_read"),
    path("notifications/<int:pk>/follow", notifications.follow, name="notification_follow"),
    path("settings/", settings_index.show, name="settings"),
    path("settings/users/", settings_users.user_list, name="users"),
    path("settings/users/new/", settings_users.user_new, name="user_new"),
    path("settings/users/<int:pk>/edit/", settings_users.user_edit, name="user_edit"),
    path("settings/users/<int:pk>/role/", settings_users.user_role, name="user_role"),
    path("settings/users/<int:pk>/deactivate/", settings_users.user_deactivate, name="user_deactivate"),
    path("settings/users/<int:pk>/reactivate/", settings_users.user_reactivate, name="user_reactivate"),
    path("settings/users/<int:pk>/invite/", settings_users.user_invite, name="user_invite"),
    path("settings/teams/", settings_teams.team_list, name="teams"),
    path("settings/teams/new/", settings_teams.team_new, name="team_new"),
    path("settings/teams/<int:pk>/add/", settings_teams.member_add, name="member_add"),
    path("settings/teams/<int:pk>/<int:user_pk>/lead/", settings_teams.member_lead, name="member_lead"),
    path("settings/teams/<int:pk>/<int:user_pk>/remove/", settings_teams.member_remove, name="member_remove"),
    path("settings/teams/<int:pk>/<int:user_pk>/back/", settings_teams.member_back, name="member_back"),
    path("settings/organisation/", settings_organisation.show, name="organisation"),
    path("settings/organisation/edit/", settings_organisation.edit, name="organisation_edit"),
    path("settings/tokens/", settings_tokens.token_list, name="tokens"),
    path("settings/tokens/new/", settings_tokens.token_new, name="token_new"),
    path("settings/tokens/<int:pk>/revoke/", settings_tokens.token_revoke, name="token_revoke"),
    path("settings/webhooks/", settings_webhooks.webhook_list, name="webhooks"),
    path("settings/webhooks/new/", settings_webhooks.webhook_new, name="webhook_new"),
    path("settings/webhooks/<int:pk>/", settings_webhooks.webhook_show, name="webhook"),
    path("settings/webhooks/<int:pk>/edit/", settings_webhooks.webhook_edit, name="webhook_edit"),
    path("settings/webhooks/<int:pk>/switch/", settings_webhooks.webhook_switch, name="webhook_switch"),
    path("settings/webhooks/<int:pk>/secret/", settings_webhooks.webhook_secret, name="webhook_secret"),
    path("settings/webhooks/<int:pk>/delete/", settings_webhooks.webhook_delete, name="webhook_delete"),
    path("settings/webhooks/<int:pk>/recover/", settings_webhooks.webhook_recover, name="webhook_recover"),
    path("settings/deliveries/<int:pk>/replay/", settings_webhooks.delivery_replay, name="delivery_replay"),
    path("settings/audit/", settings_audit.show, name="audit"),
    path("palette", palette.search, name="palette"),
    path("saved-views/save", saved_views.save, name="saved_view_save"),
    path("saved-views/<int:pk>/forget", saved_views.forget, name="saved_view_forget"),
]
if settings.DEBUG or settings.DEMO or settings.TESTING:
    urlpatterns += [
        path("styleguide", styleguide.show, name="styleguide"),
        path("styleguide/toast", styleguide.toast, name="styleguide_toast"),
    ]
