"""The sentences of clauses, made from their data: text and behaviour can't differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from sla.domain import metrics
from sla.domain.clauses import ClauseSpec
from sla.models import Clause
from smarketing.users.models import Team
from smarketing.users.selectors import organisation
from smarketing.web import formats

NAMES = {
    metrics.SUPPLY_COUNT: gettext_lazy("Leads delivered"),
    metrics.SUPPLY_VALUE: gettext_lazy("Value delivered"),
    metrics.MINIMUM_INFORMATION: gettext_lazy("Minimum information"),
    metrics.FIRST_RESPONSE: gettext_lazy("First response"),
    metrics.DEPTH: gettext_lazy("Depth of follow-up"),
    metrics.OUTCOME: gettext_lazy("Outcome"),
    metrics.RETURN_FEEDBACK: gettext_lazy("Feedback on returns"),
    metrics.TOUCHED: gettext_lazy("Leads touched"),
    metrics.WORKED: gettext_lazy("Leads worked"),
    metrics.CONTACTS: gettext_lazy("Prospects contacted"),
    metrics.ACCEPTANCE: gettext_lazy("Leads accepted"),
    metrics.CLOSE_RATE: gettext_lazy("Close rate"),
    metrics.MEETINGS: gettext_lazy("Meetings of the two teams"),
}
DAY_SECONDS = 86_400
_PERIODS = {
    "week": gettext_lazy("week"),
    "month": gettext_lazy("month"),
    "quarter": gettext_lazy("quarter"),
}


def name(metric: str) -> str:
    """What a metric is called in lists."""
    return str(NAMES[metric])


def period(key: str) -> str:
    """What a period is called: "month"."""
    return str(_PERIODS.get(key, _PERIODS["month"]))


def sentence(clause: Clause) -> str:
    """The promise in one sentence."""
    return sentence_of(_spec(clause))


def sentence_of(spec: ClauseSpec) -> str:
    """The promise of a checked clause in one sentence."""
    return _SENTENCES[spec.metric](spec)


def details(clause: Clause) -> list[str]:
    """What else was agreed about the clause, one sentence each."""
    spec = _spec(clause)
    told = []
    if clause.calendar is not None:
        told.append(
            _("Only the hours of the calendar “%(calendar)s” count.") % {"calendar": clause.calendar.name}
        )
    if (explanation := _EXPLAINED.get(clause.metric)) is not None:
        told.append(str(explanation))
    if spec.team is not None:
        team = Team.objects.filter(pk=spec.team).values_list("name", flat=True).first()
        told.append(_("Only for leads of the team “%(team)s”.") % {"team": team or spec.team})
    if clause.grace_seconds and clause.metric not in metrics.CLOCKS:
        number = clause.grace_seconds // DAY_SECONDS
        told.append(
            ngettext(
                "A lead is judged from %(n)d day after its delivery on.",
                "A lead is judged from %(n)d days after its delivery on.",
                number,
            )
            % {"n": number}
        )
    elif clause.grace_seconds:
        grace = duration(Decimal(clause.grace_seconds) / 60)
        told.append(_("Grace: %(grace)s.") % {"grace": grace})
    if clause.metric == metrics.RETURN_FEEDBACK:
        told.append(_appeal(spec))
    if clause.metric in metrics.CLOCKS:
        told += _ladder(spec)
        told.append(
            _("A clock may be paused for a reason, in all %(span)s per lead.")
            % {"span": duration(Decimal(spec.term("pause_hours")) * 60)}
        )
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


def days(number: Decimal) -> str:
    """A target in business days: "2 business days", "1.5 business days"."""
    if number == number.to_integral():
        return ngettext("%(n)d business day", "%(n)d business days", int(number)) % {"n": int(number)}
    return _("%(n)s business days") % {"n": formats.number(number.normalize(), 1)}


def _appeal(spec: ClauseSpec) -> str:
    number = int(spec.term("appeal_days"))
    return ngettext(
        "Marketing may appeal against a return within %(n)d day of it; after that it stands.",
        "Marketing may appeal against a return within %(n)d days of it; after that it stands.",
        number,
    ) % {"n": number}


def _ladder(spec: ClauseSpec) -> list[str]:
    steps = {
        "lead_after_minutes": _("the team lead is told after %(span)s"),
        "reassign_after_minutes": _("another rep gets the lead after %(span)s"),
        "managers_after_minutes": _("the managers of both teams are told after %(span)s"),
    }
    taken = [(spec.terms[key], words) for key, words in steps.items() if spec.terms.get(key)]
    if not taken:
        return []
    parts = [words % {"span": duration(Decimal(minutes))} for minutes, words in sorted(taken)]
    return [_("Once it is overdue: %(steps)s.") % {"steps": "; ".join(parts)}]


def _spec(clause: Clause) -> ClauseSpec:
    return ClauseSpec(
        side=clause.side,
        metric=clause.metric,
        comparator=clause.comparator,
        target=clause.target,
        period=clause.period,
        bands=tuple(clause.population.get("bands", ())),
        team=clause.population.get("team"),
        terms=clause.terms,
    )


def _bands(spec: ClauseSpec) -> str:
    return _(" of the cells %(bands)s") % {"bands": ", ".join(spec.bands)} if spec.bands else ""


def _first_response(spec: ClauseSpec) -> str:
    return _(
        "Sales makes the first attempt to reach every delivered lead%(bands)s within %(target)s "
        "of its delivery."
    ) % {"bands": _bands(spec), "target": duration(spec.target)}


def _depth(spec: ClauseSpec) -> str:
    return _(
        "Sales makes at least %(attempts)s attempts to reach every delivered lead%(bands)s, over at least "
        "%(channels)s channels and on at least %(days)s business days, within %(within)s of its delivery."
    ) % {
        "attempts": formats.number(spec.target),
        "bands": _bands(spec),
        "channels": spec.term("channels"),
        "days": spec.term("days"),
        "within": days(Decimal(spec.term("within_days"))),
    }


def _outcome(spec: ClauseSpec) -> str:
    return _("Sales says what became of every delivered lead%(bands)s within %(target)s of its delivery.") % {
        "bands": _bands(spec),
        "target": days(spec.target),
    }


def _return_feedback(spec: ClauseSpec) -> str:
    return _("Sales explains every returned lead%(bands)s within %(target)s of its return.") % {
        "bands": _bands(spec),
        "target": days(spec.target),
    }


def _supply(spec: ClauseSpec, amount: str, ceiling: str) -> str:
    words = {"amount": amount, "bands": _bands(spec), "period": period(spec.period), "ceiling": ceiling}
    if spec.term("per") == metrics.PER_REP:
        told = _("Marketing delivers at least %(amount)s%(bands)s to every rep each %(period)s%(ceiling)s.")
    else:
        told = _("Marketing delivers at least %(amount)s%(bands)s to sales each %(period)s%(ceiling)s.")
    return told % words


def _supply_count(spec: ClauseSpec) -> str:
    most = spec.terms.get("ceiling")
    ceiling = _("; more than %(most)s don't count") % {"most": formats.number(most)} if most else ""
    amount = ngettext("%(n)s qualified lead", "%(n)s qualified leads", int(spec.target))
    return _supply(spec, amount % {"n": formats.number(spec.target)}, ceiling)


def _supply_value(spec: ClauseSpec) -> str:
    most, currency = spec.terms.get("ceiling"), organisation.current().currency
    ceiling = (
        _("; more than %(most)s doesn't count") % {"most": formats.money(Decimal(most), currency)}
        if most
        else ""
    )
    amount = _("leads worth %(value)s") % {"value": formats.money(spec.target, currency)}
    return _supply(spec, amount, ceiling)


def _percent(text: str) -> Callable[[ClauseSpec], str]:
    def say(spec: ClauseSpec) -> str:
        words = {
            "share": f"{formats.number(spec.target.normalize(), 1 if spec.target % 1 else 0)}%",
            "bands": _bands(spec),
            "period": period(spec.period),
            "maturity": spec.term("maturity_days") if spec.metric == metrics.CLOSE_RATE else "",
        }
        return _(text) % words

    return say


def _contacts(spec: ClauseSpec) -> str:
    told = ngettext(
        "Every rep contacts at least %(n)s prospect each %(period)s.",
        "Every rep contacts at least %(n)s prospects each %(period)s.",
        int(spec.target),
    )
    return told % {
        "n": formats.number(spec.target),
        "period": period(spec.period),
    }


def _meetings(spec: ClauseSpec) -> str:
    told = ngettext(
        "Marketing and sales meet at least once each %(period)s.",
        "Marketing and sales meet at least %(n)s times each %(period)s.",
        int(spec.target),
    )
    return told % {"n": formats.number(spec.target), "period": period(spec.period)}


_SENTENCES: dict[str, Callable[[ClauseSpec], str]] = {
    metrics.FIRST_RESPONSE: _first_response,
    metrics.DEPTH: _depth,
    metrics.OUTCOME: _outcome,
    metrics.RETURN_FEEDBACK: _return_feedback,
    metrics.SUPPLY_COUNT: _supply_count,
    metrics.SUPPLY_VALUE: _supply_value,
    metrics.CONTACTS: _contacts,
    metrics.MEETINGS: _meetings,
    metrics.MINIMUM_INFORMATION: _percent(
        gettext_noop(
            "At least %(share)s of the leads%(bands)s that marketing delivers in a %(period)s carry the "
            "minimum information without an override."
        )
    ),
    metrics.TOUCHED: _percent(
        gettext_noop(
            "Sales makes at least one attempt to reach %(share)s or more of the leads%(bands)s delivered "
            "in a %(period)s."
        )
    ),
    metrics.WORKED: _percent(
        gettext_noop("Sales works %(share)s or more of the leads%(bands)s delivered in a %(period)s.")
    ),
    metrics.ACCEPTANCE: _percent(
        gettext_noop(
            "Sales accepts %(share)s or more of the leads%(bands)s delivered in a %(period)s that it answers."
        )
    ),
    metrics.CLOSE_RATE: _percent(
        gettext_noop(
            "At least %(share)s of the leads%(bands)s delivered in a %(period)s become customers within "
            "%(maturity)s days."
        )
    ),
}
_ATTEMPT = gettext_lazy(
    "An attempt is a call, an e-mail or a meeting by a person; automatic mail doesn't count."
)
_EXPLAINED = {
    metrics.FIRST_RESPONSE: _ATTEMPT,
    metrics.DEPTH: gettext_lazy(
        "An attempt is a call, an e-mail or a meeting by a person; automatic mail doesn't count. A "
        "conversation, a reply, a meeting that was held or a qualified lead satisfies it early."
    ),
    metrics.OUTCOME: gettext_lazy(
        "An outcome is a return with its reason, a qualified lead (need and budget), a deal, or the end "
        "of the lead. Accepting alone is none."
    ),
    metrics.RETURN_FEEDBACK: gettext_lazy("A return is explained once it carries a note of what was wrong."),
    metrics.SUPPLY_COUNT: gettext_lazy(
        "Returns that reject the lead are taken off unless they are overturned; “not ready yet” is none."
    ),
    metrics.SUPPLY_VALUE: gettext_lazy(
        "A lead is worth what leads of its cell brought on average in the twelve months before the period."
    ),
    metrics.TOUCHED: _ATTEMPT,
    metrics.WORKED: gettext_lazy(
        "Worked means that the promised depth was reached or that the outcome is recorded."
    ),
    metrics.CONTACTS: gettext_lazy("A prospect counts once a period, however often a person was tried."),
    metrics.MEETINGS: gettext_lazy(
        "A meeting counts once it is entered with somebody of each side; one of the period is due at its end."
    ),
    metrics.CLOSE_RATE: gettext_lazy(
        "Counted are the leads whose time to become a customer ended in the period; younger ones don't count."
    ),
}
