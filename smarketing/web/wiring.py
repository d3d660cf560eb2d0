"""What the frame itself adds to the menu and the palette."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.notifications.selectors import notifications
from smarketing.users.domain.roles import Capability
from smarketing.web import navigation, settings_pages
from smarketing.web.navigation import NavItem, Section
from smarketing.web.settings_pages import SettingsPage

PEOPLE, SYSTEM = _("People"), _("This installation")
PAGES = (
    SettingsPage(_("Users"), _("Who signs in, with which role."), "users", "web:users", PEOPLE, order=110),
    SettingsPage(_("Teams"), _("Who is in them, who leads."), "users-round", "web:teams", PEOPLE, order=120),
    SettingsPage(
        _("Organisation"),
        _("Name, time zone, currency and country."),
        "building",
        "web:organisation",
        SYSTEM,
        order=210,
    ),
    SettingsPage(
        _("API tokens"), _("Programs that act as you."), "key-round", "web:tokens", SYSTEM, order=220
    ),
    SettingsPage(
        _("Webhooks"),
        _("Other systems that are told what happens here."),
        "webhook",
        "web:webhooks",
        SYSTEM,
        order=230,
        capability=Capability.MANAGE_KEYS,
    ),
    SettingsPage(
        _("Audit trail"),
        _("Who changed which setting, and when."),
        "scroll-text",
        "web:audit",
        SYSTEM,
        order=240,
        capability=Capability.READ_AUDIT,
    ),
)


def connect() -> None:
    """The bell counts unread notifications; the settings stand last in the menu."""
    for entry in PAGES:
        settings_pages.register(entry)
    navigation.register_bell("web:notifications", notifications.unread)
    navigation.register(
        NavItem(_("Settings"), "settings", "web:settings", section=Section.WHOLE, order=90, key=",")
    )
