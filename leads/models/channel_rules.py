"""The rules of channels, kept whole: every change is a new version, so any of them can be restored."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ChannelRuleSetQuerySet(models.QuerySet["ChannelRuleSet"]):
    """Chainable verbs over versions of the rules."""

    def visible_to(self, user: User) -> ChannelRuleSetQuerySet:
        """Whoever may view reads how visits are judged."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class ChannelRuleSet(models.Model):
    """One version of the ordered rules. The one with the highest number is in force."""

    number = models.PositiveIntegerField(_("version"), primary_key=True)
    # Rules in their order, as ``leads.domain.channel_rules.Rule.to_json`` writes them.
    rules = models.JSONField(default=list)
    # What was done to the version before, for the history: an action and the channel it concerned.
    action = models.CharField(max_length=20)
    channel_code = models.CharField(max_length=40, blank=True)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    objects: ClassVar[models.Manager[ChannelRuleSet]] = ChannelRuleSetQuerySet.as_manager()

    def __str__(self) -> str:
        return f"channel rules {self.number}"


class ChannelReview(models.Model):
    """Past visits being judged anew by one version of the rules, visitor by visitor in the order of keys.

    ``upto`` is the last visitor that is done. A review ends when all are, or when other rules came into
    force. It is taken back by the review of an earlier version that was restored.
    """

    rules = models.OneToOneField(
        ChannelRuleSet, primary_key=True, on_delete=models.PROTECT, related_name="review"
    )
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    visitors = models.PositiveBigIntegerField(default=0)  # when it was asked for
    done = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)  # visits whose channel is another one now
    upto = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    is_superseded = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"review by channel rules {self.rules_id}"
