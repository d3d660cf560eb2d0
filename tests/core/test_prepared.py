"""Prepared statements give what plain ones give, once prepared per connection."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from smarketing.core import prepared
from smarketing.core.prepared import Insert, IsAmong, Query, Statement, given
from smarketing.core.transactions import joined
from smarketing.users.domain.roles import Role
from smarketing.users.models import ApiToken, User

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ECHO = Statement("echo", "SELECT %(text)s::text, %(number)s::int + 1, '100%%', %(text)s::text LIKE '%%é%%'")
TWICE = Statement("twice", "SELECT k * 2 FROM unnest(%(keys)s::bigint[]) k ORDER BY k", by="keys")

LISTS = Statement(
    "lists",
    "SELECT %(texts)s::text[], %(numbers)s::float8[], %(instants)s::timestamptz[], %(flags)s::bool[]",
    by="texts",
)

pytestmark = pytest.mark.django_db


def prepared_names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY name")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def ada() -> User:
    return User.objects.create(email="ada@example.com", name="Ada", role=Role.REP, attributes={"desk": 7})


@pytest.fixture
def token(ada: User) -> ApiToken:
    return ApiToken.objects.create(
        user=ada, name="100% mine", prefix="abcd1234", digest=b"x", scopes=["read"],
        created_at=AT, updated_at=AT,
    )  # fmt: skip


def test_values_arrive_as_they_were_given() -> None:
    assert ECHO.rows(text="it's 100% café", number=41) == [("it's 100% café", 42, "100%", True)]


@pytest.mark.parametrize("few", [0, 1000])
def test_lists_arrive_as_they_were_given_however_they_are_sent(few, monkeypatch) -> None:
    monkeypatch.setattr(prepared, "FEW", few)
    texts = [
        "",
        "NULL",
        None,
        'say "é"',
        "it's",
        "a,b",
        "{x}",
        "back\\slash",
        "two\nlines",
        " padded ",
        "100%s",
    ]
    given_lists = {
        "texts": texts,
        "numbers": [1.5, -2.0, 1e300, float("inf")],
        "instants": [AT],
        "flags": [True, False],
    }
    assert LISTS.rows(**given_lists) == [tuple(given_lists.values())]
    assert LISTS.rows(texts=[], numbers=[], instants=[], flags=[]) == [([], [], [], [])]


def test_a_statement_is_prepared_once_on_a_connection() -> None:
    with CaptureQueriesContext(connection) as seen:
        for number in (1, 2, 3):
            ECHO.rows(text="x", number=number)
    assert [q["sql"].startswith(f"EXECUTE {ECHO.name} (") for q in seen] == [True, True, True]
    assert prepared_names().count(ECHO.name) == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_again() -> None:
    ECHO.rows(text="x", number=1)
    connection.close()
    assert ECHO.rows(text="x", number=2) == [("x", 3, "100%", False)]
    assert ECHO.name in prepared_names()


def test_what_a_rollback_takes_back_stays_prepared() -> None:
    with pytest.raises(DataError), transaction.atomic():
        ECHO.rows(text="x", number=10**12)  # no int4
    assert ECHO.rows(text="x", number=1) == [("x", 2, "100%", False)]


def test_a_long_list_is_planned_for_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "FEW", 2)
    with CaptureQueriesContext(connection) as seen:
        assert TWICE.rows(keys=[2, 1]) == [(2,), (4,)]
        assert TWICE.rows(keys=[3, 2, 1]) == [(2,), (4,), (6,)]
        assert TWICE.rows(keys=[]) == []
    assert [q["sql"].split()[0] for q in seen] == ["EXECUTE", "SELECT", "EXECUTE"]


def test_a_prepared_query_gives_the_instances_of_the_orm(token: ApiToken, ada: User) -> None:
    query = Query(
        "test_tokens",
        lambda: ApiToken.objects.select_related("user").filter(prefix=given("prefix"), name="100% mine"),
    )
    (found,) = query.all(prefix="abcd1234")
    assert (found, found.scopes, bytes(found.digest), found.created_at) == (token, ["read"], b"x", AT)
    with CaptureQueriesContext(connection) as seen:
        assert (found.user, found.user.attributes) == (ada, {"desk": 7})
    assert len(seen) == 0
    assert query.first(prefix="another1") is None


def test_keys_of_a_prepared_query_are_a_list(ada: User) -> None:
    bob = User.objects.create(email="bob@example.com", name="Bob", role=Role.REP)
    query = Query("test_users", lambda: User.objects.filter(IsAmong("pk", "ids")).order_by("-name"))
    assert query.all(ids=[ada.pk, bob.pk, 0]) == [bob, ada]
    assert query.all(ids=[]) == []


def test_a_prepared_query_is_one_of_instances() -> None:
    query: Query[User] = Query("test_values", lambda: User.objects.values("pk"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="instances"):
        query.all()


def test_an_insert_writes_every_column_and_gives_the_key(ada: User) -> None:
    insert = Insert(ApiToken, computed={"name": "upper(%(words)s::text)"})
    token = ApiToken(user=ada, prefix="pppp1234", digest=b"y", scopes=["read"], created_at=AT, updated_at=AT)
    assert insert.add(token, words="mine")
    stored = ApiToken.objects.get(prefix="pppp1234")
    assert (stored, stored.name, bytes(stored.digest), stored.scopes) == (token, "MINE", b"y", ["read"])
    assert (stored.user, stored.created_at, stored.expires_at) == (ada, AT, None)


def test_an_insert_that_meets_another_row_leaves_it(token: ApiToken, ada: User) -> None:
    insert = Insert(ApiToken, or_nothing=True)
    twin = ApiToken(
        user=ada, name="twin", prefix=token.prefix, digest=b"z", scopes=[], created_at=AT, updated_at=AT
    )
    assert not insert.add(twin)
    assert (ApiToken.objects.get().name, twin.pk) == ("100% mine", None)


def test_joined_work_makes_no_savepoint_and_opens_a_transaction_where_there_is_none() -> None:
    with CaptureQueriesContext(connection) as seen, joined():
        ECHO.rows(text="x", number=1)
    assert len(seen) == 1
    with CaptureQueriesContext(connection) as seen, joined(savepoint=True):
        ECHO.rows(text="x", number=1)
    assert len(seen) == 3


@pytest.mark.django_db(transaction=True)
def test_joined_work_without_a_transaction_is_one() -> None:
    assert not connection.in_atomic_block
    with contextlib.suppress(DataError), joined():
        User.objects.create(email="x@example.com", name="X", role=Role.REP)
        ECHO.rows(text="x", number=10**12)  # no int4
    assert User.objects.get_queryset().count() == 0
