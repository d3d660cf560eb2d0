"""How a lead came to be: first touch, converting touch, campaign, and the pages that mattered before."""

from __future__ import annotations

from dataclasses import dataclass

from funnel.selectors import definitions, footprint, signals
from funnel.selectors.footprint import Topic
from leads.models import Event, Lead, Person, Touchpoint
from smarketing.core.prepared import Query, given

PAGES = 6
# Few people have met us more often; of those the first touch is read by itself.
READ = 200
_LATEST = Query(
    "touches_latest",
    lambda: (
        Touchpoint.objects.filter(person=given("person"))
        .select_related("channel", "campaign")
        .order_by("-occurred_at", "-pk")
    ),
    ending="LIMIT %(most)s",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """``first`` is the person's earliest tracked touch, ``converting`` the last one up to the lead's capture.

    ``said`` is what they told themselves ("how did you hear about us"), kept beside the tracked ones.
    ``content`` are the distinct titles they met before, ``pages`` what they read, by points.
    """

    lead: Lead | None
    first: Touchpoint | None
    converting: Touchpoint | None
    said: Touchpoint | None
    touches: int
    content: list[Touchpoint]
    pages: list[Topic]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of how they came."""
        return self.first is None and self.said is None and not self.pages


def of_person(person: Person, lead: Lead | None) -> Origin:
    """The origin of ``lead`` (a lap of the person); without one, of the person. At most six queries."""
    touches = Touchpoint.objects.filter(person=person).select_related("channel", "campaign")
    latest = _LATEST.all(person=person.pk, most=READ)
    is_whole = len(latest) < READ
    tracked = [touch for touch in latest if not touch.is_self_reported]
    said = [touch for touch in latest if touch.is_self_reported]
    before = [t for t in tracked if lead is None or t.occurred_at <= lead.captured_at]
    first = tracked[-1] if tracked else None
    count = len(before)
    if not is_whole:
        oldest = touches.order_by("occurred_at", "pk")
        first = oldest.filter(is_self_reported=False).first()
        said = [t for t in [oldest.filter(is_self_reported=True).first()] if t]
        count = oldest.filter(is_self_reported=False)[:1000].count()
        if lead is not None and not before:
            before = list(touches.filter(is_self_reported=False, occurred_at__lte=lead.captured_at).order_by(
                "-occurred_at", "-pk")[:READ])  # fmt: skip
    return Origin(
        lead=lead,
        first=first,
        converting=before[0] if lead and before else None,
        said=said[-1] if said else None,
        touches=count,
        content=_content([touch for touch in before if touch.title]),
        pages=_pages(person, lead),
    )


def _content(touches: list[Touchpoint]) -> list[Touchpoint]:
    """Each title once, the latest first."""
    return list({touch.title: touch for touch in reversed(touches)}.values())[::-1][:PAGES]


def _pages(person: Person, lead: Lead | None) -> list[Topic]:
    events = Event.objects.counting().filter(person=person)
    if lead is not None:
        events = events.filter(occurred_at__lte=lead.captured_at)
    rows = events.order_by("-occurred_at", "-id").values_list(*signals.COLUMNS)
    definition = definitions.rules_of(definitions.in_force())
    return footprint.topics(definition, list(rows[: footprint.MOST_EVENTS]), limit=PAGES)
