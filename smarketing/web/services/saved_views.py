"""Saving, sharing and forgetting views of lists."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.models import SavedView

MAX_NAME = 80
MAX_QUERY = 4000


class ViewInvalid(Invalid):
    """The view has no usable name, list or query."""


class NotYourView(Denied):
    """Only the user who saved a view, or an admin, forgets it."""


@transaction.atomic
def save(*, user: User, page: str, name: str, query: str, is_shared: bool, now: datetime) -> SavedView:
    """Remember ``query`` of the list ``page`` under ``name``; the same name again replaces it.

    Raises :class:`ViewInvalid`.
    """
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        message = _("Give the view a name of at most %(n)d characters.") % {"n": MAX_NAME}
        raise ViewInvalid(message, errors=[FieldError("name", "length", message)])
    if len(query) > MAX_QUERY or "\x00" in name + query:
        message = _("These filters are too long to be saved.")
        raise ViewInvalid(message, errors=[FieldError("query", "length", message)])
    try:
        reverse(page)
    except NoReverseMatch as error:
        message = _("There is no such list.")
        raise ViewInvalid(message, errors=[FieldError("page", "unknown", message)]) from error
    view, _created = SavedView.objects.update_or_create(
        user=user,
        page=page,
        name=name,
        defaults={"query": query.lstrip("?"), "is_shared": is_shared, "updated_at": now},
        create_defaults={
            "query": query.lstrip("?"),
            "is_shared": is_shared,
            "created_at": now,
            "updated_at": now,
        },
    )
    return view


@transaction.atomic
def forget(*, view: SavedView, actor: User) -> None:
    """Delete ``view``. Raises :class:`NotYourView`."""
    if view.user_id != actor.pk and not actor.may(Capability.MANAGE_USERS):
        raise NotYourView(_("Only the person who saved this view can remove it."))
    view.delete()
