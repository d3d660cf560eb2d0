"""Statements of the hot paths: written once, planned once per connection, sent with values only.

For a short statement PostgreSQL spends more on parsing and planning than on its rows, and Django more
on writing the text than on reading them. Both happen here once: :class:`Statement` is fixed text that
the server prepares on each connection (``PREPARE``), :class:`Query` is a query set of the ORM that is
compiled once in a process and then run as such a statement, with the same instances as its result;
:class:`Tally` only counts the rows of one.

What is prepared is the text, never data: nothing here can be stale. A connection that is new, or was
lost, prepares again; a pooler must keep a session on its server connection (session pooling). Use it
where a request always comes by, not where the values ought to shape the plan.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import ModelIterable, get_related_populators
from psycopg2.extensions import AsIs

M = TypeVar("M", bound=Model)
Row = tuple[Any, ...]
FEW = 1000
_HOLE = re.compile(r"%\((\w+)\)s")
# The driver's connections and the names of what each has prepared.
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Statement:
    """Fixed text with ``%(name)s`` where a call puts a value.

    ``label`` makes it recognisable in the server's views and among captured queries. ``by`` names a
    parameter that is a list: where it is long the statement is planned for its values instead, because
    the plan for a few keys is the wrong one for twenty thousand.
    """

    def __init__(self, label: str, text: str, *, by: str | None = None) -> None:
        self.parameters = tuple(dict.fromkeys(_HOLE.findall(text)))
        self.text = text
        self.by = by
        self.name = f"{label}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        holes = ", ".join(f"%({name})s" for name in self.parameters)
        self._call = f"EXECUTE {self.name} ({holes})" if holes else f"EXECUTE {self.name}"

    def rows(self, **values: Any) -> list[Row]:
        """Run it with these values; the rows it returns."""
        here = connections[DEFAULT_DB_ALIAS]
        with here.cursor() as cursor:
            self._execute(here, cursor, values)
            found: list[Row] = cursor.fetchall()
            return found

    def count(self, **values: Any) -> int:
        """Run it with these values; the number of rows it wrote."""
        here = connections[DEFAULT_DB_ALIAS]
        with here.cursor() as cursor:
            self._execute(here, cursor, values)
            return int(cursor.rowcount)

    def _execute(self, here: BaseDatabaseWrapper, cursor: Any, values: dict[str, Any]) -> None:
        given = {name: _literal(v) if type(v) is list else v for name, v in values.items()}
        if self.by is not None and len(values[self.by]) > FEW:
            cursor.execute(self.text, given)
            return
        self._prepare(here)
        cursor.execute(self._call, given)

    def _prepare(self, here: BaseDatabaseWrapper) -> None:
        """Let the server parse it, unless this connection has it already; the caller holds a cursor."""
        link: Any = here.connection
        known = _prepared.setdefault(link, set())
        if self.name in known:
            return
        text = _HOLE.sub(lambda hole: f"${self.parameters.index(hole[1]) + 1}", self.text)
        # Beside Django's cursor, which counts and logs: this belongs to the connection, not to the work.
        with here.wrap_database_errors, link.cursor() as cursor:
            cursor.execute(f"PREPARE {self.name} AS {text.replace('%%', '%')}")
        known.add(self.name)


def _literal(values: list[Any]) -> Any:
    """A flat list as the text of an array; another as it is.

    The driver writes ``ARRAY[1, 2, …]``, which the server parses and evaluates an expression at a time: for
    a thousand values several milliseconds where the text takes a tenth of one. Its type is that of the place.
    """
    kinds = set(map(type, values))
    if kinds <= {int, float, UUID}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds <= {datetime}:
        return f"{{{','.join([v.isoformat() for v in values])}}}"
    if kinds <= {str, NoneType}:
        return f"{{{','.join(['NULL' if v is None else _quoted(v) for v in values])}}}"
    return values


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def given(name: str) -> RawSQL:
    """The place of a value in the query set of a :class:`Query`: ``filter(code=given("code"))``."""
    return RawSQL("%s", [_Place(name)])  # noqa: S611 - no text but our own


class IsAmong(Func):
    """The place of a list of keys or texts, however many: ``filter(IsAmong("pk", "ids"))``.

    PostgreSQL plans ``= ANY`` as look-ups by index even when it does not know the list.
    """

    template = "%(expressions)s"
    arg_joiner = " = ANY"
    output_field = BooleanField()

    def __init__(self, field: str, name: str, *, of: str = "bigint") -> None:
        keys = RawSQL(f"%s::{of}[]", [_Place(name)])  # noqa: S611 - no text but our own
        super().__init__(F(field), keys)


class Query(Generic[M]):
    """A query set with places for values (:func:`given`), compiled when it is first asked.

    ``build`` is called once in a process, so it may depend on nothing but the code. It returns a query
    set of instances, with ``select_related`` and annotations as they come; not ``values`` or ``only``.
    ``ending`` is put after the compiled text, for a lock that the ORM has no word for; ``by`` is that
    of :class:`Statement`.
    """

    def __init__(
        self, label: str, build: Callable[[], QuerySet[M]], *, ending: str = "", by: str | None = None
    ) -> None:
        self.label = label
        self.ending = ending
        self.by = by
        self._build = build
        self._compiled: _Compiled | None = None

    def all(self, **values: Any) -> list[M]:
        """The instances for these values."""
        if self._compiled is None:
            self._compiled = _Compiled(self._build(), self._statement)
        return self._compiled.run(values)

    def _statement(self, text: str) -> Statement:
        return Statement(self.label, f"{text} {self.ending}".rstrip(), by=self.by)

    def first(self, **values: Any) -> M | None:
        """The first of them, if any."""
        found = self.all(**values)
        return found[0] if found else None


class Tally:
    """How many rows a query set with places for values has, counted up to ``at_most``.

    ``build`` is that of :class:`Query`, without its columns: the rows are only counted.
    """

    def __init__(self, label: str, build: Callable[[], QuerySet[Any]], *, at_most: int | None = None) -> None:
        self.label = label
        self.at_most = at_most
        self._build = build
        self._statement: Statement | None = None

    def of(self, **values: Any) -> int:
        """The number of rows for these values."""
        if self._statement is None:
            self._statement = self._written()
        return int(self._statement.rows(**values)[0][0])

    def _written(self) -> Statement:
        keys = self._build().order_by().values_list("pk")[: self.at_most]
        text = _text(*keys.query.get_compiler(connection=connection).as_sql())
        return Statement(self.label, f"SELECT count(*) FROM ({text}) counted")  # noqa: S608


class Insert(Generic[M]):
    """One row of a model's table, all columns written.

    ``computed`` gives the SQL of columns that the database works out, with ``%(name)s`` for what it
    needs beside the columns; ``keyed`` says that the instance brings its key. What the row collides
    with is left as it is where ``or_nothing``.
    """

    def __init__(
        self,
        model: type[M],
        *,
        computed: Mapping[str, str] | None = None,
        keyed: bool = False,
        or_nothing: bool = False,
    ) -> None:
        self.model, self.computed, self.keyed, self.or_nothing = (
            model,
            dict(computed or {}),
            keyed,
            or_nothing,
        )
        self._statement: Statement | None = None

    def add(self, instance: M, **values: Any) -> bool:
        """Insert it and give it its key; ``False`` where the row that it collides with is there already."""
        if self._statement is None:
            self._statement = self._written()
        here = connections[DEFAULT_DB_ALIAS]
        for field in self._columns():
            if field.name not in self.computed:
                values[field.attname] = field.get_db_prep_save(field.pre_save(instance, add=True), here)
        rows = self._statement.rows(**values)
        if not rows:
            return False
        instance.pk = rows[0][0]
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
        return True

    def _columns(self) -> list[Any]:
        key = self.model._meta.pk
        return [f for f in self.model._meta.concrete_fields if self.keyed or f is not key]

    def _written(self) -> Statement:
        table, key = self.model._meta.db_table, self.model._meta.pk
        fields = self._columns()
        names = ", ".join(f'"{f.column}"' for f in fields)
        values = ", ".join(self.computed.get(f.name, f"%({f.attname})s") for f in fields)
        otherwise = "ON CONFLICT DO NOTHING " if self.or_nothing else ""
        text = f'INSERT INTO "{table}" ({names}) VALUES ({values}) {otherwise}RETURNING "{key.column}"'  # noqa: S608
        return Statement(f"insert_{table}"[:50], text)


class _Place:
    """Stands among the parameters of compiled text for a value that comes later."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Compiled:
    """The text of a query set and how its rows become instances, as ``ModelIterable`` makes them."""

    def __init__(self, queryset: Any, statement: Callable[[str], Statement]) -> None:
        if queryset._iterable_class is not ModelIterable:
            raise TypeError("a prepared query is one of instances")
        compiler = queryset.query.get_compiler(connection=connection)
        self.statement = statement(_text(*compiler.as_sql()))
        fields = compiler.klass_info["select_fields"]
        self.model = compiler.klass_info["model"]
        self.start, self.end = fields[0], fields[-1] + 1
        self.names = [entry[0].target.attname for entry in compiler.select[self.start : self.end]]
        self.related = get_related_populators(  # type: ignore[call-arg]
            compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS
        )  # the types are those of a later Django
        self.annotations = list((compiler.annotation_col_map or {}).items())
        chosen = [entry[0] for entry in compiler.select[: compiler.col_count]]
        self.converters = list(compiler.get_converters(chosen).items())

    def run(self, values: dict[str, Any]) -> list[Any]:
        """The instances for these values."""
        found = []
        for row in self._converted(self.statement.rows(**values)):
            instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.start : self.end])
            for populator in self.related:
                populator.populate(row, instance)
            for name, position in self.annotations:
                setattr(instance, name, row[position])
            found.append(instance)
        return found

    def _converted(self, rows: list[Row]) -> Sequence[Sequence[Any]]:
        if not self.converters:
            return rows
        here = connections[DEFAULT_DB_ALIAS]
        converted = [list(row) for row in rows]
        for row in converted:
            for position, (functions, expression) in self.converters:
                for function in functions:
                    row[position] = function(row[position], expression, here)
        return converted


def _text(text: str, parameters: Sequence[Any]) -> str:
    """Compiled text with names at its places and every other parameter written into it."""
    written = [AsIs(f"%({p.name})s") if isinstance(p, _Place) else p for p in parameters]
    with connection.cursor() as cursor:
        complete = cursor.mogrify(text, written).decode()
    # What is left of percent signs belongs to values or operators.
    return re.sub(r"%(?!\(\w+\)s)", "%%", complete)
