"""Judging past visits anew after the rules of channels have changed: in the background, visitor by visitor.

Sessions and the touchpoints of visits are projections of events, so a review computes them anew by the rules
in force; nothing is lost, and restoring earlier rules and reviewing again takes it back row for row. How a
lead was captured stays as it was.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import ChannelReview, ChannelRuleSet, Session, Visitor
from leads.selectors import channel_rules as reads
from leads.services import sessions
from leads.services.fields import EditedMeanwhile
from leads.services.histories import Changes
from smarketing.core import locks, loops
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LOOP = "channels"
# Tracking waits while a batch is judged, so batches are small.
MOST_AT_ONCE = 50


class UnderReview(Conflict):
    """Past visits are being judged, or were by these very rules."""

    code = "under_review"


@transaction.atomic
def ask(*, expected: int, actor: User | None, now: datetime) -> ChannelReview:
    """Have all past visits judged by the rules in force, which are those of version ``expected``.

    Raises ``Denied``, ``EditedMeanwhile``, :class:`UnderReview`.
    """
    if actor is not None and not actor.may(Capability.EDIT_CAMPAIGNS):
        raise Denied(_("Only marketing judges visits."))
    rules = ChannelRuleSet.objects.select_for_update().order_by("-number")[:1].get()
    if rules.number != expected:
        raise EditedMeanwhile(_("Somebody else changed the rules meanwhile. Look at them and try again."))
    if ChannelReview.objects.filter(rules=rules).exists():
        raise UnderReview(_("Past visits have been judged by these rules already."))
    _end_former(rules, now=now)
    review = ChannelReview.objects.create(
        rules=rules, asked_at=now, asked_by=actor, visitors=Visitor.objects.count()
    )
    changed(actor=actor, action="channel_review_asked", obj=rules, now=now)
    loops.nudge(LOOP)
    return review


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Judge the visits of some more visitors. Locks as tracking does: identities, then visitors."""
    review = _open()
    if review is None:
        return 0
    if reads.in_force().number != review.rules_id:
        review.finished_at, review.is_superseded = now, True
        review.save(update_fields=["finished_at", "is_superseded"])
        return 0
    locks.advisory(locks.Namespace.IDENTITY, 0)
    most = min(limit, MOST_AT_ONCE)
    keys = list(Visitor.objects.filter(pk__gt=review.upto).order_by("pk").values_list("pk", flat=True)[:most])
    if keys:
        held = Visitor.objects.filter(pk__in=keys).order_by("source_id", "anonymous_id")
        list(held.select_for_update(no_key=True).values_list("pk"))
        before = _channels(keys)
        sessions.refresh(changes=_whole(keys), now=now)
        after = _channels(keys)
        review.changed += sum(1 for key, channel in after.items() if before.get(key, channel) != channel)
        review.done, review.upto = review.done + len(keys), keys[-1]
    if len(keys) < most:
        review.finished_at = now
    review.save(update_fields=["changed", "done", "upto", "finished_at"])
    # A full batch says that there is more.
    return limit if len(keys) == most else len(keys)


def _open() -> ChannelReview | None:
    rows = ChannelReview.objects.filter(finished_at=None).select_for_update(skip_locked=True)
    return rows.order_by("-rules").first()


def _end_former(rules: ChannelRuleSet, *, now: datetime) -> None:
    """A review by other rules that is under way is over."""
    former = ChannelReview.objects.filter(finished_at=None).exclude(rules=rules)
    former.update(finished_at=now, is_superseded=True)


def _whole(visitors: list[int]) -> Changes:
    """As if the whole history of each visitor had changed."""
    changes = Changes()
    spans = Visitor.objects.filter(pk__in=visitors).values_list("pk", "first_seen_at", "last_seen_at")
    for visitor, first, last in spans:
        changes.saw(visitor, first)
        changes.saw(visitor, last)
    return changes


def _channels(visitors: list[int]) -> dict[int, int]:
    return dict(Session.objects.filter(visitor__in=visitors).values_list("pk", "channel_id"))
