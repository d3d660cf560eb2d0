"""What stands under a person's own number, table by table, and what an erasure leaves of it.

Each app registers its steps in ``wiring.connect``. Rows that statistics count stay, without anything
that tells whose they were; the rest is deleted. A step is data, so that a dry run counts by the same
conditions that the erasure works with, and a test can ask whether every table is thought of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

GONE = "'[erased]'"
EMPTY = "''"
NOTHING = "'{}'::jsonb"
BY_PERSON = "person_id = ANY(%(persons)s)"
BY_LEAD = "lead_id = ANY(%(leads)s)"


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom the erasure is about: a person with those merged into them, their leads and visitors."""

    persons: list[int]
    leads: list[int]
    visitors: list[int]

    @property
    def parameters(self) -> dict[str, list[int] | list[str]]:
        """As the conditions of steps name them."""
        places = [f"/people/{pk}/" for pk in self.persons] + [f"/leads/{pk}/" for pk in self.leads]
        return {
            "persons": self.persons,
            "leads": self.leads,
            "visitors": self.visitors,
            "places": places,
            "person_texts": [str(pk) for pk in self.persons],
            "lead_texts": [str(pk) for pk in self.leads],
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One table: rows that meet ``where`` get ``blank`` (column → SQL), or are deleted without it."""

    table: str
    where: str
    blank: Mapping[str, str] = field(default_factory=dict)

    def count(self, subjects: Subjects) -> int:
        """How many rows it is about."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.table} WHERE {self.where}", subjects.parameters)  # noqa: S608
            return int(cursor.fetchone()[0])

    def carry_out(self, subjects: Subjects) -> int:
        """Blank or delete; how many rows."""
        if self.blank:
            columns = ", ".join(f"{column} = {value}" for column, value in self.blank.items())
            statement = f"UPDATE {self.table} SET {columns} WHERE {self.where}"  # noqa: S608
        else:
            statement = f"DELETE FROM {self.table} WHERE {self.where}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, subjects.parameters)
            return int(cursor.rowcount)


_steps: dict[str, tuple[Step, ...]] = {}


def register(*, app: str, steps: tuple[Step, ...]) -> None:
    """Add the steps of an app, in their order. Called from ``wiring.connect`` only."""
    _steps[app] = steps


def all_steps() -> list[Step]:
    """The steps of all apps, the most downstream first: what refers goes before what is referred to."""
    return [step for app in reversed(list(_steps)) for step in _steps[app]]


_WHOSE_VISITOR = "(visitor_id = ANY(%(visitors)s) OR person_id = ANY(%(persons)s))"
_TRACE = "'erased-' || id::text"

_OF_MERGE = "survivor_id = ANY(%(persons)s) OR merged_id = ANY(%(persons)s)"
_BEFORE = """("table" = 'leads_person' AND row_id = ANY(%(persons)s))
    OR ("table" = 'leads_lead' AND row_id = ANY(%(leads)s))"""

LEADS = (
    Step("leads_importbefore", _BEFORE),
    Step("leads_mail", BY_PERSON),
    Step("leads_personemail", BY_PERSON),
    Step("leads_personphone", BY_PERSON),
    Step("leads_personref", BY_PERSON),
    Step("leads_persontrait", BY_PERSON),
    Step("leads_identityconflict", "person_id = ANY(%(persons)s) OR other_id = ANY(%(persons)s)"),
    Step(
        "leads_identityclaim",
        "email_placed_on_id = ANY(%(persons)s) OR user_placed_on_id = ANY(%(persons)s)",
    ),
    Step("leads_duplicate", "left_id = ANY(%(persons)s) OR right_id = ANY(%(persons)s)"),
    Step("leads_mergedrow", f"merge_id IN (SELECT id FROM leads_merge WHERE {_OF_MERGE})"),  # noqa: S608
    Step("leads_merge", _OF_MERGE),
    Step("leads_employment", BY_PERSON),
    Step("leads_visitorjoin", BY_PERSON),
    Step(
        "leads_event",
        _WHOSE_VISITOR,
        {
            "person_id": "NULL",
            "anonymous_id": EMPTY,
            "user_id": EMPTY,
            "is_named": "false",
            "url": "split_part(split_part(url, '?', 1), '#', 1)",
            "properties": NOTHING,
            "context": NOTHING,
        },
    ),
    Step(
        "leads_session",
        _WHOSE_VISITOR,
        {
            "person_id": "NULL",
            "entry_url": "split_part(split_part(entry_url, '?', 1), '#', 1)",
            "exit_url": "split_part(split_part(exit_url, '?', 1), '#', 1)",
            "referrer": EMPTY,
            "parameters": NOTHING,
        },
    ),
    Step("leads_visitor", "id = ANY(%(visitors)s)", {"person_id": "NULL", "anonymous_id": _TRACE}),
    Step(
        "leads_formsubmission",
        f"{BY_PERSON} OR {BY_LEAD}",
        {
            "raw": NOTHING,
            "digest": EMPTY,
            "network": EMPTY,
            "ip_hash": EMPTY,
            "user_agent": EMPTY,
            "page_url": EMPTY,
            "referrer": EMPTY,
            "anonymous_id": EMPTY,
        },
    ),
    Step(
        "leads_consententry",
        BY_PERSON,
        {"address": EMPTY, "network": EMPTY, "ip_hash": EMPTY, "evidence": NOTHING},
    ),
    Step(
        "leads_touchpoint",
        BY_PERSON,
        {
            "title": f"CASE WHEN is_self_reported THEN {GONE} ELSE title END",
            "url": "split_part(split_part(url, '?', 1), '#', 1)",
            "referrer": EMPTY,
            "parameters": NOTHING,
            "external_id": "NULL",
        },
    ),
    Step(
        "leads_activity",
        f"{BY_PERSON} OR {BY_LEAD}",
        {"subject": EMPTY, "body": EMPTY, "external_id": "NULL"},
    ),
    Step(
        "leads_lead",
        BY_PERSON,
        {"landing_page": EMPTY, "description": EMPTY, "attributes": NOTHING, "external_id": "NULL"},
    ),
    Step(
        "leads_person",
        "id = ANY(%(persons)s)",
        {
            "first_name": EMPTY,
            "last_name": EMPTY,
            "title": EMPTY,
            "language": EMPTY,
            "country": EMPTY,
            "city": EMPTY,
            "website": EMPTY,
            "company_id": "NULL",
            "attributes": NOTHING,
            "search_text": EMPTY,
            "version": "version + 1",
        },
    ),
    # After the update: its trigger has written the former values once more.
    Step("leads_personhistory", "pgh_obj_id = ANY(%(persons)s)"),
)
# Tables of the kernel that name people in words; they belong to apps below this one.
KERNEL = (
    Step("notifications_notification", "link LIKE ANY(%(places)s)", {"text": GONE}),
    Step(
        "notifications_outbox",
        "notice->>'link' LIKE ANY(%(places)s)",
        {"notice": 'notice || \'{"text": "[erased]", "subject": "", "emails": []}\'::jsonb'},
    ),
    Step(
        "notifications_delivery",
        "email <> '' AND outbox_id IN"
        " (SELECT id FROM notifications_outbox"
        " WHERE notice ? 'personal' AND notice->>'link' LIKE ANY(%(places)s))",
        {"email": EMPTY},
    ),
    Step(
        "audit_auditentry",
        "(object_type = 'leads.person' AND object_id = ANY(%(person_texts)s))"
        " OR (object_type = 'leads.lead' AND object_id = ANY(%(lead_texts)s))",
        {"object_label": EMPTY, "before": NOTHING, "after": NOTHING},
    ),
)
