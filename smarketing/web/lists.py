"""A list page in one call: search, filter chips, saved views, sortable table, load more.

The page has an element ``#list`` (everything) with ``#list-results`` (chips and table) inside. Live
search and filters refresh the results; removing a chip refreshes the whole list, so that the filter
fields follow; "load more" appends rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.utils.functional import Promise
from django_filters.filterset import FilterSet

from smarketing.web import filters, rendering
from smarketing.web.filters import FilterBar
from smarketing.web.models import SavedView
from smarketing.web.pages import Request
from smarketing.web.selectors import saved_views
from smarketing.web.tables import Table, TableSpec

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what it is for, and the one thing to do."""

    icon: str
    sentence: Text
    action: Text = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list page, ready for ``components/list.html``."""

    key: str
    path: str
    table: Table[Any]
    bar: FilterBar
    row: str
    rows: str
    empty: Empty
    views: list[SavedView]
    query: str
    export_url: str
    bulk: str
    note: Text = ""


def render(
    request: Request,
    template: str,
    *,
    spec: TableSpec,
    filterset: FilterSet,
    row: str = "",
    rows: str = "",
    empty: Empty,
    context: Mapping[str, Any] | None = None,
    export_url: str = "",
    bulk: str = "",
    dress: Callable[[list[Any]], list[Any]] | None = None,
    note: Text = "",
) -> HttpResponse:
    """Answer a list page or the part of it that htmx asks for.

    ``template`` extends ``base.html`` and includes ``components/list.html``. ``row`` renders one
    ``<tr>`` from ``row``; or ``rows`` renders all of them from ``table.rows``, for a list that is asked
    often. ``bulk`` renders the buttons of the bar that appears with a selection.
    ``export_url`` gets the query of the list appended. ``dress`` makes what the row template shows of
    the rows of this page, all at once, so that nothing is read row by row. ``note`` is a sentence
    above the rows. Raises ``keyset.BadCursor``.
    """
    table = spec.bind(filters.rows(filterset), request.GET)
    if dress is not None:
        table = replace(table, rows=dress(table.rows))
    key = request.resolver_match.view_name if request.resolver_match else ""
    listing = ListPage(
        key=key,
        path=request.path,
        table=table,
        bar=filters.bar(filterset, request.GET),
        row=row,
        rows=rows,
        empty=empty,
        views=saved_views.of_page(request.user, key),
        query=_query(request),
        export_url=export_url,
        bulk=bulk,
        note=note,
    )
    parts = {
        "list": "components/list.html",
        "list-results": "components/_list_results.html",
        f"{spec.id}-more": "components/_list_rows.html",
    }
    return rendering.page(request, template, {**(context or {}), "list": listing}, fragments=parts)


def _query(request: Request) -> str:
    params = request.GET.copy()
    params.pop("cursor", None)
    return params.urlencode()
