"""For how long marketing may contest a return: a term of the clause about feedback on returns."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Prefetch

from funnel.domain.appeals import DEFAULT_WINDOW, Term
from sla.domain import metrics
from sla.models import AgreementState, AgreementVersion, Clause
from sla.selectors import agreements


def agreed() -> list[Term]:
    """The windows of the versions that are or were in force, newest first.

    A version has one for all returns: where several clauses promise feedback the longest of their windows
    holds, and where none does the default.
    """
    feedback = Clause.objects.filter(metric=metrics.RETURN_FEEDBACK).order_by("position")
    versions = (
        AgreementVersion.objects.filter(
            in_force_from__isnull=False, state__in=[AgreementState.IN_FORCE, AgreementState.RETIRED]
        )
        .prefetch_related(Prefetch("clauses", feedback))
        .order_by("-in_force_from", "-number")
    )
    return [Term(version.in_force_from, _window(version)) for version in versions]


def _window(version: AgreementVersion) -> timedelta:
    days = [int(agreements.spec_of(clause).term("appeal_days")) for clause in version.clauses.all()]
    return timedelta(days=max(days)) if days else DEFAULT_WINDOW
