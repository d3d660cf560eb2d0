"""What sales found out about need and budget; with acceptance it makes a lead an SQL."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Handoff, HandoffState, MoveCause, Qualification
from funnel.services import entries, lifecycle
from leads.models import Lead
from smarketing.core.errors import Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class QualificationNotAllowed(Denied):
    """Only sales records what it found out."""

    code = "qualification_not_allowed"


class BadBudget(Invalid):
    """A budget is an amount of zero or more with a currency of three letters."""

    code = "bad_budget"


class QualificationChanged(Stale):
    """Somebody else has recorded something since."""


@transaction.atomic
def record(
    *,
    lead: Lead,
    need: str,
    budget: Decimal | None,
    currency: str,
    actor: User,
    now: datetime,
    expected_version: int | None = None,
) -> Qualification:
    """Write need and budget of ``lead``; the lead becomes an SQL when sales had accepted it.

    Raises :class:`QualificationNotAllowed`, :class:`BadBudget`, :class:`QualificationChanged`.
    """
    if not actor.may(Capability.ANSWER_OWN_HANDOFF):
        raise QualificationNotAllowed(_("Your role may not record need and budget."))
    currency = currency.strip().upper()
    if budget is not None and (not budget.is_finite() or budget < 0 or budget >= Decimal(10) ** 16):
        raise _refused("budget", _("Give an amount of zero or more."))
    if budget is not None and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise _refused("currency", _("Give a currency of three letters, such as EUR."))
    lifecycle.locked(lead_id=lead.pk)
    found = Qualification.objects.filter(lead=lead).first()
    if expected_version is not None and expected_version != (found.version if found else 0):
        raise QualificationChanged(_("Somebody else changed this first. Look at it again."))
    values = {
        "need": need.strip(),
        "budget": budget,
        "currency": currency if budget is not None else "",
        "recorded_by": actor,
        "updated_at": now,
        "version": found.version + 1 if found else 1,
    }
    qualification, _made = Qualification.objects.update_or_create(
        lead=lead, defaults=values, create_defaults={**values, "created_at": now}
    )
    if not advance(lead=lead, actor=actor, now=now):
        entries.enter(lead_ids=[lead.pk], now=now)
    return qualification


def advance(*, lead: Lead, actor: User, now: datetime) -> bool:
    """Make an accepted lead with need and budget an SQL; say whether it became one."""
    state = lifecycle.locked(lead_id=lead.pk)
    if state.stage.counts_as != "mql":
        return False
    qualification = Qualification.objects.filter(lead=lead).first()
    accepted = Handoff.objects.filter(lead=lead).order_by("-pk").values_list("state", flat=True).first()
    if qualification is None or not qualification.is_complete or accepted != HandoffState.ACCEPTED:
        return False
    lifecycle.move(lead=lead, to="sql", cause=MoveCause.SALES_QUALIFIED, actor=actor, at=now, now=now)
    return True


def _refused(field: str, detail: str) -> BadBudget:
    return BadBudget(detail, errors=[FieldError(field, BadBudget.code, detail)])
