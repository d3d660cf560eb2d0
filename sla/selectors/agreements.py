"""Reads about agreements: what is in force, what is being drawn up, what is promised for a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Prefetch, QuerySet

from sla.domain import clauses as rules
from sla.domain.clauses import ClauseSpec
from sla.models import AgreementSignature, AgreementState, AgreementVersion, CalendarVersion, Clause
from sla.selectors import prose
from smarketing.users.domain.roles import Side
from smarketing.users.models import SideChoices

OPEN_STATES = (AgreementState.DRAFT, AgreementState.PROPOSED)


@dataclass(frozen=True, slots=True)
class ResponsePromise:
    """A clause on first response in force, with the calendar version that applies now."""

    clause: Clause
    calendar_version: CalendarVersion
    target: timedelta


@dataclass(frozen=True, slots=True)
class Promise:
    """A clause with its sentence, as pages and the API show it."""

    clause: Clause
    sentence: str
    details: list[str]


@dataclass(frozen=True, slots=True)
class SideOfVersion:
    """What one side has promised and whether it has signed."""

    side: str
    label: str
    promises: list[Promise]
    signature: AgreementSignature | None


@dataclass(frozen=True, slots=True)
class VersionText:
    """A version in words: both sides, their promises and signatures."""

    version: AgreementVersion
    sides: list[SideOfVersion]

    @property
    def is_signed(self) -> bool:
        """Whether both sides have signed what stands here."""
        return all(side.signature is not None for side in self.sides)

    @property
    def unsigned(self) -> list[SideOfVersion]:
        """The sides whose signature is missing."""
        return [side for side in self.sides if side.signature is None]

    def side(self, key: str) -> SideOfVersion:
        """One of the two sides."""
        return next(side for side in self.sides if side.side == key)


def versions() -> QuerySet[AgreementVersion]:
    """All versions, newest first, with clauses and signatures."""
    clauses = Clause.objects.select_related("calendar", "accountable", "backup")
    signatures = AgreementSignature.objects.select_related("signer")
    return (
        AgreementVersion.objects.select_related("agreement", "author")
        .prefetch_related(Prefetch("clauses", clauses), Prefetch("signatures", signatures))
        .order_by("-number")
    )


def in_force() -> VersionText | None:
    """The agreement that applies now, in words; None when nothing was ever agreed."""
    version = versions().filter(state=AgreementState.IN_FORCE).first()
    return None if version is None else text_of(version)


def in_progress() -> VersionText | None:
    """The draft or proposal of the next version."""
    version = versions().filter(state__in=OPEN_STATES).first()
    return None if version is None else text_of(version)


def text_of(version: AgreementVersion) -> VersionText:
    """A version in words. Signatures over another digest than the present one don't count."""
    signed = {s.side: s for s in version.signatures.all() if s.digest == version.digest}
    promises = [
        Promise(clause, prose.sentence(clause), prose.details(clause)) for clause in version.clauses.all()
    ]
    sides = [
        SideOfVersion(
            side=side.value,
            label=str(SideChoices(side.value).label),
            promises=[p for p in promises if p.clause.side == side.value],
            signature=signed.get(side.value),
        )
        for side in (Side.MARKETING, Side.SALES)
    ]
    return VersionText(version, sides)


def spec_of(clause: Clause) -> ClauseSpec:
    """The stored clause as the rules see it."""
    return ClauseSpec(
        side=clause.side,
        metric=clause.metric,
        comparator=clause.comparator,
        target=clause.target,
        period=clause.period,
        calendar=clause.calendar_id,
        bands=tuple(clause.population.get("bands", ())),
        grace_seconds=clause.grace_seconds,
        accountable=clause.accountable_id,
        backup=clause.backup_id,
    )


def specs_of(version: AgreementVersion) -> list[ClauseSpec]:
    """The clauses of a version in order."""
    return [spec_of(clause) for clause in version.clauses.all()]


def response_promises(*, cell: str = "") -> list[ResponsePromise]:
    """What sales promises for a lead of this cell ("A1") delivered now; empty without an agreement."""
    clauses = Clause.objects.filter(
        version__state=AgreementState.IN_FORCE, metric=rules.FIRST_RESPONSE
    ).order_by("position")
    promised = []
    for clause in clauses:
        spec = spec_of(clause)
        version = CalendarVersion.objects.filter(calendar=clause.calendar_id).order_by("-number").first()
        if version is not None and spec.covers(cell):
            promised.append(ResponsePromise(clause, version, spec.duration))
    return promised
