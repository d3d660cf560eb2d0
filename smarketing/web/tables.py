"""Lists: which columns, which may sort, and one page of rows behind a cursor.

A :class:`TableSpec` is declared once per list and is the allow-list of its orders. Cells are written
in the row template of the page, where they are easy to read and to restyle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise

from smarketing.web import keyset, query

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")
PAGE_SIZE = 50
PAGE_SIZES = (50, 100, 200)
Text = str | Promise


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``sort`` is the field path that orders by it; without it the column can't sort."""

    name: str
    label: Text
    sort: str = ""
    numeric: bool = False
    optional: bool = False
    label_hidden: bool = False
    title: Text = ""


@dataclass(frozen=True, slots=True)
class Header:
    """A column as shown above the rows: its label and, if it sorts, where a click leads."""

    column: Column
    url: str = ""
    direction: str = ""

    @property
    def aria_sort(self) -> str:
        """The value of ``aria-sort``; empty for a column that is not the present order."""
        return self.direction


@dataclass(frozen=True, slots=True)
class Size:
    """A number of rows that the viewer may have at a time, and where a click leads."""

    rows: int
    url: str
    is_present: bool


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One page of a list, ready for ``components/table.html``."""

    id: str
    caption: Text
    headers: list[Header]
    rows: list[Row]
    next_url: str
    sort: str
    is_first: bool
    total: int | None = None
    selectable: bool = False
    sizes: Sequence[Size] = ()
    chosen_size: int | None = None

    @property
    def width(self) -> int:
        """Number of columns, the selection box included."""
        return len(self.headers) + int(self.selectable)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """The declaration of a list; ``id`` is also the id of its ``<tbody>``."""

    id: str
    caption: Text
    columns: Sequence[Column]
    default_sort: str
    selectable: bool = False
    page_size: int = PAGE_SIZE
    extra_sorts: Sequence[Column] = field(default=())

    def bind(
        self,
        queryset: QuerySet[M],
        params: QueryDict,
        *,
        total: int | None = None,
        sizes: Sequence[int] = (),
    ) -> Table[M]:
        """One page of ``queryset`` as the address asks for it.

        ``sizes`` are the numbers of rows that the address may ask for (``?rows=200``). An unknown ``sort``
        or number falls back to the default. Raises ``keyset.BadCursor``.
        """
        sort = self._sort(params.get("sort", ""))
        cursor = params.get("cursor") or None
        chosen = next((n for n in sizes if str(n) == params.get("rows")), None)
        size = chosen or self.page_size
        page = keyset.paginate(queryset, ordering=self.ordering(sort), cursor=cursor, limit=size)
        return Table(
            id=self.id,
            caption=self.caption,
            headers=[self._header(c, sort, params) for c in self.columns],
            rows=page.rows,
            next_url=query.changed(params, cursor=page.next) if page.next else "",
            sort=sort,
            is_first=cursor is None,
            total=total,
            selectable=self.selectable,
            sizes=[Size(n, query.changed(params, rows=str(n), cursor=None), n == size) for n in sizes],
            chosen_size=chosen,
        )

    def ordering(self, sort: str) -> list[str]:
        """The field path behind the order named ``sort`` ("-score"); the key makes it unique."""
        column = self._sortable()[sort.removeprefix("-")]
        return [f"-{column.sort}" if sort.startswith("-") else column.sort]

    def _sort(self, asked: str) -> str:
        return asked if asked.removeprefix("-") in self._sortable() else self.default_sort

    def _sortable(self) -> dict[str, Column]:
        return {c.name: c for c in (*self.columns, *self.extra_sorts) if c.sort}

    def _header(self, column: Column, sort: str, params: QueryDict) -> Header:
        if not column.sort:
            return Header(column)
        present = sort.removeprefix("-") == column.name
        descending = sort.startswith("-")
        follows = f"-{column.name}" if present and not descending else column.name
        if column.numeric and not present:
            follows = f"-{column.name}"
        direction = ("descending" if descending else "ascending") if present else ""
        return Header(column, url=query.changed(params, sort=follows, cursor=None), direction=direction)
