"""The sentences of clauses, made from their data: text and behaviour can't differ."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sla.domain import clauses as rules
from sla.models import Clause


def sentence(clause: Clause) -> str:
    """The promise in one sentence."""
    if clause.metric == rules.FIRST_RESPONSE:
        return _(
            "Sales makes the first attempt to reach every delivered lead%(bands)s within %(target)s "
            "of its delivery."
        ) % {"bands": _bands(clause), "target": duration(clause.target)}
    raise ValueError(f"no sentence for the metric {clause.metric}")


def details(clause: Clause) -> list[str]:
    """What else was agreed about the clause, one sentence each."""
    told = []
    if clause.calendar is not None:
        told.append(
            _("Only the hours of the calendar “%(calendar)s” count.") % {"calendar": clause.calendar.name}
        )
    if clause.metric == rules.FIRST_RESPONSE:
        told.append(
            _("An attempt is a call, an e-mail or a meeting by a person; automatic mail doesn't count.")
        )
    if clause.grace_seconds:
        grace = duration(Decimal(clause.grace_seconds) / 60)
        told.append(_("Grace: %(grace)s.") % {"grace": grace})
    if clause.accountable is not None:
        names = clause.accountable.name
        if clause.backup is not None:
            names = _("%(name)s, in their absence %(backup)s") % {
                "name": names,
                "backup": clause.backup.name,
            }
        told.append(_("Accountable: %(names)s.") % {"names": names})
    return told


def duration(minutes: Decimal) -> str:
    """A target in the largest whole unit: "1 business hour", "90 minutes"."""
    seconds = int(timedelta(minutes=float(minutes)).total_seconds())
    if seconds % 3600 == 0:
        hours = seconds // 3600
        return ngettext("%(n)d business hour", "%(n)d business hours", hours) % {"n": hours}
    whole = round(seconds / 60)
    return ngettext("%(n)d business minute", "%(n)d business minutes", whole) % {"n": whole}


def _bands(clause: Clause) -> str:
    bands = clause.population.get("bands", ())
    return _(" of the cells %(bands)s") % {"bands": ", ".join(bands)} if bands else ""
