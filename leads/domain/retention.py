"""Classes of data that need not be kept for ever, and what is proposed for each."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_DAYS, MOST_DAYS = 1, 3650


@dataclass(frozen=True, slots=True)
class DataClass:
    """Rows of ``table`` that meet ``where`` and are older by ``column`` go when their time is up.

    ``days`` is the default; ``None`` keeps them. Ledgers are opened for it where ``is_ledger``.
    """

    code: str
    table: str
    column: str
    days: int | None
    where: str = "true"
    is_ledger: bool = False


CLASSES = (
    DataClass("answers", "leads_formsubmission", "received_at", 730, "state IN ('applied', 'failed')"),
    DataClass(
        "quarantine", "leads_formsubmission", "received_at", 90, "state IN ('quarantined', 'discarded')"
    ),
    # In numbers by day they stay; single steps of people who never told their name need not.
    DataClass("anonymous_events", "leads_event", "received_at", 395, "person_id IS NULL"),
    DataClass("dead_letters", "leads_deadletter", "created_at", 90),
    DataClass("notifications", "notifications_notification", "created_at", 365),
    DataClass(
        "outbox",
        "notifications_outbox",
        "created_at",
        90,
        "fanned_out_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM notifications_delivery d"
        " WHERE d.outbox_id = notifications_outbox.id AND d.state = 'pending')",
    ),
    DataClass("audit", "audit_auditentry", "at", None, is_ledger=True),
)
BY_CODE = {each.code: each for each in CLASSES}
