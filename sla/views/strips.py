"""The geometry of a clock's strip: where each piece of time lies between 0 and 100 %."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from sla.domain.calendars import Segment
from sla.selectors.clocks import Strip
from smarketing.web import formats

# A closed night may take at most this part of all counting time, or it would hide the hours that count.
CLOSED_AT_MOST = 0.25
LEAST = 0.6


@dataclass(frozen=True, slots=True)
class Piece:
    """A drawn stretch: ``x`` and ``width`` in percent."""

    x: str
    width: str
    kind: str
    label: str
    start: datetime
    end: datetime
    length: timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """A drawn instant."""

    x: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A strip ready for its template; ``sentence`` says the same in words."""

    strip: Strip
    pieces: list[Piece]
    lines: list[Line]
    sentence: str


def draw(strip: Strip, *, now: datetime) -> Drawing:
    """Lay the strip out; closed hours are shortened, which the legend says."""
    weights = _weights(strip.segments)
    total = sum(weights) or 1.0
    pieces, at = [], 0.0
    starts: list[float] = []
    for segment, weight in zip(strip.segments, weights, strict=True):
        starts.append(at)
        width = 100 * weight / total
        label = kinds()[segment.kind]
        length = segment.end - segment.start
        pieces.append(
            Piece(_percent(at), _percent(width), segment.kind, label, segment.start, segment.end, length)
        )
        at += width
    scale = list(zip(strip.segments, starts, (100 * w / total for w in weights), strict=True))
    lines = [
        Line(_percent(_place(mark.at, scale)), mark.kind, f"{mark.label}: {formats.moment(mark.at)}")
        for mark in strip.marks
        if not mark.is_void
    ]
    if strip.clock.ended_at is None and strip.start <= now <= strip.end:
        lines.append(Line(_percent(_place(now, scale)), "now", _("Now")))
    return Drawing(strip, pieces, lines, sentence(strip))


def sentence(strip: Strip) -> str:
    """What the picture shows, in one sentence."""
    return _("%(counted)s of %(target)s counted, by the calendar %(calendar)s.") % {
        "counted": formats.span(strip.counted),
        "target": formats.span(strip.target),
        "calendar": strip.calendar,
    }


def kinds() -> dict[str, str]:
    """What each piece of time is called."""
    return {
        "counting": _("Counting"),
        "off_hours": _("Closed hours"),
        "holiday": _("Holiday"),
        "paused": _("Paused"),
    }


def _weights(segments: list[Segment]) -> list[float]:
    lengths = [(s.end - s.start).total_seconds() for s in segments]
    counting = sum(n for s, n in zip(segments, lengths, strict=True) if s.kind == "counting")
    cap = counting * CLOSED_AT_MOST or float("inf")
    weights = [n if s.kind == "counting" else min(n, cap) for s, n in zip(segments, lengths, strict=True)]
    least = sum(weights) * LEAST / 100
    return [max(weight, least) for weight in weights]


def _place(at: datetime, scale: list[tuple[Segment, float, float]]) -> float:
    for segment, x, width in scale:
        if at <= segment.end:
            length = (segment.end - segment.start).total_seconds()
            share = (at - segment.start).total_seconds() / length if length else 0.0
            return x + width * min(1.0, max(0.0, share))
    return 100.0


def _percent(value: float) -> str:
    return f"{value:.2f}%"
