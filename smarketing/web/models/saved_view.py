"""Lists as people like to see them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped
from smarketing.users.models import User


class SavedViewQuerySet(QuerySet["SavedView"]):
    """Chainable verbs over saved views."""

    def visible_to(self, user: User | RawSQL) -> SavedViewQuerySet:
        """The user's own views and those that others share; ``user`` may be the place of a prepared query."""
        return self.filter(Q(user=user) | Q(is_shared=True))


class SavedView(Stamped):
    """A name for the query string of one list page: search, filters and sort."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=100)
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField(_("shared with everybody"), default=False)

    objects: ClassVar[models.Manager[SavedView]] = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name
