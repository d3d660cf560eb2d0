"""What somebody allows at this moment: the latest entries of the consent ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from leads.models import ConsentEntry, ConsentState, ContactChannel, Person, PersonEmail, PersonPhone, Purpose
from leads.selectors import suppression
from smarketing.users.models import User

Text = str | Promise
_KIND = {
    ContactChannel.EMAIL: suppression.EMAIL,
    ContactChannel.PHONE: suppression.PHONE,
    ContactChannel.SMS: suppression.PHONE,
}


@dataclass(frozen=True, slots=True)
class PurposeState:
    """A purpose and what the person says to it; ``entry`` is ``None`` when they were never asked."""

    purpose: Purpose
    entry: ConsentEntry | None

    @property
    def state(self) -> str:
        """``granted``, ``pending``, ``withdrawn`` or "" (never asked)."""
        return self.entry.state if self.entry else ""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel, and the entry that forbids it (``None``: not forbidden)."""

    channel: str
    label: Text
    forbidden: ConsentEntry | None
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Consents:
    """Everything a person allows or forbids."""

    purposes: list[PurposeState]
    channels: list[ChannelState]

    @property
    def forbidden(self) -> list[ChannelState]:
        """The channels by which they must not be contacted."""
        return [c for c in self.channels if c.forbidden or c.suppressed]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody may be contacted, and the reason in a sentence if not."""

    allowed: bool
    reason: str = ""


def state(person: Person) -> Consents:
    """What ``person`` allows now. Entries about one of their addresses count as theirs."""
    latest = _latest(_of(person))
    suppressed = suppression.of_person(person)
    purposes = [p for p in Purpose.objects.all() if p.is_active or (p.pk, "") in latest]
    return Consents(
        purposes=[PurposeState(p, latest.get((p.pk, ""))) for p in purposes],
        channels=[
            ChannelState(
                channel.value,
                channel.label,
                _forbidding(latest.get((None, channel.value))),
                suppressed=bool(suppressed.get(_KIND.get(channel, ""))),
            )
            for channel in ContactChannel
        ],
    )


def may_contact(person: Person, *, channel: str = "", purpose: str = "") -> Verdict:
    """May we contact ``person`` by ``channel``, or for ``purpose`` (by its own channel)?

    A purpose needs a granted consent. A channel without purpose (a rep's own call or mail) needs
    none, but is closed by the do-not-contact flag and for addresses of erased persons.
    """
    wanted = Purpose.objects.filter(code=purpose).first() if purpose else None
    if purpose and wanted is None:
        return Verdict(allowed=False, reason=_("There is no such purpose."))
    known = state(person)
    channel = channel or (wanted.channel if wanted else "")
    for each in known.channels:
        if each.channel == channel and each.forbidden:
            return Verdict(allowed=False, reason=_("They asked not to be contacted this way."))
        if each.channel == channel and each.suppressed:
            return Verdict(
                allowed=False, reason=_("This address belongs to somebody who had their data erased.")
            )
    if wanted is None:
        return Verdict(allowed=True)
    said = next((p.state for p in known.purposes if p.purpose.pk == wanted.pk), "")
    if said == ConsentState.GRANTED:
        return Verdict(allowed=True)
    reasons: dict[str, str] = {
        ConsentState.PENDING: _("They have not confirmed their consent yet."),
        ConsentState.WITHDRAWN: _("They took their consent back."),
    }
    return Verdict(allowed=False, reason=reasons.get(said, _("They never gave their consent.")))


def contactable(person_ids: Collection[int], *, channel: str, purpose: str = "") -> set[int]:
    """As :func:`may_contact` of many, in a fixed number of queries; for lists and mailings."""
    ids = set(person_ids)
    mine = Q(person__in=ids)
    rows = ConsentEntry.objects.filter(mine | Q(person=None, address__in=_addresses(ids)))
    holders = _holders(ids)
    forbidden: dict[int, ConsentEntry] = {}
    granted: dict[int, ConsentEntry] = {}
    for entry in rows.select_related("purpose").order_by("occurred_at", "pk"):
        for pk in [entry.person_id] if entry.person_id else holders.get(entry.address, ()):
            if entry.purpose_id is None and entry.channel == channel:
                forbidden[pk] = entry
            elif purpose and entry.purpose is not None and entry.purpose.code == purpose:
                granted[pk] = entry
    closed = {pk for pk, entry in forbidden.items() if _forbidding(entry)}
    allowed = ids - closed - _suppressed(ids, channel)
    if purpose:
        allowed &= {pk for pk, entry in granted.items() if entry.state == ConsentState.GRANTED}
    return allowed


def of_person(person: Person) -> QuerySet[ConsentEntry]:
    """Their entries, newest first, for the ledger on their page."""
    return _of(person).select_related("purpose", "text", "actor").order_by("-occurred_at", "-pk")


def visible_to(user: User) -> QuerySet[ConsentEntry]:
    """All entries for the interface."""
    return ConsentEntry.objects.visible_to(user).select_related("purpose", "text")


def purpose_of(code: str) -> Purpose | None:
    """A purpose by its code."""
    return Purpose.objects.filter(code=code).first()


def asked_for() -> list[Purpose]:
    """The purposes in use, in their order."""
    return list(Purpose.objects.filter(is_active=True))


def all_purposes() -> list[Purpose]:
    """Every purpose, in use or not."""
    return list(Purpose.objects.all())


def of_address(address: str, *, since: datetime | None = None) -> QuerySet[ConsentEntry]:
    """Entries about one address."""
    rows = ConsentEntry.objects.filter(address=address)
    return rows.filter(occurred_at__gte=since) if since else rows


def _of(person: Person) -> QuerySet[ConsentEntry]:
    addresses = [*person.emails.values_list("email", flat=True), *_numbers(person.phones.all())]
    mine = Q(person=person)
    return ConsentEntry.objects.filter(mine | Q(person=None, address__in=addresses) if addresses else mine)


def _numbers(phones: Iterable[PersonPhone]) -> list[str]:
    return [phone.e164 or phone.written for phone in phones]


def _latest(rows: QuerySet[ConsentEntry]) -> dict[tuple[int | None, str], ConsentEntry]:
    """The last entry per purpose, and per channel where there is no purpose."""
    latest: dict[tuple[int | None, str], ConsentEntry] = {}
    for entry in rows.select_related("purpose", "text").order_by("occurred_at", "pk"):
        latest[(entry.purpose_id, "" if entry.purpose_id else entry.channel)] = entry
    return latest


def _forbidding(entry: ConsentEntry | None) -> ConsentEntry | None:
    return entry if entry is not None and entry.state == ConsentState.WITHDRAWN else None


def _addresses(ids: Collection[int]) -> list[str]:
    return list(_holders(ids))


def _holders(ids: Collection[int]) -> dict[str, list[int]]:
    """Who of these has which address."""
    found: dict[str, list[int]] = {}
    for email, pk in PersonEmail.objects.filter(person__in=ids).values_list("email", "person_id"):
        found.setdefault(email, []).append(pk)
    for phone in PersonPhone.objects.filter(person__in=ids):
        found.setdefault(phone.e164 or phone.written, []).append(phone.person_id)
    return found


def _suppressed(ids: Collection[int], channel: str) -> set[int]:
    kind = {c.value: k for c, k in _KIND.items()}.get(channel)
    if kind is None:
        return set()
    holders = _holders(ids)
    return {pk for value in suppression.in_force(kind, holders) for pk in holders[value]}
