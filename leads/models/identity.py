"""What tracking has said about who is who, and what follows from it for persons."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.person import Person
from leads.models.source import Source


class IdentityClaim(models.Model):
    """The earliest time that tracking named two identifiers together, or an e-mail address by itself.

    Which of them are one person is a pure function of these rows (``leads.domain.identity``), so that
    the order of arrival can't matter. ``email_placed_on`` and ``user_placed_on`` say that tracking gave the
    address or the user id to that person: only such a one may move when an earlier claim arrives late.
    """

    # The UUIDv5 of the four columns below, so that the longest of them fit one short index.
    id = models.UUIDField(primary_key=True)
    # Of the user ids; empty for an address by itself.
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=320, blank=True)
    # The new id of an alias, whose former one is ``user_id``.
    alias_of = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()
    event_id = models.UUIDField()
    email_placed_on = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    user_placed_on = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["source", "user_id"],
                name="identity_claims_of_user",
                condition=~models.Q(user_id=""),
            ),
            models.Index(fields=["email"], name="identity_claims_of_email", condition=~models.Q(email="")),
            models.Index(
                fields=["source", "alias_of"],
                name="identity_claims_of_alias",
                condition=~models.Q(alias_of=""),
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.user_id, self.email, self.alias_of) if part)


class IdentityConflict(models.Model):
    """Two identified persons of whom a call said that they are one. Nothing was merged.

    ``person`` is the one that the call's user id names and that the event went to.
    """

    follows_merges = False  # it was said of these two records

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="identity_conflicts")
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField(_("user id"), max_length=255, blank=True)
    email = models.CharField(_("e-mail"), max_length=320, blank=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "other", "source", "user_id", "email"], name="identity_conflict_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} / {self.other_id}"


class PersonTrait(models.Model):
    """What tracking said last (by the time it happened) about a column of a person that was blank before.

    While the column holds ``value``, tracking owns it and a newer word changes it; once a colleague, a
    form or a file has written another value, it is theirs.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="traits", db_index=False)
    name = models.CharField(max_length=60)
    value = models.JSONField()
    at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="person_trait_once")]

    def __str__(self) -> str:
        return self.name
