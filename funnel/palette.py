"""What the command palette finds here: deals by name, and what can be added."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from funnel.selectors import deals
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.palette import LIMIT, Hit

SHORTEST = 2


def actions(user: User, text: str) -> list[Hit]:
    """What may be added."""
    offered = (
        (_("New opportunity"), "funnel:opportunity_new", "plus", Capability.EDIT_OPPORTUNITIES),
        (_("Add an absence"), "funnel:absence_new", "plane", Capability.ANSWER_OWN_HANDOFF),
        (_("Try who gets a lead"), "funnel:routing_trial", "route", Capability.CHANGE_OWNER),
    )
    return [
        Hit(label=label, url=reverse(name), icon=icon)
        for label, name, icon, capability in offered
        if user.may(capability) and text.casefold() in label.casefold()
    ]


def opportunities(user: User, text: str) -> list[Hit]:
    """Deals by their name or company."""
    if len(text) < SHORTEST:
        return []
    return [
        Hit(
            label=deal.name,
            url=reverse("funnel:opportunity", args=[deal.pk]),
            icon="handshake",
            detail=f"{deal.company.name} · {deal.stage.name}" if deal.company else deal.stage.name,
        )
        for deal in deals.found(user, text, limit=LIMIT)
    ]
