"""Import of activities: calls, mails, meetings, notes and tasks of the past.

They are history: an imported call neither starts nor stops a clock.
"""

from __future__ import annotations

import re

from leads.domain.values import BadValue
from leads.events import ActivitiesImported
from leads.services.imports import cells, references, subjects
from leads.services.imports.cells import LeaveOut, Reader, Setting
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch, kept
from smarketing.core import events

# Word → kind and, where the word tells it, direction.
_KINDS = {
    word: (kind, direction)
    for kind, direction, words in (
        ("call", None, "call phonecall telephone"),
        ("mail", None, "mail email emailsent outgoingemail listemail communication linkedin sms"),
        ("mail", "inbound", "incomingemail emailreply"),
        ("meeting", None, "meeting event demo appointment visit"),
        ("note", "internal", "note comment"),
        ("task", "internal", "task todo followup reminder prep other"),
    )
    for word in words.split()
}
_DIRECTIONS = {
    word: direction
    for direction, words in {
        "outbound": "outbound outgoing out",
        "inbound": "inbound incoming in",
        "internal": "internal",
    }.items()
    for word in words.split()
}
_OUTCOMES = {
    word: outcome
    for outcome, words in {
        "reached": "reached connected answered spoke completedcall",
        "no_answer": "noanswer busy notreached notanswered",
        "left_message": "leftmessage leftvoicemail voicemail leftlivemessage",
        "sent": "sent delivered",
        "replied": "replied reply responded",
        "bounced": "bounced bounce wrongnumber",
        "held": "held completed attended",
        "no_show": "noshow",
    }.items()
    for word in words.split()
}
_DONE = ("completed", "done", "closed", "complete", "finished")


def apply(*, batch: Batch) -> None:
    """Store the activities that are new and mend those that are known by their id."""
    batch.reject("occurred_at", "When it was is not told.", "r.occurred_at IS NULL AND r.due_at IS NULL")
    references.owners(batch=batch)
    subjects.companies(batch=batch)
    subjects.find(batch=batch, or_company=True)
    _wanted(batch)
    batch.table(
        "import_target",
        """
        SELECT row_no, coalesce(known_id, nextval('leads_activity_id_seq')) AS activity_id,
               known_id IS NULL AS is_new
          FROM (SELECT w.row_no, coalesce(a.id, q.id) AS known_id
                  FROM import_wanted w
                  LEFT JOIN leads_activity a ON a.source_id = %(source)s AND a.external_id = w.external_id
                  LEFT JOIN LATERAL (
                        SELECT min(x.id) AS id FROM leads_activity x
                         WHERE x.person_id = w.person_id AND x.source_id = %(source)s AND x.kind = w.kind
                           AND x.occurred_at = w.occurred_at AND x.subject = w.subject
                       ) q ON w.external_id IS NULL) told
        """,
        index="row_no",
    )
    batch.execute(
        """
        INSERT INTO leads_activity (id, person_id, lead_id, company_id, kind, direction, outcome, subject,
                                    body, occurred_at, duration_seconds, due_at, done_at, actor_id,
                                    is_automated, source_id, external_id, version, created_at, updated_at)
        SELECT t.activity_id, w.person_id, w.lead_id, w.company_id, w.kind, w.direction, w.outcome, w.subject,
               w.body, w.occurred_at, w.duration_seconds, w.due_at, w.done_at, w.actor_id, false, %(source)s,
               w.external_id, 1, %(now)s, %(now)s
          FROM import_wanted w JOIN import_target t USING (row_no) WHERE t.is_new
        """
    )
    batch.made("leads_activity", "SELECT activity_id FROM import_target WHERE is_new")
    _mend(batch)
    batch.outcome("c", "SELECT row_no FROM import_target WHERE is_new")
    batch.outcome(
        "u", "SELECT row_no FROM import_target JOIN import_changed USING (activity_id) WHERE NOT is_new"
    )
    added = batch.fetch("SELECT activity_id FROM import_target WHERE is_new ORDER BY 1")
    if added:
        events.publish(ActivitiesImported(tuple(pk for (pk,) in added), batch.now))


