"""A list page in one call: search, filter chips, saved views, sortable table, load more.

The page has an element ``#list`` (everything) with ``#list-results`` (chips and table) inside. Live
search and filters refresh the results; removing a chip refreshes the whole list, so that the filter
fields follow; "load more" appends rows. The filter fields are fetched into ``#list-fields`` when their
panel is opened, what can be done with selected rows into ``#bulk-choices`` when one is selected; without
scripts ``?panel=filters`` is the page with the panel open.
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
from smarketing.web.tables import PAGE_SIZES, Table, TableSpec

Text = str | Promise
FIELDS, CHOICES = "list-fields", "bulk-choices"
_PANEL = "panel"
_PARTS = {"list": "components/list.html", "list-results": "components/_list_results.html"}


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
    is_panel_open: bool = False


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
    bar = filters.bar(filterset, request.GET)
    alone = _without_rows(request, bar, bulk, context)
    if alone is not None:
        return alone
    table = spec.bind(filters.rows(filterset), request.GET, sizes=PAGE_SIZES)
    if dress is not None:
        table = replace(table, rows=dress(table.rows))
    key = request.resolver_match.view_name if request.resolver_match else ""
    listing = ListPage(
        key=key,
        path=request.path,
        table=table,
        bar=bar,
        row=row,
        rows=rows,
        empty=empty,
        views=saved_views.of_page(request.user, key),
        query=_query(request),
        export_url=export_url,
        bulk=bulk,
        note=note,
        is_panel_open=_PANEL in request.GET,
    )
    parts = {**_PARTS, f"{spec.id}-more": "components/_list_rows.html"}
    return rendering.page(request, template, {**(context or {}), "list": listing}, fragments=parts)


def _without_rows(
    request: Request, bar: FilterBar, bulk: str, context: Mapping[str, Any] | None
) -> HttpResponse | None:
    """A part of the page that shows no rows, if htmx asks for one; no row is read for it."""
    wanted = rendering.target_id(request) if rendering.wants_fragment(request) else ""
    if wanted == FIELDS:
        return rendering.fragment(request, "components/_list_fields.html", {"bar": bar})
    if wanted == CHOICES and bulk:
        return rendering.fragment(request, bulk, context)
    return None


def _query(request: Request) -> str:
    params = request.GET.copy()
    params.pop("cursor", None)
    params.pop(_PANEL, None)
    return params.urlencode()
