"""Who is told how far a version of the agreement came: signers what waits for them, all what holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sla.models import AgreementVersion
from sla.selectors.links import version_path
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice
from smarketing.users.domain.roles import Role
from smarketing.users.models import SideChoices, User

MANAGERS = (Role.SALES_MANAGER, Role.MARKETING_MANAGER)


@transaction.atomic
def proposed(*, version: AgreementVersion, actor: User | None, now: datetime) -> None:
    """The managers of both teams hear that a text waits for their signatures."""
    text = _("Version %(number)s of the agreement is proposed: read and sign it.")
    _tell(version, "agreement.proposed", text, _managers(actor), now)


@transaction.atomic
def signed(*, version: AgreementVersion, side: str, signer: User, now: datetime) -> None:
    """The managers of both teams hear that one side has signed."""
    words = {"signer": signer.name, "side": str(SideChoices(side).label)}
    text = _("%(signer)s signed version %(number)s of the agreement for %(side)s.")
    _tell(version, "agreement.signed", text, _managers(signer), now, side=side, words=words, key=side)


@transaction.atomic
def in_force(*, version: AgreementVersion, now: datetime) -> None:
    """Everybody hears that another promise holds."""
    text = _("From now on, version %(number)s of the agreement holds.")
    everybody = User.objects.active().order_by("pk").values_list("pk", flat=True)
    _tell(version, "agreement.in_force", text, tuple(everybody), now)


def _tell(
    version: AgreementVersion,
    topic: str,
    text: str,
    user_ids: tuple[int, ...],
    now: datetime,
    *,
    words: dict[str, str] | None = None,
    key: str = "",
    **told: Any,
) -> None:
    notice = Notice(
        text=text % {"number": version.number, **(words or {})},
        user_ids=user_ids,
        link=version_path(version.number),
    )
    outbox.put(
        topic=topic,
        payload={"version": version.number, "digest": version.digest, **told},
        dedupe_key=f"{topic}:{version.pk}:{key}:{version.version}",
        now=now,
        notify=notice if user_ids else None,
    )


def _managers(actor: User | None) -> tuple[int, ...]:
    found = User.objects.active().filter(role__in=MANAGERS).order_by("pk").values_list("pk", flat=True)
    return tuple(pk for pk in found if actor is None or pk != actor.pk)
