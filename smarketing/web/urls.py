"""Addresses of the shared parts of the pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, path

from smarketing.web.views import (
    home,
    notifications,
    palette,
    profile,
    saved_views,
    settings_index,
    styleguide,
)

app_name = "web"
urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("profile", profile.edit, name="profile"),
    path("notifications", notifications.show, name="notifications"),
    path("notifications/bell", notifications.bell, name="bell"),
    path("notifications/read", notifications.read_all, name="notifications_read"),
    path("notifications/<int:pk>/follow", notifications.follow, name="notification_follow"),
    path("settings/", settings_index.show, name="settings"),
    path("palette", palette.search, name="palette"),
    path("saved-views/save", saved_views.save, name="saved_view_save"),
    path("saved-views/<int:pk>/forget", saved_views.forget, name="saved_view_forget"),
]
if settings.DEBUG or settings.DEMO or settings.TESTING:
    urlpatterns += [
        path("styleguide", styleguide.show, name="styleguide"),
        path("styleguide/toast", styleguide.toast, name="styleguide_toast"),
    ]
