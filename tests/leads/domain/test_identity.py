"""Pure rules of tracking, tried with random days: who is who, whose it is, sessions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from leads.domain.identity import EMAIL, Claim, partition
from leads.domain.ownership import BEGINNING, END, Ownership
from leads.domain.sessions import REST, Hit, sessions_of

START = datetime(2026, 3, 2, tzinfo=UTC)
minutes = st.integers(0, 600).map(lambda n: START + timedelta(minutes=n))
keys = st.uuids(version=4)
users = st.sampled_from([(1, "u1"), (1, "u2"), (2, "u1")])
emails = st.sampled_from([(EMAIL, "a@x.example"), (EMAIL, "b@x.example"), (EMAIL, "c@x.example")])
claims = st.one_of(
    st.builds(Claim, minutes, keys, emails),
    st.builds(Claim, minutes, keys, emails, users),
    st.builds(Claim, minutes, keys, users, users).filter(lambda c: c.a != c.b),
)
points = st.tuples(minutes, keys.map(str), st.integers(1, 3))
views = st.builds(Hit, minutes, keys, st.just("page"), person=st.sampled_from([None, 1, 2]))


def groups(found):
    return sorted(sorted(group.nodes) for group in found.groups), sorted(c.claim for c in found.conflicts)


@given(st.lists(claims, max_size=12, unique_by=lambda c: c.event_id), st.randoms())
def test_who_is_who_does_not_depend_on_order_or_number(day, chance):
    shuffled = day + day
    chance.shuffle(shuffled)
    assert groups(partition(dict.fromkeys(shuffled))) == groups(partition(day))


@given(st.lists(claims, max_size=12, unique_by=lambda c: c.event_id))
def test_every_identifier_belongs_to_exactly_one_group(day):
    nodes = [node for group in partition(day).groups for node in group.nodes]
    assert len(nodes) == len(set(nodes))
    assert set(nodes) == {node for c in day for node in (c.a, c.b) if node is not None}


@given(
    st.lists(st.tuples(minutes, keys.map(str), st.integers(1, 3)), max_size=8), st.lists(minutes, min_size=1)
)
def test_ownership_and_its_spans_say_the_same(named, instants):
    ownership = Ownership()
    ownership.add(named)
    for at in instants:
        spans = [p for begins, ends, p in ownership.spans() if begins <= at < ends]
        assert spans == ([] if ownership.at(at) is None else [ownership.at(at)])
    if named:
        assert ownership.spans()[0][0] == BEGINNING
        assert ownership.spans()[-1][1] == END


@given(
    st.lists(st.builds(Hit, minutes, keys, st.just("page"), person=st.sampled_from([None, 1, 2]))),
    st.randoms(),
)
def test_sessions_do_not_depend_on_order_and_leave_nothing_out(hits, chance):
    found = sessions_of(hits)
    shuffled = list(hits)
    chance.shuffle(shuffled)
    assert sessions_of(shuffled) == found
    assert sorted((h.at, h.id) for s in found for h in s) == sorted((h.at, h.id) for h in hits)
    for session in found:
        assert len({hit.person for hit in session}) == 1
        assert all(b.at - a.at <= REST for a, b in zip(session, session[1:], strict=False))


def test_two_identified_persons_stay_two():
    a, b = (EMAIL, "a@x.example"), (EMAIL, "b@x.example")
    day = [
        Claim(START, uuid.UUID(int=1), a, (1, "u1")),
        Claim(START + timedelta(1), uuid.UUID(int=2), b, (1, "u2")),
        Claim(START + timedelta(2), uuid.UUID(int=3), b, (1, "u1")),
    ]
    found = partition(day)
    assert [sorted(g.nodes) for g in found.groups] == [[a, (1, "u1")], [b, (1, "u2")]]
    assert [c.claim for c in found.conflicts] == [day[2]]
