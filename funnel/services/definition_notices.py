"""Who is told how far a version of the definition came: signers what waits for them, all what holds."""

from __future__ import annotations

from datetime import date, datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from funnel.models import DefinitionVersion
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

MANAGERS = (Role.SALES_MANAGER, Role.MARKETING_MANAGER)


def proposed(*, version: DefinitionVersion, actor: User | None, now: datetime) -> None:
    """The managers of both teams hear that a text waits for their signatures."""
    text = _("Version %(number)s of the definition is proposed: read and sign it.")
    _tell(version, "definition.proposed", text, _managers(actor), now=now)


def signed(*, version: DefinitionVersion, day: date, now: datetime) -> None:
    """Everybody hears from which day a new meaning holds."""
    text = _("Both teams signed version %(number)s of the definition. It is in force from %(day)s.")
    _tell(version, "definition.signed", text, _everybody(), now=now, day=date_format(day))


def in_force(*, version: DefinitionVersion, now: datetime) -> None:
    """Everybody hears that another meaning holds."""
    text = _("From now on, version %(number)s of the definition says what a qualified lead is.")
    _tell(version, "definition.in_force", text, _everybody(), now=now)


def taken_back(*, version: DefinitionVersion, actor: User | None, now: datetime) -> None:
    """The managers hear that what both had signed will not take effect as it was."""
    text = _("Version %(number)s of the definition was taken back before its day.")
    _tell(version, "definition.taken_back", text, _managers(actor), now=now)


def commented(*, version: DefinitionVersion, author: User, comment_id: int, now: datetime) -> None:
    """The drafter and whoever spoke before hear of a comment."""
    told = set(version.comments.exclude(author=author).values_list("author_id", flat=True))
    told |= {version.author_id} if version.author_id and version.author_id != author.pk else set()
    text = _("%(author)s commented on version %(number)s of the definition.")
    key = str(comment_id)
    _tell(version, "definition.commented", text, tuple(sorted(told)), now=now, key=key, author=author.name)


def _tell(
    version: DefinitionVersion,
    topic: str,
    text: str,
    user_ids: tuple[int, ...],
    *,
    now: datetime,
    key: str = "",
    **words: str,
) -> None:
    notice = Notice(
        text=text % {"number": version.number, **words},
        user_ids=user_ids,
        link=reverse("funnel:definition_version", args=[version.number]),
    )
    outbox.put(
        topic=topic,
        payload={"number": version.number, "digest": version.digest},
        dedupe_key=f"{topic}:{version.pk}:{key or version.version}",
        now=now,
        notify=notice if user_ids else None,
    )


def _managers(actor: User | None) -> tuple[int, ...]:
    found = User.objects.active().filter(role__in=MANAGERS).order_by("pk")
    return tuple(pk for pk in found.values_list("pk", flat=True) if actor is None or pk != actor.pk)


def _everybody() -> tuple[int, ...]:
    return tuple(User.objects.active().order_by("pk").values_list("pk", flat=True))
