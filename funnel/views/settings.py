"""Settings of the funnel: the board's columns, pools, products."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.settings import ColumnForm, PlaceForm, ProductEditForm, ProductForm
from funnel.selectors import product_rows, routing
from funnel.services import columns, pools, products
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.EDIT_STAGES, methods=["GET", "POST"])
def column_edit(request: Request, pk: int) -> HttpResponse:
    """Change a column of the board."""
    column = access.column(request.user, pk, capability=Capability.EDIT_STAGES)
    form = ColumnForm(request.POST) if request.method == "POST" else ColumnForm.filled(column)
    if form.is_bound and form.is_valid():
        try:
            columns.update(column=column, **form.cleaned_data, actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "funnel:stages", toast=Toast(_("Saved."), "ok"))
    return _form(request, form, title=column.name, back=reverse("funnel:stages"))


@page(capability=Capability.CHANGE_OWNER, methods=["GET", "POST"])
def place_edit(request: Request, pool: int, user: int) -> HttpResponse:
    """Change a rep's place in a pool."""
    found = access.pool(request.user, pool, capability=Capability.CHANGE_OWNER)
    owner = access.owner(request.user, user)
    place = routing.place_of(found, owner)
    form = PlaceForm(request.POST) if request.method == "POST" else PlaceForm.filled(place)
    if form.is_bound and form.is_valid():
        try:
            pools.set_place(pool=found, user=owner, **form.cleaned_data, actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "funnel:pools", toast=Toast(_("Saved."), "ok"))
    return _form(request, form, title=owner.name, sub=found.name, back=reverse("funnel:pools"))


@page(capability=Capability.VIEW)
def product_page(request: Request) -> HttpResponse:
    """What is sold."""
    context = {
        "products": product_rows.listed(),
        "may_edit": request.user.may(Capability.EDIT_OPPORTUNITIES),
    }
    return rendering.page(request, "funnel/products.html", context)


@page(capability=Capability.EDIT_OPPORTUNITIES, methods=["GET", "POST"])
def product_new(request: Request) -> HttpResponse:
    """Add a product."""
    form = ProductForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            products.create(**form.cleaned_data, actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "funnel:products", toast=Toast(_("Product added."), "ok"))
    return _form(request, form, title=_("New product"), back=reverse("funnel:products"))


@page(capability=Capability.EDIT_OPPORTUNITIES, methods=["GET", "POST"])
def product_edit(request: Request, pk: int) -> HttpResponse:
    """Change a product, or stop selling it."""
    product = access.product(request.user, pk, capability=Capability.EDIT_OPPORTUNITIES)
    form = ProductEditForm(request.POST) if request.method == "POST" else ProductEditForm.filled(product)
    if form.is_bound and form.is_valid():
        given = dict(form.cleaned_data)
        version = given.pop("version")
        try:
            products.update(
                product=product, **given, actor=request.user, now=request.now, expected_version=version
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "funnel:products", toast=Toast(_("Saved."), "ok"))
    return _form(request, form, title=product.name, back=reverse("funnel:products"))


def _form(request: Request, form: forms.Form, *, title: str, back: str, sub: str = "") -> HttpResponse:
    context: dict[str, Any] = {"form": form, "title": title, "sub": sub, "back": back}
    status = 422 if form.errors else 200
    return rendering.page(request, "funnel/setting.html", context, status=status)
