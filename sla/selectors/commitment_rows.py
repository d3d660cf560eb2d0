"""A promise in a period as pages show it: every number in words, with the address of the leads behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from sla.domain import metrics
from sla.domain.commitments import Standing
from sla.models import Commitment
from sla.selectors import closed
from sla.selectors.commitments import Line
from smarketing.core.periods import Period
from smarketing.users.selectors import organisation
from smarketing.web import formats


@dataclass(frozen=True, slots=True)
class Number:
    """A number in words, and where the leads behind it are; empty when there are none to open."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One promise as a row of a table."""

    side: str
    name: str
    metric: str
    sentence: str
    days: str
    promised: str
    due: Number
    gross: Number
    net: Number
    pace: str
    forecast: str
    attainment: str
    percent: int | None
    tone: str
    verdict: str
    notes: list[str]
    frozen: list[str]


def rows(told: Iterable[Line], *, now: datetime) -> list[Row]:
    """Each line in words; what is closed says what was reported then."""
    told = list(told)
    wanted = {line.clause.pk: line.period for line in told if line.owner_id is None}
    frozen = closed.of_periods(wanted) if wanted else {}
    return [row(line, frozen.get(line.clause.pk), now=now) for line in told]


def row(line: Line, frozen: Commitment | None = None, *, now: datetime) -> Row:
    """One line in words."""
    standing = line.standing
    tone, verdict = _verdict(line, now)
    ratio = standing.attainment
    return Row(
        side=line.spec.side,
        name=line.name,
        metric=line.spec.metric,
        sentence=line.sentence,
        days=period_text(line.period),
        promised=_amount(standing.promised, line),
        due=_opened(line, "due", _count(standing.due, line)),
        gross=_opened(line, "gross" if not standing.is_rate else "", _count(standing.gross, line)),
        net=_opened(line, _net_cell(line), _count(standing.net, line)),
        pace=_pace(line),
        forecast="–" if now >= _end(line) else _amount(standing.forecast, line),
        attainment="–" if ratio is None else formats.percent(ratio, 0),
        percent=None if ratio is None else round(100 * min(ratio, 1)),
        tone=tone,
        verdict=verdict,
        notes=_notes(line),
        frozen=_frozen(line, frozen),
    )


def period_text(period: Period) -> str:
    """The days of a period in words, both ends included."""
    zone = organisation.zone()
    if period.start is None or period.end is None:
        return ""
    first = period.start.astimezone(zone).date()
    last = (period.end.astimezone(zone)).date().fromordinal(period.end.astimezone(zone).toordinal() - 1)
    return f"{formats.day(first)} – {formats.day(last)}"


def _opened(line: Line, cell: str, text: str) -> Number:
    if not cell or text in ("0", "–") or (line.spec.metric == metrics.CONTACTS and cell == "due"):
        return Number(text)
    if not line.standing.is_rate and cell == "due":
        return Number(text)
    if line.spec.metric == metrics.MEETINGS:
        return Number(text, reverse("sla:meetings"))
    start = line.period.start
    if start is None:
        return Number(text)
    day = start.astimezone(organisation.zone()).date().isoformat()
    url = reverse("sla:commitment_leads", args=[line.clause.pk, day, cell])
    return Number(text, f"{url}?{urlencode({'owner': line.owner_id})}" if line.owner_id else url)


def _net_cell(line: Line) -> str:
    if line.spec.metric in metrics.CLOCKS:
        return "met"
    return "reached" if line.standing.is_rate else "net"


def _amount(value: float | None, line: Line) -> str:
    """A promised, forecast or reached amount in the unit of the promise."""
    if value is None:
        return "–"
    if line.standing.is_rate:
        return formats.percent(value, 0)
    return _count(value, line)


def _count(value: float | None, line: Line) -> str:
    if value is None:
        return "–"
    if line.unit == "money":
        return formats.money(round(value), organisation.current().currency)
    return formats.number(round(value))


def _pace(line: Line) -> str:
    pace = line.standing.pace
    if pace is None:
        return "–"
    if line.standing.is_rate:
        points = round(100 * pace)
        return _("%(n)s points") % {"n": f"+{points}" if points > 0 else formats.number(points)}
    text = _count(abs(pace), line)
    if text in ("0", _count(0, line)):
        return _("on time")
    return _("%(n)s ahead") % {"n": text} if pace > 0 else _("%(n)s behind") % {"n": text}


def _verdict(line: Line, now: datetime) -> tuple[str, str]:
    standing: Standing = line.standing
    if standing.is_kept is None:
        return "plain", _("nothing due yet") if now < _end(line) else _("nothing was due")
    if now >= _end(line):
        return ("ok", _("kept")) if standing.is_kept else ("bad", _("broken"))
    return ("ok", _("on pace")) if standing.is_kept else ("warn", _("behind"))


def _end(line: Line) -> datetime:
    if line.period.end is None:
        raise AssertionError("the period of a promise has an end")
    return line.period.end


def _notes(line: Line) -> list[str]:
    told = []
    if line.standing.pending:
        told.append(_("%(n)s not due yet") % {"n": formats.number(line.standing.pending)})
    if line.standing.late:
        told.append(_("%(n)s kept late") % {"n": formats.number(line.standing.late)})
    if line.standing.net > line.standing.done:
        over = _count(line.standing.net - line.standing.done, line)
        if line.spec.metric == metrics.CONTACTS:
            told.append(_("%(n)s beyond a rep's own part don't stand in for another's") % {"n": over})
        else:
            told.append(_("%(n)s above the ceiling don't count") % {"n": over})
    if line.notes:
        told.append(_("no estimate for the cells %(cells)s") % {"cells": ", ".join(line.notes)})
    return told


def _frozen(line: Line, frozen: Commitment | None) -> list[str]:
    """What was reported when the period was closed, and each later restatement."""
    if frozen is None:
        return []
    told = [
        _("Closed on %(day)s: %(share)s")
        % {"day": formats.day(_day(frozen.closed_at)), "share": _share(frozen.figures)}
    ]
    before = frozen.figures
    for later in frozen.restatements.all():
        changed = [
            f"{_names().get(key, key)} {_plain(then)} → {_plain(known)}"
            for key, then, known in closed.differences(before, later.figures)
            if key in _names()
        ]
        what = ", ".join(changed) or _("other leads behind the same numbers")
        told.append(
            _("Restated on %(day)s: %(what)s") % {"day": formats.day(_day(later.found_at)), "what": what}
        )
        before = later.figures
    return told


def _names() -> dict[str, str]:
    return {
        "gross": _("gross"),
        "net": _("net"),
        "done": _("counted"),
        "due": _("due"),
        "late": _("late"),
        "pending": _("not due"),
    }


def _share(figures: dict[str, float | None]) -> str:
    done, due = figures["done"], figures["due"]
    return _("%(done)s of %(due)s") % {"done": _plain(done), "due": _plain(due)}


def _plain(value: float | None) -> str:
    return "–" if value is None else formats.number(round(value))


def _day(at: datetime) -> datetime:
    return at.astimezone(organisation.zone())
