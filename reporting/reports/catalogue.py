"""The reports there are: what page, API, export and command choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from funnel.models import Handoff, Opportunity
from leads.models import Person, Session, Visitor
from reporting.domain.results import Result
from reporting.models import Journey
from reporting.reports import alignment, attempts, fairness, funnel, returns, sources, supply, website, wins
from reporting.reports.parameters import Amount, Params, parse
from smarketing.core.errors import Missing
from smarketing.users.models import User

Records = (
    QuerySet[Journey]
    | QuerySet[Opportunity]
    | QuerySet[Handoff]
    | QuerySet[Visitor]
    | QuerySet[Session]
    | QuerySet[Person]
)


@dataclass(frozen=True, slots=True)
class Report:
    """One report: its functions and how its lines can be grouped."""

    key: str
    title: Callable[[], str]
    description: Callable[[], str]
    groupings: tuple[str, ...]
    run_with: Callable[..., Result]
    records: Callable[..., Records]
    amounts: tuple[Amount, ...] = ()

    def params(self, given: Mapping[str, str], *, zone: ZoneInfo, viewer: User | None = None) -> Params:
        """Read the parameters; raises ``Invalid`` with an entry for each that can't be used."""
        return parse(given, zone=zone, groupings=self.groupings, amounts=self.amounts, viewer=viewer)

    def run(
        self, given: Mapping[str, str], *, zone: ZoneInfo, now: datetime, viewer: User | None = None
    ) -> Result:
        """Read the parameters and compute what ``viewer`` may read; without one everything."""
        return self.run_with(self.params(given, zone=zone, viewer=viewer), now=now)

    def behind(
        self, given: Mapping[str, str], *, zone: ZoneInfo, row: str, cell: str, now: datetime
    ) -> Records:
        """The records counted in one cell. Raises ``Missing`` for a cell that does not exist."""
        try:
            return self.records(self.params(given, zone=zone), row=row, cell=cell, now=now)
        except (KeyError, ValueError) as error:
            raise Missing("This report has no such number.") from error


_ALL = {
    module.KEY: Report(
        module.KEY, module.title, module.description, module.GROUPINGS, module.run, module.behind
    )
    for module in (alignment, supply, returns, fairness, sources, website, funnel, wins)
} | {
    attempts.KEY: Report(
        attempts.KEY,
        attempts.title,
        attempts.description,
        attempts.GROUPINGS,
        attempts.run,
        attempts.behind,
        attempts.AMOUNTS,
    )
}


def get(key: str) -> Report:
    """The report of that key. Raises ``Missing`` naming the reports there are."""
    if key not in _ALL:
        raise Missing(f"There is no report “{key}”; there are {', '.join(_ALL)}.")
    return _ALL[key]


def all_reports() -> list[Report]:
    """Every report, in the order of the menu."""
    return list(_ALL.values())
