"""Reads about agreements: what is in force, what is being drawn up, what is promised for a delivery."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from sla.domain import clauses as rules
from sla.domain.clauses import ClauseSpec
from sla.models import AgreementSignature, AgreementState, AgreementVersion, Clause
from sla.selectors import prose
from smarketing.users.domain.roles import Side
from smarketing.users.models import SideChoices

OPEN_STATES = (AgreementState.DRAFT, AgreementState.PROPOSED)
# A version signed for a later day is the next one, and is no longer edited.
COMING_STATES = (*OPEN_STATES, AgreementState.SIGNED)


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
    """The draft or proposal of the next version, or the one that is signed for a later day."""
    version = versions().filter(state__in=COMING_STATES).first()
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
        team=clause.population.get("team"),
        grace_seconds=clause.grace_seconds,
        accountable=clause.accountable_id,
        backup=clause.backup_id,
        terms=clause.terms,
    )


def specs_of(version: AgreementVersion) -> list[ClauseSpec]:
    """The clauses of a version in order."""
    return [spec_of(clause) for clause in version.clauses.all()]


def digest_of(version: AgreementVersion) -> str:
    """The digest of what is stored of a version now; signatures hold only while it is the signed one."""
    return rules.digest(specs_of(version), annex=version.annex, effective_on=version.effective_on)
