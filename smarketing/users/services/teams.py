"""Teams of the two sides and who is in them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import Membership, Team, User


@transaction.atomic
def create(*, name: str, side: str, actor: User | None, now: datetime) -> Team:
    """Make a team. Raises ``Denied``, ``Invalid``, ``Conflict`` when the name is taken."""
    _may(actor)
    text = " ".join(name.split())[:120]
    if not text or side not in set(Side):
        raise Invalid(
            "A team has a name and a side.", errors=[FieldError("side", "unknown", "marketing or sales")]
        )
    if Team.objects.filter(name__iexact=text).exists():
        raise Conflict("There is a team of this name.")
    team = Team.objects.create(name=text, side=side, created_at=now, updated_at=now)
    changed(actor=actor, action="team_added", obj=team, now=now, after={"name": text, "side": side})
    return team


@transaction.atomic
def add_member(*, team: Team, user: User, actor: User | None, now: datetime, is_lead: bool = False) -> None:
    """Put ``user`` into ``team``; a second time changes only whether they lead it."""
    _may(actor)
    Membership.objects.update_or_create(user=user, team=team, defaults={"is_lead": is_lead})
    changed(actor=actor, action="team_joined", obj=user, now=now, after={"team": team.name, "lead": is_lead})


@transaction.atomic
def remove_member(*, team: Team, user: User, actor: User | None, now: datetime) -> None:
    """Take ``user`` out of ``team``."""
    _may(actor)
    gone, _ = Membership.objects.filter(user=user, team=team).delete()
    if gone:
        changed(actor=actor, action="team_left", obj=user, now=now, before={"team": team.name})


def _may(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.MANAGE_USERS):
        raise Denied("Only an admin can change teams.")
