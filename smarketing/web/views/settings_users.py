"""Colleagues: the list, who is added, what they may do, and whether they may sign in."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smarketing.core.errors import Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.users.selectors import organisation
from smarketing.users.selectors import users as reads
from smarketing.users.services import users
from smarketing.web import asks, lists, rendering
from smarketing.web.asks import Ask
from smarketing.web.forms.people import RoleForm, UserEditForm, UserForm
from smarketing.web.forms.settings_filters import UserFilter
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

USERS = TableSpec(
    id="users",
    caption=gettext_lazy("Users"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Name"), sort="name"),
        Column("role", gettext_lazy("Role"), sort="role"),
        Column("teams", gettext_lazy("Teams")),
        Column("region", gettext_lazy("Region"), sort="region"),
        Column("zone", gettext_lazy("Time zone")),
        Column("state", gettext_lazy("State"), sort="is_active"),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "web:users"


@page(capability=Capability.VIEW)
def user_list(request: Request) -> HttpResponse:
    """All colleagues; who manages users may change them here."""
    may_manage = request.user.may(Capability.MANAGE_USERS)
    return lists.render(
        request,
        "settings/users.html",
        spec=USERS,
        filterset=UserFilter(request.GET, queryset=reads.listed(request.user)),
        row="settings/_user_row.html",
        empty=Empty("users", _("Users are colleagues who sign in here.")),
        context={"may_manage": may_manage},
    )


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def user_new(request: Request) -> HttpResponse:
    """Add a colleague. They set their own password by the link of a mail; nobody else ever knows it."""
    initial = {"time_zone": organisation.current().time_zone, "invite": True}
    form = UserForm(asks.given(request), actor=request.user, initial=initial)
    ask = Ask(_("Add a user"), reverse("web:user_new"), reverse(LIST), form, _("Add the user"))

    def save(given: dict[str, Any]) -> HttpResponse:
        invite = given.pop("invite")
        user = users.create(**given, actor=request.user, now=request.now)
        text = _("%(name)s was added.") % {"name": user.name}
        toast = _invited(request, user, text) if invite and user.email else Toast(text, "ok")
        return rendering.redirect(request, LIST, toast=toast)

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def user_edit(request: Request, pk: int) -> HttpResponse:
    """Change name, address, region, zone and manager."""
    user = _user(request, pk)
    initial = {name: getattr(user, name) for name in ("name", "email", "region", "time_zone", "manager")}
    form = UserEditForm(asks.given(request), actor=request.user, initial=initial)
    title = _("Edit %(name)s") % {"name": user.name}
    ask = Ask(title, reverse("web:user_edit", args=[pk]), reverse(LIST), form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        users.update(user=user, actor=request.user, now=request.now, **given)
        return rendering.redirect(request, LIST, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def user_role(request: Request, pk: int) -> HttpResponse:
    """Give another role, at once."""
    user = _user(request, pk)
    form = RoleForm(asks.given(request), actor=request.user, initial={"role": user.role})
    ask = Ask(
        _("Role of %(name)s") % {"name": user.name},
        reverse("web:user_role", args=[pk]),
        reverse(LIST),
        form,
        _("Change the role"),
        about=_("It says what this user may see and do, from the next click on."),
    )

    def save(given: dict[str, Any]) -> HttpResponse:
        users.change_role(user=user, role=given["role"], actor=request.user, now=request.now)
        text = _("%(name)s is now %(role)s.") % {"name": user.name, "role": user.get_role_display()}
        return rendering.redirect(request, LIST, toast=Toast(text, "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.MANAGE_USERS, methods=["POST"])
def user_deactivate(request: Request, pk: int) -> HttpResponse:
    """End access at once, with Undo. Oneself must ask somebody else."""
    user = _user(request, pk)
    if user.pk == request.user.pk:
        raise Invalid(_("You can't deactivate yourself. Ask another admin."))
    users.deactivate(user=user, actor=request.user, now=request.now)
    toast = Toast(
        _("%(name)s can no longer sign in.") % {"name": user.name},
        "ok",
        reverse("web:user_reactivate", args=[pk]),
    )
    return rendering.redirect(request, LIST, toast=toast)


@page(capability=Capability.MANAGE_USERS, methods=["POST"])
def user_reactivate(request: Request, pk: int) -> HttpResponse:
    """Let somebody in again."""
    user = users.reactivate(user=_user(request, pk), actor=request.user, now=request.now)
    toast = Toast(_("%(name)s can sign in again.") % {"name": user.name}, "ok")
    return rendering.redirect(request, LIST, toast=toast)


@page(capability=Capability.MANAGE_USERS, methods=["POST"])
def user_invite(request: Request, pk: int) -> HttpResponse:
    """Send the mail with the link to set a password (again)."""
    user = _user(request, pk)
    if not user.email or not user.is_active:
        raise Invalid(_("Only an active user with an e-mail address can get the mail."))
    return rendering.redirect(request, LIST, toast=_invited(request, user, ""))


def _user(request: Request, pk: int) -> User:
    return get_object_or_404(reads.visible_to(request.user), pk=pk)


def _invited(request: Request, user: User, before: str) -> Toast:
    """Send allauth's mail for setting a password; its link works once and for a limited time.

    It waits in the outbox for as long as the mail server is away.
    """
    form = ResetPasswordForm({"email": user.email})
    if form.is_valid():
        form.save(request)
    text = _("A mail with a link to set a password is on its way to %(email)s.") % {"email": user.email}
    return Toast(f"{before} {text}".strip(), "ok")
