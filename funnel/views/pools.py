"""Pools in the settings: who shares leads, by which rules, and who has a place in them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.routing import NewPlaceForm, PoolForm
from funnel.selectors import pool_rows
from funnel.services import pools
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

LIST = "funnel:pools"
MAY_EDIT = Capability.CHANGE_OWNER


@page(capability=Capability.VIEW)
def pool_page(request: Request) -> HttpResponse:
    """Who takes leads in turn, and with which share."""
    context = {"pools": pool_rows.pools(now=request.now), "may_edit": request.user.may(MAY_EDIT)}
    return rendering.page(request, "funnel/pools.html", context)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def pool_new(request: Request) -> HttpResponse:
    """A new pool; a rule or another pool's overflow leads to it."""
    form = PoolForm(asks.given(request))
    about = _("Leads reach it by a rule of routing, or as the overflow of another pool.")
    ask = Ask(_("New pool"), reverse("funnel:pool_new"), reverse(LIST), form, _("Add the pool"), about)

    def save(given: dict[str, Any]) -> HttpResponse:
        pools.create(**form.given(), actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Pool added. Add who takes leads."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def pool_edit(request: Request, pk: int) -> HttpResponse:
    """Change how a pool shares."""
    pool = access.pool(request.user, pk, capability=MAY_EDIT)
    form = PoolForm(asks.given(request), initial=PoolForm.initial_of(pool))
    ask = Ask(pool.name, reverse("funnel:pool_edit", args=[pk]), reverse(LIST), form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        pools.update(
            pool=pool,
            changes=form.given(),
            actor=request.user,
            now=request.now,
            expected_version=given["version"],
        )
        return rendering.redirect(request, LIST, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def pool_remove(request: Request, pk: int) -> HttpResponse:
    """Delete a pool that nothing leads to."""
    pool = access.pool(request.user, pk, capability=MAY_EDIT)
    about = _("Its places and their turns go. What it gave away stays recorded.")
    address = reverse("funnel:pool_remove", args=[pk])
    title = _("Delete the pool “%(pool)s”") % {"pool": pool.name}
    ask = Ask(
        title, address, reverse(LIST), asks.AskForm(asks.given(request)), _("Delete"), about, danger=True
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        pools.remove(pool=pool, actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Pool deleted."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def place_new(request: Request, pk: int) -> HttpResponse:
    """Give a colleague a place."""
    pool = access.pool(request.user, pk, capability=MAY_EDIT)
    form = NewPlaceForm(asks.given(request), pool=pool)
    address = reverse("funnel:place_new", args=[pk])
    about = _("They start level with whoever was given least: nobody gets a burst.")
    title = _("Add to %(pool)s") % {"pool": pool.name}
    ask = Ask(title, address, reverse(LIST), form, _("Add"), about)

    def save(given: dict[str, Any]) -> HttpResponse:
        pools.set_place(pool=pool, **given, actor=request.user, now=request.now)
        words = _("%(name)s takes leads here.") if given["takes_leads"] else _("%(name)s has a place here.")
        return rendering.redirect(request, LIST, toast=Toast(words % {"name": given["user"].name}, "ok"))

    return asks.answer(request, ask, save)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def place_remove(request: Request, pool: int, user: int) -> HttpResponse:
    """Take somebody out of a pool."""
    found = access.pool(request.user, pool, capability=MAY_EDIT)
    owner = access.colleague(request.user, user)
    address = reverse("funnel:place_remove", args=[pool, user])
    about = _("Leads in hand stay. Who comes back later starts level with the others.")
    title = _("Take %(name)s out of %(pool)s") % {"name": owner.name, "pool": found.name}
    ask = Ask(
        title, address, reverse(LIST), asks.AskForm(asks.given(request)), _("Take out"), about, danger=True
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        pools.leave(pool=found, user=owner, actor=request.user, now=request.now)
        return rendering.redirect(request, LIST, toast=Toast(_("Taken out of the pool."), "ok"))

    return asks.answer(request, ask, save)
