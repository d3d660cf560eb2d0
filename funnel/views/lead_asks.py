"""The dialogs of one lead, for the panel that holds them and the views that answer them."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel.forms.lead_actions import MoveForm, OverrideForm, ReturnForm
from funnel.forms.owners import OwnerForm
from funnel.models import Handoff, Stage
from funnel.views.asks import Ask
from leads.models import Lead


def return_(handoff: Handoff, data: QueryDict | None = None) -> Ask:
    """Why the lead goes back."""
    form = ReturnForm(data, initial={"version": handoff.version}, auto_id="return_%s")
    return Ask(
        id="return-form",
        title=_("Return to marketing"),
        url=reverse("funnel:handoff_return", args=[handoff.pk]),
        form=form,
        submit=_("Return to marketing"),
    )


def override(lead: Lead, data: QueryDict | None = None) -> Ask:
    """Why the lead passes the gate."""
    return Ask(
        id="override-form",
        title=_("Override the gate"),
        url=reverse("funnel:lead_override", args=[lead.pk]),
        form=OverrideForm(data, auto_id="override_%s"),
        submit=_("Deliver all the same"),
    )


def owner(lead: Lead, data: QueryDict | None = None) -> Ask:
    """Who is to be responsible."""
    return Ask(
        id="owner-form",
        title=_("Change the owner"),
        url=reverse("funnel:lead_owner", args=[lead.pk]),
        form=OwnerForm(data, auto_id="owner_%s"),
        submit=_("Change owner"),
        about=_("A handoff that waits for an answer goes along."),
    )


def move(
    lead: Lead,
    targets: Sequence[Stage],
    data: QueryDict | None = None,
    *,
    asks_need: bool = False,
    initial: dict[str, str] | None = None,
) -> Ask:
    """Which stage, and why; what an SQL needs, once that is known to be missing."""
    asks_need = asks_need or (data is not None and "need" in data)
    form = MoveForm(data, targets=targets, asks_need=asks_need, initial=initial, auto_id="move_%s")
    return Ask(
        id="move-form",
        title=_("Move to another stage"),
        url=reverse("funnel:lead_move", args=[lead.pk]),
        form=form,
        submit=_("Move"),
        about=_("Need and budget make an accepted lead ready for sales.")
        if asks_need
        else _("Stages follow from what happens. Move by hand only what the record got wrong."),
    )
