"""What must hold of accepted messages and events at every moment, and the figures that operators watch."""

from __future__ import annotations

from smarketing.core.invariants import Invariant
from smarketing.core.readings import Reading

ALL = (
    Invariant(
        "I-1",
        "An accepted message that waits is whole: the inbox holds what its columns say",
        "SELECT id, message_id FROM leads_eventinbox"
        " WHERE body->>'id' IS DISTINCT FROM message_id::text"
        " OR (body->>'source_id')::bigint IS DISTINCT FROM source_id OR body->>'type' IS DISTINCT FROM kind",
    ),
    Invariant(
        "I-1",
        "A dead letter holds the whole message and says why",
        "SELECT id, message_id FROM leads_deadletter"
        " WHERE jsonb_typeof(body) <> 'object' OR body = '{}' OR error = ''",
    ),
    Invariant(
        "I-2",
        "The key of an event is unique, and the index that keeps it so is sound",
        "SELECT 'leads_event' AS of_table WHERE NOT EXISTS (SELECT FROM pg_index i"
        " WHERE i.indrelid = 'leads_event'::regclass AND i.indisprimary AND i.indisvalid AND i.indisready)",
    ),
    Invariant(
        "I-2",
        "A message waits at most once",
        "SELECT message_id, count(*) FROM leads_eventinbox GROUP BY message_id HAVING count(*) > 1",
    ),
    Invariant(
        "I-6",
        "A message is tried at most five times and waits for its next try at most half an hour",
        "SELECT id, message_id, attempts, not_before FROM leads_eventinbox"
        " WHERE attempts > 5 OR not_before > now() + interval '30 minutes'",
    ),
    Invariant(
        "R40",
        "Whoever was merged away has no lap or address left, and no late row for more than an hour",
        "SELECT p.id, p.merged_into_id FROM leads_person p WHERE p.merged_into_id IS NOT NULL AND ("
        " EXISTS (SELECT FROM leads_lead l WHERE l.person_id = p.id)"
        " OR EXISTS (SELECT FROM leads_personemail e WHERE e.person_id = p.id)"
        " OR EXISTS (SELECT FROM leads_event e JOIN leads_merge m ON m.merged_id = p.id"
        "            AND m.undone_at IS NULL AND m.merged_at < now() - interval '1 hour'"
        "            WHERE e.person_id = p.id))",
    ),
    Invariant(
        "R40",
        "A person is merged away exactly while a merge of them stands",
        "SELECT p.id, p.merged_into_id, m.survivor_id FROM leads_merge m"
        " JOIN leads_person p ON p.id = m.merged_id"
        " WHERE m.undone_at IS NULL AND p.merged_into_id IS DISTINCT FROM m.survivor_id",
    ),
)

READINGS = (
    Reading(
        "inbox_messages",
        "Accepted messages that wait to be applied, at most 500,001 are counted.",
        "SELECT count(*) FROM (SELECT FROM leads_eventinbox LIMIT 500001) AS counted",
    ),
    Reading(
        "inbox_failing",
        "Accepted messages that have failed at least once.",
        "SELECT count(*) FROM leads_eventinbox WHERE attempts > 0 AND last_error <> ''",
    ),
    Reading(
        "inbox_stopped",
        "1 while applying is stopped because too many messages failed.",
        "SELECT count(*) FROM leads_inboxstop WHERE resumed_at IS NULL",
    ),
    Reading(
        "dead_letters",
        "Messages that could not be applied and about which nobody has decided.",
        "SELECT count(*) FROM leads_deadletter WHERE discarded_at IS NULL",
    ),
    Reading(
        "inbox_applied_last_minute",
        "Messages applied in the last whole minute.",
        "SELECT coalesce(sum(applied), 0) FROM leads_inboxminute"
        " WHERE minute_at = date_trunc('minute', now()) - interval '1 minute'",
    ),
    Reading(
        "intake_events_today",
        "Tracked events of today (UTC) by what became of them.",
        "SELECT outcome, sum(events) FROM leads_intakecount"
        " WHERE day = (now() AT TIME ZONE 'UTC')::date GROUP BY outcome",
        label="outcome",
    ),
)
