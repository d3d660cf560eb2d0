"""Saving and forgetting views of lists."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.models import SavedView
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.services import saved_views


@page(capability=Capability.VIEW, methods=["POST"])
def save(request: Request) -> HttpResponse:
    """Save the present filters under a name and show the list through them."""
    view = saved_views.save(
        user=request.user,
        page=request.POST.get("page", ""),
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        is_shared=request.POST.get("is_shared") == "on",
        now=request.now,
    )
    address = f"{reverse(view.page)}?{view.query}"
    return rendering.redirect(request, address, toast=Toast(_("View saved."), tone="ok"))


@page(capability=Capability.VIEW, methods=["POST"])
def forget(request: Request, pk: int) -> HttpResponse:
    """Forget a saved view and show the whole list."""
    view = get_object_or_404(SavedView.objects.visible_to(request.user), pk=pk)
    address = reverse(view.page)
    saved_views.forget(view=view, actor=request.user)
    return rendering.redirect(request, address, toast=Toast(_("View removed."), tone="ok"))
