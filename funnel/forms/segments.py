"""Who stands in a saved view of the leads list: its filters, applied as the list applies them."""

from __future__ import annotations

from collections.abc import Collection

from django.http import QueryDict

from funnel.forms.lead_filters import LeadFilter
from funnel.selectors import lead_list
from smarketing.core.keysets import among
from smarketing.users.models import User
from smarketing.web import filters
from smarketing.web.models import SavedView

_NOT_FILTERS = ("sort", "cursor")


def members(view: SavedView, user: User, person_ids: Collection[int]) -> set[int]:
    """Which of these persons have an open lead in ``view``, as ``user`` sees it; one query.

    A view that can't be read any more (its stage or attribute is gone) holds nobody.
    """
    query = QueryDict(view.query, mutable=True)
    for name in _NOT_FILTERS:
        query.pop(name, None)
    filterset = LeadFilter(query, queryset=lead_list.listed(user))
    if not filterset.is_valid():
        return set()
    open_leads = filters.rows(filterset).filter(
        lead__person__in=among(person_ids), lead__closed_at__isnull=True
    )
    return set(open_leads.values_list("lead__person", flat=True))
