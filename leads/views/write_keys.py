"""Tracking keys: who may send events, what they sent, and what to put into a website."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.forms.write_keys import KeyChangeForm, KeyFilter, KeyForm
from leads.models import KeyKind, WriteKey
from leads.selectors import write_keys as reads
from leads.services import inbox, write_keys
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists, rendering
from smarketing.web.asks import Ask, Secret
from smarketing.web.charts import Bar
from smarketing.web.formats import day as shown_day
from smarketing.web.formats import number as shown_number
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect
from smarketing.web.tables import Column, TableSpec

KEYS = TableSpec(
    id="write-keys",
    caption=gettext_lazy("Tracking keys"),
    default_sort="source",
    columns=(
        Column("name", gettext_lazy("Key"), sort="name"),
        Column("source", gettext_lazy("Source"), sort="source__name"),
        Column("kind", gettext_lazy("Used in"), sort="kind"),
        Column("origins", gettext_lazy("Websites")),
        Column("seen", gettext_lazy("Last seen")),
        Column("state", gettext_lazy("State")),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "leads:write_keys"
MANAGE = Capability.MANAGE_KEYS


@page(capability=MANAGE)
def key_list(request: Request) -> HttpResponse:
    """All keys, never the text of a secret one."""
    return lists.render(
        request,
        "leads/write_keys.html",
        spec=KEYS,
        filterset=KeyFilter(request.GET, queryset=reads.visible_to(request.user)),
        row="leads/_write_key_row.html",
        empty=Empty(
            "radar",
            _("A tracking key lets a website or a program send what people do."),
            _("New key"),
            reverse("leads:write_key_new"),
        ),
        context={"dead": reads.waiting_dead_letters(), "stop": reads.stop()},
    )


@page(capability=MANAGE)
def key_page(request: Request, pk: int) -> HttpResponse:
    """One key: the snippet to copy, what it may do, what came with its source."""
    key = _key(request, pk)
    days = reads.days_of(key.source_id, now=request.now)
    reasons = reads.reasons_of(key.source_id, now=request.now)
    context = {
        "key": key,
        "proving": reads.proving(key.source),
        "unproven": sum(n for code, n in reasons if code in reads.DOUBTED),
        "crumbs": [(_("Tracking keys"), reverse(LIST))],
        "snippet": snippet(key),
        "host": settings.SITE_URL,
        "days": [
            Bar(shown_day(d.day), d.stored, shown_number(d.stored), note=_others(d.others))
            for d in reversed(days)
        ],
        "today": days[-1],
        "reasons": [(REASONS.get(code, code), code, n) for code, n in reasons if code not in reads.DOUBTED],
    }
    return rendering.page(request, "leads/write_key.html", context)


@page(capability=MANAGE, methods=["GET", "POST"])
def key_new(request: Request) -> HttpResponse:
    """Make a key; a server key stands in this one answer."""
    form = KeyForm(asks.given(request))
    ask = Ask(_("New tracking key"), reverse("leads:write_key_new"), reverse(LIST), form, _("Make the key"))

    def save(given: dict[str, Any]) -> HttpResponse:
        issued = write_keys.issue_for(**given, actor=request.user, now=request.now)
        back = reverse("leads:write_key", args=[issued.key.pk])
        if issued.key.kind == KeyKind.BROWSER:
            return redirect(
                request, back, toast=Toast(_("Key made. Copy the snippet into your pages."), "ok")
            )
        about = _("Copy the key now. It is shown this once and can't be read again.")
        return asks.show_once(request, Secret(issued.key.name, _("Server key"), issued.text, about, back))

    return asks.answer(request, ask, save)


@page(capability=MANAGE, methods=["GET", "POST"])
def key_edit(request: Request, pk: int) -> HttpResponse:
    """Change name, websites, rate and consent."""
    key = _key(request, pk)
    initial = {
        "name": key.name,
        "origins": "\n".join(key.origins),
        "per_minute": key.per_minute,
        "consent_category": key.consent_category,
    }
    form = KeyChangeForm(asks.given(request), initial=initial)
    back = reverse("leads:write_key", args=[pk])
    ask = Ask(_("Edit the key"), reverse("leads:write_key_edit", args=[pk]), back, form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        write_keys.change(key=key, **given, actor=request.user, now=request.now)
        return redirect(request, back, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=MANAGE, methods=["POST"])
def key_revoke(request: Request, pk: int) -> HttpResponse:
    """Take no more events with this key; the toast takes it back."""
    write_keys.revoke(key=_key(request, pk), actor=request.user, now=request.now)
    undo = reverse("leads:write_key_restore", args=[pk])
    return redirect(request, LIST, toast=Toast(_("Key revoked."), "ok", undo_url=undo))


@page(capability=MANAGE, methods=["POST"])
def key_restore(request: Request, pk: int) -> HttpResponse:
    """Take events with this key again."""
    write_keys.restore(key=_key(request, pk), actor=request.user, now=request.now)
    return redirect(request, LIST, toast=Toast(_("The key works again."), "ok"))


@page(capability=MANAGE, methods=["POST"])
def resume(request: Request) -> HttpResponse:
    """Go on applying after a stop."""
    inbox.resume(now=request.now)
    return redirect(request, LIST, toast=Toast(_("Tracking goes on."), "ok"))


def snippet(key: WriteKey) -> str:
    """The tag for a page, or "" for a key of a server."""
    if key.kind != KeyKind.BROWSER:
        return ""
    return f'<script async src="{settings.SITE_URL}/t.js" data-key="{key.public_key}"></script>'


def _others(events: int) -> str:
    return _("%(events)s not kept") % {"events": f"{events:,}"} if events else ""


def _key(request: Request, pk: int) -> WriteKey:
    return get_object_or_404(reads.visible_to(request.user), pk=pk)


REASONS = {
    "repeated": gettext_lazy("Sent again, and stored once"),
    "gpc": gettext_lazy("The browser asks not to be tracked (Global Privacy Control)"),
    "dnt": gettext_lazy("The browser asks not to be tracked (Do Not Track)"),
    "no_consent": gettext_lazy("No consent to the category this key asks for"),
    "origin_not_allowed": gettext_lazy("Sent from a website that is not on the key's list"),
    "server_key_in_browser": gettext_lazy("A server key was used in a web page"),
    "key_rate": gettext_lazy("More events a minute than the key allows"),
    "network_rate": gettext_lazy("Too many events from one network"),
    "inbox_full": gettext_lazy("Too many events waited to be applied"),
    "too_large": gettext_lazy("The request was too large"),
    "event_too_large": gettext_lazy("The event was larger than 32 KB"),
    "too_complex": gettext_lazy("The event nested too deeply or held too many values"),
    "no_identity": gettext_lazy("Neither userId nor anonymousId"),
    "no_event_name": gettext_lazy("A track call without a name"),
    "no_group": gettext_lazy("A group call without groupId"),
    "no_proof": gettext_lazy("Named somebody without proof, and no visitor"),
    "no_user": gettext_lazy("An alias call without userId"),
    "no_previous": gettext_lazy("An alias call without previousId"),
    "bad_id": gettext_lazy("An id that is neither text nor number"),
    "id_too_long": gettext_lazy("An id of more than 255 characters"),
    "unknown_type": gettext_lazy("A call of a type that there is not"),
    "not_an_object": gettext_lazy("Not a JSON object"),
    "unstorable": gettext_lazy("Something the database can't store"),
    "spool_full": gettext_lazy("A picture's event that found no room while the database was away"),
}
