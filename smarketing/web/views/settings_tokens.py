"""API tokens: one's own; who manages keys sees and revokes all of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import tokens as reads
from smarketing.users.services import tokens
from smarketing.web import asks, lists
from smarketing.web.asks import Ask, Secret
from smarketing.web.forms.keys import ConfirmForm, TokenForm
from smarketing.web.forms.settings_filters import TokenFilter
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect
from smarketing.web.tables import Column, TableSpec

TOKENS = TableSpec(
    id="tokens",
    caption=gettext_lazy("API tokens"),
    default_sort="-created",
    columns=(
        Column("name", gettext_lazy("Name"), sort="name"),
        Column("user", gettext_lazy("Acts as"), sort="user__name"),
        Column("scopes", gettext_lazy("Scopes")),
        Column("created", gettext_lazy("Created"), sort="created_at"),
        Column("used", gettext_lazy("Last used")),
        Column("state", gettext_lazy("State")),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "web:tokens"


@page(capability=Capability.VIEW)
def token_list(request: Request) -> HttpResponse:
    """The tokens this user may see, never their secrets."""
    filterset = TokenFilter(request.GET, queryset=reads.visible_to(request.user), now=request.now)
    return lists.render(
        request,
        "settings/tokens.html",
        spec=TOKENS,
        filterset=filterset,
        row="settings/_token_row.html",
        empty=Empty("key-round", _("A token lets a program act as you, without your password.")),
        context={"now": request.now},
    )


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def token_new(request: Request) -> HttpResponse:
    """Make a token for oneself; its secret stands in this one answer."""
    form = TokenForm(asks.given(request))
    ask = Ask(
        _("New API token"),
        reverse("web:token_new"),
        reverse(LIST),
        form,
        _("Make the token"),
        about=_("It may do what you may do, within its scopes."),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        issued = tokens.issue(
            user=request.user,
            name=given["name"],
            scopes=given["scopes"],
            expires_at=form.expires_at(request.now),
            actor=request.user,
            now=request.now,
        )
        secret = Secret(
            issued.token.name,
            _("Token"),
            issued.secret,
            _("Copy the token now. It is shown this once and can't be read again."),
            reverse(LIST),
        )
        return asks.show_once(request, secret)

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def token_revoke(request: Request, pk: int) -> HttpResponse:
    """End a token at once, after a question: this can't be taken back."""
    token = get_object_or_404(reads.visible_to(request.user), pk=pk)
    ask = Ask(
        _("Revoke “%(name)s”?") % {"name": token.name},
        reverse("web:token_revoke", args=[pk]),
        reverse(LIST),
        ConfirmForm(asks.given(request)),
        _("Revoke"),
        about=_("Programs that use it are refused at once. This can't be undone."),
        danger=True,
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        tokens.revoke(token=token, actor=request.user, now=request.now)
        return redirect(request, LIST, toast=Toast(_("Token revoked."), "ok"))

    return asks.answer(request, ask, save)
