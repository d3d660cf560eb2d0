"""What the audit trail keeps of the facts of other apps."""

from __future__ import annotations

from smarketing.audit.services import entries
from smarketing.core.changes import ConfigurationChanged


def keep(fact: ConfigurationChanged) -> None:
    """Every change of the configuration becomes an entry in the same transaction."""
    entries.append(
        actor_id=fact.actor_id,
        action=fact.action,
        object_type=fact.object_type,
        object_id=fact.object_id,
        object_label=fact.object_label,
        before=fact.before,
        after=fact.after,
        now=fact.at,
    )
