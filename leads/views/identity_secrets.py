"""Who may say who a visitor is: the identity secret of the source behind a tracking key."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from leads.models import WriteKey
from leads.selectors import write_keys as reads
from leads.services import identity_secrets
from smarketing.users.domain.roles import Capability
from smarketing.web import asks
from smarketing.web.asks import Ask, AskForm, Secret
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect

MANAGE = Capability.MANAGE_KEYS


@page(capability=MANAGE, methods=["GET", "POST"])
def secret_turn(request: Request, pk: int) -> HttpResponse:
    """Make the secret, or a new one, after a question; it stands in this one answer."""
    key = _key(request, pk)
    is_new = reads.proving(key.source) is None
    title = _("Make an identity secret?") if is_new else _("Make a new identity secret?")
    about = (
        _("Your website's server signs with it whom it has signed in. Nothing changes for pages yet.")
        if is_new
        else _("What the former secret has signed is believed for one more day.")
    )
    back = reverse("leads:write_key", args=[pk])
    url = reverse("leads:identity_secret", args=[pk])
    ask = Ask(title, url, back, AskForm(asks.given(request)), _("Make the secret"), about=about)

    def save(given: dict[str, Any]) -> HttpResponse:
        issued = identity_secrets.turn(source=key.source, actor=request.user, now=request.now)
        told = _("Copy the secret to your website's server now. It is shown this once.")
        return asks.show_once(
            request, Secret(issued.source.name, _("Identity secret"), issued.secret, told, back)
        )

    return asks.answer(request, ask, save)


@page(capability=MANAGE, methods=["POST"])
def proof_demand(request: Request, pk: int) -> HttpResponse:
    """Require a proof of pages (``on=1``), or don't."""
    key, required = _key(request, pk), request.POST.get("on") == "1"
    identity_secrets.demand(source=key.source, required=required, actor=request.user, now=request.now)
    text = _("Pages need a proof now.") if required else _("Pages are believed without a proof.")
    return redirect(request, reverse("leads:write_key", args=[pk]), toast=Toast(text, "ok"))


@page(capability=MANAGE, methods=["GET", "POST"])
def secret_give_up(request: Request, pk: int) -> HttpResponse:
    """Forget the secret, after a question."""
    key = _key(request, pk)
    back = reverse("leads:write_key", args=[pk])
    ask = Ask(
        _("Give up the identity secret?"),
        reverse("leads:identity_secret_give_up", args=[pk]),
        back,
        AskForm(asks.given(request)),
        _("Give it up"),
        about=_("From then on pages of this source are believed when they say who a visitor is."),
        danger=True,
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        identity_secrets.give_up(source=key.source, actor=request.user, now=request.now)
        return redirect(request, back, toast=Toast(_("The secret is forgotten."), "ok"))

    return asks.answer(request, ask, save)


def _key(request: Request, pk: int) -> WriteKey:
    return get_object_or_404(reads.visible_to(request.user), pk=pk)
