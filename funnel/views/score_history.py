"""A lead's score over time, and why it was what it was at an instant that has passed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.score_history import InstantForm
from funnel.models import LeadScore
from funnel.selectors import past_scores, score_history, scores
from funnel.selectors.score_history import History
from funnel.selectors.scores import Explanation
from leads.models import Lead
from smarketing.users.domain.roles import Capability
from smarketing.web import charts, formats, rendering
from smarketing.web.pages import Request, page

ROWS = 40


@page(capability=Capability.VIEW)
def history(request: Request, pk: int) -> HttpResponse:
    """The chart alone, for the lead's page, which asks for it after it has been shown."""
    lead = access.lead(request.user, pk)
    context = {"lead": lead, **_drawn(lead, at=None, now=request.now)}
    return rendering.fragment(request, "funnel/_score_history.html", context)


@page(capability=Capability.VIEW)
def past(request: Request, pk: int) -> HttpResponse:
    """Why the score was what it was: ``?at=2026-05-03T12:00``, in the viewer's zone."""
    lead = access.lead(request.user, pk)
    form = InstantForm(request.GET if "at" in request.GET else None, since=lead.captured_at, now=request.now)
    at = form.cleaned_data["at"] if form.is_bound and form.is_valid() else request.now
    is_past = at < request.now
    told = _told(lead, at=at, is_past=is_past)
    context: dict[str, Any] = {
        "lead": lead,
        "form": form if form.is_bound else InstantForm.at_first(request.now, since=lead.captured_at),
        "at": at,
        "panel": told and explained(lead, told, is_past=is_past),
        **_drawn(lead, at=at if is_past else None, now=request.now),
    }
    return rendering.page(request, "funnel/score_history.html", context, status=422 if form.errors else 200)


def explained(lead: Lead, told: Explanation, *, is_past: bool = False) -> dict[str, Any]:
    """What the template of an explanation needs."""
    return {
        "lead": lead,
        "told": told,
        "is_past": is_past,
        "matched": [line for line in told.fit.lines if line.points],
        "others": [line for line in told.fit.lines if not line.points],
        "signals": [
            {"key": s.key, "name": s.key.replace("_", " ").capitalize(), "shown": s.shown}
            for s in told.signals
        ],
    }


def _told(lead: Lead, *, at: datetime, is_past: bool) -> Explanation | None:
    """The explanation at ``at``; ``None`` for a lead that was never scored."""
    if not LeadScore.objects.filter(lead=lead).exists():
        return None
    return past_scores.explain(lead=lead, at=at) if is_past else scores.explain(lead=lead, at=at)


def _drawn(lead: Lead, *, at: datetime | None, now: datetime) -> dict[str, Any]:
    """The chart and its table; nothing for a lead of no length."""
    told = score_history.of_lead(lead, now=now)
    first, last = told.moments[0].at, told.moments[-1].at
    length = (last - first).total_seconds()
    if not length:
        return {"trend": None}

    def place(instant: datetime) -> float:
        return (instant - first).total_seconds() / length

    marks = [place(instant) for instant in (at, told.qualified_at) if instant and first <= instant <= last]
    levels = [(_("Interest band %(band)s") % {"band": n}, points) for n, points in sorted(told.bands.items())]
    drawn = charts.trend([(place(m.at), m.interest) for m in told.moments], levels=levels, marks=marks)
    return {
        "trend": drawn,
        "history": told,
        "first": first,
        "last": last,
        "label": _("Interest from %(first)s to %(last)s; at most %(most)s")
        % {"first": formats.day(first), "last": formats.day(last), "most": formats.number(told.highest, 1)},
        "head": [_("When"), _("Interest"), _("Fit"), _("Cell")],
        "rows": _rows(told),
    }


def _rows(told: History) -> list[list[str]]:
    """The same numbers as text, evenly thinned."""
    step = max(len(told.moments) // ROWS, 1)
    chosen = [*told.moments[::step], *([] if (len(told.moments) - 1) % step == 0 else told.moments[-1:])]
    return [
        [formats.moment(m.at), formats.number(m.interest, 1), formats.number(m.fit), m.cell] for m in chosen
    ]
