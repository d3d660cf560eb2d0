"""What the board of clocks is narrowed by: one FilterSet for page and API."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from sla.models import Clock, ClockKind, ClockState
from sla.selectors import clocks
from smarketing.core import clock
from smarketing.users.models import User

BIGGEST_ID = 2**63 - 1
SHOWS = (
    ("due_soon", _("Due within the hour")),
    ("breached", _("Overdue")),
    ("open", _("All open")),
    ("paused", _("Paused")),
    ("ended", _("Ended")),
)


class ClockFilter(FilterSet):
    """Clocks by what is to be done about them, owner, state and lead."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    show = filters.ChoiceFilter(label=_("Show"), choices=SHOWS, method="by_urgency")
    owner = filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.get_queryset().order_by("name"))
    state = filters.MultipleChoiceFilter(label=_("State"), choices=ClockState.choices)
    kind = filters.MultipleChoiceFilter(label=_("Promise"), choices=ClockKind.choices)
    due_at = filters.IsoDateTimeFromToRangeFilter(label=_("Due"))
    lead = filters.NumberFilter(
        label=_("Lead"), field_name="handoff__lead_id", min_value=1, max_value=BIGGEST_ID
    )

    class Meta:
        model = Clock
        fields = ("q", "show", "owner", "state", "kind", "due_at", "lead")

    def by_text(self, queryset: QuerySet[Clock], name: str, value: str) -> QuerySet[Clock]:
        """Leads whose person's name or address holds every word."""
        return clocks.matching(queryset, value)

    def by_urgency(self, queryset: QuerySet[Clock], name: str, value: str) -> QuerySet[Clock]:
        """Open clocks by how near their deadline is at the request's instant."""
        now: datetime = getattr(self.request, "now", None) or clock.now()
        return clocks.shown(queryset, value, now=now)
