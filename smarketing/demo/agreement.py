"""The agreement of the demo company: its hours, what its two teams promised, with words and roles.

Its amounts follow the size of the demo, so that some promises of each side are kept and some broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sla.domain.calendars import WeeklyCalendar
from sla.models import AgreementVersion, Calendar
from sla.selectors import public_holidays
from sla.services import agreement_comments, agreements, calendars
from smarketing.users.models import User

DAY_SECONDS = 86_400
# Of the leads captured in a year about two thirds are delivered; marketing promised a little less than that,
# every month, and at a mean value which that many leads reach in a usual month.
DELIVERED = 0.6
VALUE_OF_ONE = 12_000
ANNEX: dict[str, list[dict[str, str]]] = {
    "roles": [
        {"side": "marketing", "title": "Campaign owner", "who": "Tom Okafor, Jana Novák",
         "duties": "Completes leads that the gate holds within a day; reads why leads come back."},
        {"side": "sales", "title": "Rep", "who": "",
         "duties": "Answers every lead that is handed over; says what became of it."},
        {"side": "sales", "title": "Team lead", "who": "Samuel Reyes",
         "duties": "Looks at the manager's day at ten and at two."},
    ],
    "glossary": [
        {"term": "Worked", "bound_to": "metric:worked",
         "meaning": "The promised depth was reached, or what became of the lead is recorded."},
        {"term": "Qualified lead", "bound_to": "metric:supply_count",
         "meaning": "A lead that meets the definition which both of us signed, and passed the gate."},
        {"term": "MQL", "bound_to": "stage:mql",
         "meaning": "A lead that meets the definition and has not been accepted yet."},
    ],
    "links": [
        {"title": "The definition of a qualified lead", "url": "/settings/definition/"},
        {"title": "Who takes which leads", "url": "/settings/"},
    ],
    "plan": [
        {"what": "Call leads of the fair within a day", "owner": "Samuel Reyes", "due": "2026-12-15"},
    ],
}  # fmt: skip


def open_office(*, place: Mapping[str, str], years: Iterable[int], actor: User, now: datetime) -> None:
    """Set the office hours to those of the company's zone, closed on the public holidays of its country."""
    holidays = [day for year in years for day in public_holidays.of_country(place["country"], year=year)]
    body = WeeklyCalendar.office(place["time_zone"]).to_json() | {"holidays": holidays}
    office = Calendar.objects.get(is_default=True)
    calendars.publish_version(calendar=office, body=body, actor=actor, now=now)


def agree(*, cast: dict[str, User], leads: int, now: datetime) -> AgreementVersion:
    """Draw up, discuss, propose and sign the version that the year is lived by."""
    seller, marketer = cast["sales-manager"], cast["marketing-manager"]
    version = agreements.draft(actor=seller, now=now)
    agreements.update(
        version=version, clauses=clauses(leads=leads, cast=cast), annex=ANNEX, actor=seller, now=now
    )
    agreement_comments.add(
        version=version,
        text="Five attempts are a lot for leads of cell B2. Let us look at it after a quarter.",
        position=6,
        author=cast["rep"],
        now=now,
    )
    version.refresh_from_db()
    version = agreements.propose(version=version, actor=seller, now=now)
    for signer in (marketer, seller):
        version = agreements.sign(version=version, digest=version.digest, signer=signer, now=now)
    return version


def clauses(*, leads: int, cast: dict[str, User]) -> list[dict[str, Any]]:
    """The promises of both sides, in order."""
    calendar = Calendar.objects.get(is_default=True).pk
    monthly = max(2, round(leads * DELIVERED / 12))
    seller, marketer = cast["sales-manager"].pk, cast["marketing-manager"].pk
    timed = {"calendar": calendar, "accountable": seller}
    ladder = {"lead_after_minutes": 30, "managers_after_minutes": 60}
    return [
        {
            "metric": "supply_count", "target": monthly, "period": "month", "calendar": calendar,
            "terms": {"per": "team", "ceiling": 2 * monthly}, "accountable": marketer,
            "backup": cast["marketer"].pk,
        },
        {
            "metric": "supply_value", "target": VALUE_OF_ONE * monthly, "period": "month",
            "calendar": calendar, "terms": {"per": "team"}, "accountable": marketer,
        },
        {"metric": "minimum_information", "target": 95, "accountable": marketer},
        {"metric": "first_response", "target": 60, "terms": ladder, **timed},
        {"metric": "outcome", "target": 10, **timed},
        {"metric": "depth", "target": 5, **timed},
        {"metric": "return_feedback", "target": 2, **timed},
        {"metric": "touched", "target": 95, "accountable": seller, "grace_seconds": 2 * DAY_SECONDS},
        {"metric": "worked", "target": 80, "accountable": seller, "grace_seconds": 14 * DAY_SECONDS},
        {"metric": "contacts", "target": 1, "period": "week", **timed},
        {"metric": "acceptance", "target": 60, "accountable": seller},
        {"metric": "close_rate", "target": 15, "period": "quarter", "terms": {"maturity_days": 120}},
        {"metric": "meetings", "target": 1, "period": "week", "accountable": marketer},
    ]  # fmt: skip
