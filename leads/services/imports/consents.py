"""What a file says of consent and of not being contacted, as entries of the consent ledger.

"Yes, don't" sets the do-not-contact flag of a channel; "no" or blank says nothing, for a file must
not lift what a person has asked for. A consent names its purposes; one that is in force already is
not written again.
"""

from __future__ import annotations

import re

from leads.domain.values import BadValue
from leads.events import ConsentRecorded
from leads.models import ContactChannel, Purpose
from leads.services.imports import cells
from leads.services.imports.cells import Reader, Setting
from leads.services.imports.kinds import Field
from leads.services.imports.staging import Batch
from smarketing.core import events

_YES = frozenset({"yes", "y", "true", "t", "1", "x", "on", "granted", "optin", "subscribed"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "optout", "unsubscribed", "none", "unknown"})
# What a flag of the file closes, by channel.
_CLOSES = {
    "no_email": (ContactChannel.EMAIL,),
    "no_phone": (ContactChannel.PHONE, ContactChannel.SMS),
    "no_contact": tuple(ContactChannel),
}
_INSERT = """
WITH added AS (
    INSERT INTO leads_consententry (person_id, address, purpose_id, channel, state, text_id, source,
                                    occurred_at, recorded_at, network, ip_hash, evidence, actor_id,
                                    dedupe_key)
    SELECT DISTINCT ON (t.person_id, s.purpose_id, s.channel)
           t.person_id, '', s.purpose_id, s.channel, s.state, NULL, %(told_by)s,
           CASE WHEN s.state = 'granted' THEN least(coalesce(r.consent_at, %(now)s), %(now)s)
                ELSE %(now)s END,
           %(now)s, '', '', jsonb_build_object('import', %(run)s, 'row', r.row_no), %(actor)s, NULL
      FROM import_target t JOIN import_row r USING (row_no) JOIN import_said s USING (row_no)
     WHERE s.state IS DISTINCT FROM (
           SELECT e.state FROM leads_consententry e
            WHERE e.person_id = t.person_id AND e.purpose_id IS NOT DISTINCT FROM s.purpose_id
              AND e.channel = s.channel ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1)
     ORDER BY t.person_id, s.purpose_id, s.channel, r.row_no DESC
    RETURNING id, person_id
), made AS (
    INSERT INTO import_made SELECT 'leads_consententry', id FROM added
), changed AS (
    INSERT INTO import_changed SELECT person_id FROM added
)
SELECT id, person_id FROM added ORDER BY id
"""


def purposes(*, setting: Setting) -> Reader:
    """The codes of the purposes that a cell grants: named ones, or for a plain "yes" the first of e-mail."""
    known = list(Purpose.objects.filter(is_active=True).order_by("position", "code"))
    plain = next((p.code for p in known if p.channel == ContactChannel.EMAIL), None)
    by_name = {name.casefold(): p.code for p in known for name in (p.code, p.name)}

    def read(text: str) -> str | None:
        word = re.sub(r"[\W_]+", "", text).casefold()
        if word in _NO:
            return None
        if word in _YES and plain:
            return plain
        found = [by_name.get(part.strip().casefold()) for part in re.split(r"[,;|]", text) if part.strip()]
        if None in found:
            raise BadValue(f"is neither yes nor no nor one of {', '.join(p.name for p in known)}")
        return ",".join(code for code in found if code) or None

    return cells.remembered(read=read)


FIELDS = (
    Field("no_email", cells.boolean, columns=(("no_email", "bool"),)),
    Field("no_phone", cells.boolean, columns=(("no_phone", "bool"),)),
    Field("no_contact", cells.boolean, columns=(("no_contact", "bool"),)),
    Field("consent", purposes),
    Field("consent_at", cells.past_instant, columns=(("consent_at", "timestamptz"),)),
)


def record(*, batch: Batch) -> None:
    """Write what the file says of the persons of ``import_target``; call it when they are written."""
    flags = [name for name in _CLOSES if batch.has(name)]
    if not flags and not batch.has("consent"):
        return
    batch.load(
        "import_said",
        (("row_no", "int"), ("purpose_id", "bigint"), ("channel", "text"), ("state", "text")),
        [],
    )
    for name in flags:
        batch.execute(
            f"INSERT INTO import_said SELECT row_no, NULL, unnest(%(channels)s), 'withdrawn'"  # noqa: S608
            f" FROM import_row WHERE {name}",
            channels=[str(channel) for channel in _CLOSES[name]],
        )
    if batch.has("consent"):
        batch.execute(
            "INSERT INTO import_said SELECT r.row_no, p.id, p.channel, 'granted' FROM import_row r"
            " JOIN leads_purpose p ON p.code = ANY(string_to_array(r.consent, ','))"
            " WHERE r.consent IS NOT NULL"
        )
    added = batch.fetch(_INSERT, told_by=f"import {batch.source.code}"[:60])
    for entry, person in added:
        events.publish(ConsentRecorded(entry, person, batch.now))
    if added:
        batch.note(f"{len(added)} entries of the consent ledger come from this file.")