def _wanted(batch: Batch) -> None:
    """``import_wanted``: each row as the activity it will be.

    A task is due at its date and was made before it; anything else happened at that date.
    """
    batch.table(
        "import_wanted",
        """
        WITH told AS (
            SELECT r.*, coalesce(r.kind, CASE WHEN r.due_at IS NOT NULL THEN 'task' ELSE 'note' END) AS what
              FROM import_row r
        )
        SELECT r.row_no, r.external_id, s.person_id, s.lead_id, c.company_id, r.what AS kind,
               coalesce(r.direction, r.kind_direction,
                        CASE WHEN r.what IN ('note', 'task') THEN 'internal' ELSE 'outbound' END
                       ) AS direction,
               coalesce(r.outcome, '') AS outcome, coalesce(r.subject, '') AS subject,
               coalesce(r.body, '') AS body, r.duration_seconds, w.user_id AS actor_id,
               least(CASE WHEN r.what = 'task' THEN coalesce(r.occurred_at, r.due_at)
                          WHEN r.due_at <= %(now)s THEN r.due_at
                          ELSE coalesce(r.occurred_at, r.due_at) END, %(now)s) AS occurred_at,
               CASE WHEN r.what = 'task' THEN r.due_at END AS due_at,
               CASE WHEN r.what = 'task' AND (r.is_done OR lower(r.status) = ANY(%(done)s))
                    THEN least(coalesce(r.due_at, r.occurred_at), %(now)s) END AS done_at
          FROM told r JOIN import_subject s USING (row_no)
          LEFT JOIN import_row_company c USING (row_no)
          LEFT JOIN import_owner w ON w.written = r.owner
        """,
        index="row_no",
        done=list(_DONE),
    )


def _mend(batch: Batch) -> None:
    """What the file says of activities that are known by their id, where it differs."""
    batch.table("import_changed", "SELECT NULL::bigint AS activity_id WHERE false")
    batch.execute(
        """
        WITH changed AS (
            UPDATE leads_activity a SET subject = w.subject, body = w.body, outcome = w.outcome,
                   kind = w.kind, direction = w.direction, occurred_at = w.occurred_at, due_at = w.due_at,
                   done_at = w.done_at, actor_id = coalesce(w.actor_id, a.actor_id),
                   version = a.version + 1, updated_at = %(now)s
              FROM import_wanted w JOIN import_target t USING (row_no)
             WHERE a.id = t.activity_id AND NOT t.is_new AND w.external_id IS NOT NULL
               AND (w.subject, w.body, w.outcome, w.kind, w.direction, w.occurred_at, w.due_at, w.done_at,
                    coalesce(w.actor_id, a.actor_id))
                   IS DISTINCT FROM (a.subject, a.body, a.outcome, a.kind, a.direction, a.occurred_at,
                                     a.due_at, a.done_at, a.actor_id)
            RETURNING a.id
        ), KEPT
        INSERT INTO import_changed SELECT id FROM changed
        """.replace("KEPT", kept(table="leads_activity"))
    )


def _kind(*, setting: Setting) -> Reader:
    def read(text: str) -> tuple[str, str | None]:
        word = re.sub(r"[\W_]+", "", text).casefold()
        if word not in _KINDS:
            raise BadValue("is not a kind of activity; write call, mail, meeting, note or task")
        return _KINDS[word]

    return cells.remembered(read=read)


def _outcome(*, setting: Setting) -> Reader:
    def read(text: str) -> str:
        word = re.sub(r"[\W_]+", "", text).casefold()
        if word not in _OUTCOMES:
            raise LeaveOut(f"is “{text[:40]}”, which is no outcome here")
        return _OUTCOMES[word]

    return cells.remembered(read=read)


KIND = Kind(
    name="activities",
    fields=(
        Field("external_id", cells.key),
        Field("person_ref", cells.key),
        Field("lead_ref", cells.key),
        Field("company_ref", cells.key),
        Field("company", cells.company, columns=(("company_name", "text"), ("company_key", "text"))),
        Field("email", cells.loose_email),
        Field("kind", _kind, columns=(("kind", "text"), ("kind_direction", "text"))),
        Field("direction", cells.choice(meanings=_DIRECTIONS, told="inbound, outbound or internal")),
        Field("outcome", _outcome),
        Field("subject", cells.line(limit=300)),
        Field("body", cells.prose),
        Field("occurred_at", cells.past_instant, columns=(("occurred_at", "timestamptz"),)),
        Field("due_at", cells.instant, columns=(("due_at", "timestamptz"),)),
        Field("is_done", cells.boolean, columns=(("is_done", "bool"),)),
        Field("status", cells.line(limit=80)),
        Field("duration_seconds", cells.whole, columns=(("duration_seconds", "int"),)),
        Field("owner", cells.key),
        Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    ),
    apply=apply,
)
