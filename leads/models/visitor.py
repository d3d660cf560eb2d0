"""Visitors: anonymous browsers, what joins them to a person, and their sessions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.person import Person
from leads.models.source import Channel, Source
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class Visitor(models.Model):
    """A browser as its source knows it: a random id, never a person's id. ``person`` is who it is now."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    anonymous_id = models.CharField(max_length=255)
    person = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, related_name="visitors", db_index=False
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "anonymous_id"], name="visitor_once")]
        indexes = [
            models.Index(
                fields=["person", "-last_seen_at"],
                name="visitors_of_person",
                condition=models.Q(person__isnull=False),
            ),
            models.Index(fields=["first_seen_at"], name="visitor_by_first_visit"),
        ]

    def __str__(self) -> str:
        return self.anonymous_id


class VisitorJoin(models.Model):
    """Something other than an event of theirs said that a visitor is this person: a form, a signed link,
    an alias. The visitor may not have been seen yet.

    ``applied_at`` is empty until the visitor's history has followed.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    anonymous_id = models.CharField(max_length=255)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="visitor_joins")
    # The user id of an alias, so that the join follows when that id turns out to be somebody else's.
    user_id = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "anonymous_id", "at", "person", "user_id"], name="visitor_join_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"], name="visitor_join_pending", condition=models.Q(applied_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.anonymous_id} is {self.person_id}"


class SessionQuerySet(models.QuerySet["Session"]):
    """Chainable verbs over sessions."""

    def visible_to(self, user: User) -> SessionQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class Session(models.Model):
    """What a visitor did without half an hour's rest: a projection of their events, the same in any order."""

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(
        Person, null=True, on_delete=models.CASCADE, related_name="sessions", db_index=False
    )
    started_at = models.DateTimeField(_("began"))
    last_at = models.DateTimeField(_("last seen"))
    pages = models.PositiveIntegerField(_("pages"), default=0)
    events = models.PositiveIntegerField(_("events"), default=0)
    engagement_seconds = models.PositiveIntegerField(_("attention"), default=0)
    entry_url = models.CharField(_("first page"), max_length=2000, blank=True)
    exit_url = models.CharField(_("last page"), max_length=2000, blank=True)
    referrer = models.CharField(_("referrer"), max_length=2000, blank=True)
    parameters = models.JSONField(_("campaign parameters"), default=dict)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager[Session]] = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["visitor", "started_at"], name="session_of_visitor"),
            models.Index(
                fields=["person", "-started_at", "-id"],
                name="session_timeline",
                condition=models.Q(person__isnull=False),
            ),
            models.Index(fields=["started_at"], name="session_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.entry_url}"
