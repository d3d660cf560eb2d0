"""Receivers of webhooks: where they are, what they hear, their secrets, and what was sent to them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smarketing.notifications import topics
from smarketing.notifications.models import Endpoint, EndpointFormat
from smarketing.notifications.selectors import endpoints as reads
from smarketing.notifications.services import deliveries, endpoints, recoveries
from smarketing.notifications.services.endpoints import IssuedSecret
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists
from smarketing.web.asks import Ask, Secret
from smarketing.web.forms.keys import ConfirmForm, EndpointForm, SinceForm
from smarketing.web.forms.settings_filters import DeliveryFilter, EndpointFilter
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect
from smarketing.web.tables import Column, TableSpec

ENDPOINTS = TableSpec(
    id="webhooks",
    caption=gettext_lazy("Webhooks"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Name"), sort="name"),
        Column("topics", gettext_lazy("Topics")),
        Column("state", gettext_lazy("State"), sort="enabled"),
        Column("created", gettext_lazy("Created"), sort="created_at"),
    ),
)
DELIVERIES = TableSpec(
    id="deliveries",
    caption=gettext_lazy("Deliveries"),
    default_sort="-number",
    columns=(
        Column("number", gettext_lazy("Message"), sort="pk"),
        Column("topic", gettext_lazy("Topic")),
        Column("state", gettext_lazy("State")),
        Column("attempts", gettext_lazy("Attempts"), numeric=True),
        Column("answer", gettext_lazy("Last answer")),
        Column("at", gettext_lazy("Delivered or next attempt")),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "web:webhooks"
KEYS = Capability.MANAGE_KEYS


@page(capability=KEYS)
def webhook_list(request: Request) -> HttpResponse:
    """All receivers, never their secrets."""
    filterset = EndpointFilter(request.GET, queryset=reads.visible_to(request.user))
    return lists.render(
        request,
        "settings/webhooks.html",
        spec=ENDPOINTS,
        filterset=filterset,
        row="settings/_webhook_row.html",
        empty=Empty("webhook", _("A webhook tells another system at once what has happened here.")),
        context={"topics": topics.topics()},
    )


@page(capability=KEYS)
def webhook_show(request: Request, pk: int) -> HttpResponse:
    """One receiver and what was sent to it, the latest first."""
    endpoint = _endpoint(request, pk)
    return lists.render(
        request,
        "settings/webhook.html",
        spec=DELIVERIES,
        filterset=DeliveryFilter(request.GET, queryset=reads.deliveries_of(endpoint).order_by()),
        row="settings/_delivery_row.html",
        empty=Empty("send", _("Nothing was sent to this address yet.")),
        context={"endpoint": endpoint, "now": request.now},
    )


@page(capability=KEYS, methods=["GET", "POST"])
def webhook_new(request: Request) -> HttpResponse:
    """Add a receiver; its secret stands in this one answer."""
    form = EndpointForm(asks.given(request))
    ask = Ask(_("New webhook"), reverse("web:webhook_new"), reverse(LIST), form, _("Add the webhook"))

    def save(given: dict[str, Any]) -> HttpResponse:
        issued = endpoints.create(**given, actor=request.user, now=request.now)
        if issued.endpoint.format == EndpointFormat.SLACK:  # its messages are not signed
            return redirect(request, LIST, toast=Toast(_("Added."), "ok"))
        return _show_once(request, issued)

    return asks.answer(request, ask, save)


@page(capability=KEYS, methods=["GET", "POST"])
def webhook_edit(request: Request, pk: int) -> HttpResponse:
    """Change name, address and topics."""
    endpoint = _endpoint(request, pk)
    initial = {
        "name": endpoint.name,
        "url": endpoint.url,
        "topics": ", ".join(endpoint.topics),
        "format": endpoint.format,
    }
    form = EndpointForm(asks.given(request), initial=initial)
    back = reverse("web:webhook", args=[pk])
    ask = Ask(_("Edit the webhook"), reverse("web:webhook_edit", args=[pk]), back, form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        endpoints.update(endpoint=endpoint, actor=request.user, now=request.now, **given)
        return redirect(request, back, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=KEYS, methods=["POST"])
def webhook_switch(request: Request, pk: int) -> HttpResponse:
    """Switch a receiver on (``on=1``) or off."""
    endpoint, on = _endpoint(request, pk), request.POST.get("on") == "1"
    endpoints.update(endpoint=endpoint, enabled=on, actor=request.user, now=request.now)
    text = _("Webhook switched on.") if on else _("Webhook switched off.")
    return redirect(request, reverse("web:webhook", args=[pk]), toast=Toast(text, "ok"))


@page(capability=KEYS, methods=["GET", "POST"])
def webhook_secret(request: Request, pk: int) -> HttpResponse:
    """A new secret, after a question; the former one signs along for a day."""
    endpoint = _endpoint(request, pk)
    ask = Ask(
        _("Make a new secret?"),
        reverse("web:webhook_secret", args=[pk]),
        reverse("web:webhook", args=[pk]),
        ConfirmForm(asks.given(request)),
        _("Make a new secret"),
        about=_("For one day messages are signed with the former secret, too, so that nothing is lost."),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        issued = endpoints.turn_secret(endpoint=endpoint, actor=request.user, now=request.now)
        return _show_once(request, issued)

    return asks.answer(request, ask, save)


@page(capability=KEYS, methods=["GET", "POST"])
def webhook_delete(request: Request, pk: int) -> HttpResponse:
    """Remove a receiver and its deliveries, after a question."""
    endpoint = _endpoint(request, pk)
    ask = Ask(
        _("Delete “%(name)s”?") % {"name": endpoint.name},
        reverse("web:webhook_delete", args=[pk]),
        reverse("web:webhook", args=[pk]),
        ConfirmForm(asks.given(request)),
        _("Delete"),
        about=_("Its deliveries go with it, also those still on their way. This can't be undone."),
        danger=True,
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        endpoints.delete(endpoint=endpoint, actor=request.user, now=request.now)
        return redirect(request, LIST, toast=Toast(_("Webhook deleted."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=KEYS, methods=["GET", "POST"])
def webhook_recover(request: Request, pk: int) -> HttpResponse:
    """Send what a receiver missed since an instant."""
    endpoint = _endpoint(request, pk)
    since = endpoint.failing_since or endpoint.updated_at
    back = reverse("web:webhook", args=[pk])
    ask = Ask(
        _("Send what was missed"),
        reverse("web:webhook_recover", args=[pk]),
        back,
        SinceForm(asks.given(request), initial={"since": timezone.localtime(since)}),
        _("Send it"),
        about=_("What failed or was never sent goes out, the oldest first. What was taken is not repeated."),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        done = recoveries.recover(endpoint=endpoint, actor=request.user, now=request.now, **given)
        count = done.again + done.new
        text = ngettext("%(n)d message goes out.", "%(n)d messages go out.", count) % {"n": count}
        if done.next_since:
            text += " " + _("There is more: do it again later.")
        return redirect(request, back, toast=Toast(text, "ok"))

    return asks.answer(request, ask, save)


@page(capability=KEYS, methods=["POST"])
def delivery_replay(request: Request, pk: int) -> HttpResponse:
    """Send a finished delivery again."""
    delivery = get_object_or_404(reads.deliveries_visible_to(request.user), pk=pk)
    deliveries.replay(delivery=delivery, actor=request.user, now=request.now)
    back = reverse("web:webhook", args=[delivery.endpoint_id])
    return redirect(request, back, toast=Toast(_("It is on its way again."), "ok"))


def _endpoint(request: Request, pk: int) -> Endpoint:
    return get_object_or_404(reads.visible_to(request.user), pk=pk)


def _show_once(request: Request, issued: IssuedSecret) -> HttpResponse:
    secret = Secret(
        issued.endpoint.name,
        _("Signing secret"),
        issued.secret,
        _("Copy the secret now. The receiver checks our signatures with it; it can't be read again."),
        reverse("web:webhook", args=[issued.endpoint.pk]),
    )
    return asks.show_once(request, secret)
