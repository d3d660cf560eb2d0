"""From claims to persons: who a user id or an e-mail address is, and what a late claim changes.

``leads.domain.identity`` says which identifiers belong together; this module brings the persons in line
with it, and no further than tracking may go. What a colleague, a form or a file has put together stays.
Two identified persons stay two: such a claim is kept as an :class:`IdentityConflict`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from leads.domain.identity import EMAIL, Claim, Group, Node, partition
from leads.models import IdentityConflict, Person, PersonEmail, PersonRef, Source
from leads.services import claims as kept
from leads.services import people, searching

# What belongs to a pseudonym and goes where it goes; a person with anything else is more than that.
_OWN = frozenset(
    {"refs", "events", "touchpoints", "visitors", "visitor_joins", "sessions", "traits", "history"}
    | {"employments"}
)
_ATTEMPTS = 3


@dataclass(slots=True)
class Resolved:
    """Whom each identifier names now. ``moved`` tells which went from one person to another.

    ``absorbed`` are pseudonyms that became part of an identified person (former → present): their rows
    still stand and are to be emptied by the caller.
    """

    person_of: dict[Node, int] = field(default_factory=dict)
    moved: list[tuple[Node, int, int]] = field(default_factory=list)
    absorbed: dict[int, int] = field(default_factory=dict)
    created: list[int] = field(default_factory=list)


@transaction.atomic
def resolve(*, claims: Sequence[Claim], users: Iterable[Node], now: datetime) -> Resolved:
    """Keep these claims and say who each of their identifiers, and each of ``users``, is.

    Persons are made for those nobody knows. The caller holds the advisory lock on identities, so that
    two batches never make or move the same one.
    """
    named = {node for claim in claims for node in (claim.a, claim.b) if node is not None} | set(users)
    changed = kept.store(claims=claims)
    resolved = Resolved(person_of=_present(named))
    for component in kept.connected(nodes=changed):
        _Reconciliation(component, resolved, now).run()
    missing = sorted(node for node in named if node not in resolved.person_of)
    for node in missing:
        _create(resolved, [node], now=now)
    return resolved


def _present(nodes: Collection[Node]) -> dict[Node, int]:
    """Who has these identifiers."""
    found: dict[Node, int] = {}
    emails = [text for kind, text in nodes if kind == EMAIL]
    holder = Coalesce("person__merged_into_id", "person_id")
    rows = PersonEmail.objects.filter(email__in=emails).annotate(holder=holder)
    found |= {(EMAIL, email): person for email, person in rows.values_list("email", "holder")}
    by_source: dict[int, list[str]] = {}
    for kind, text in nodes:
        if kind != EMAIL:
            by_source.setdefault(kind, []).append(text)
    for source, ids in by_source.items():
        refs = PersonRef.objects.filter(source=source, external_id__in=ids).annotate(holder=holder)
        found |= {(source, ref): person for ref, person in refs.values_list("external_id", "holder")}
    return found


class _Reconciliation:
    """One component: its groups find their homes, then each identifier goes home."""

    def __init__(self, component: kept.Component, resolved: Resolved, now: datetime) -> None:
        self.component, self.resolved, self.now = component, resolved, now
        self.nodes = {n for c in component.claims for n in (c.a, c.b) if n is not None}
        self.person_of = resolved.person_of
        self.person_of.update(_present(self.nodes))
        self._bare: dict[int, bool] = {}
        self._merged: dict[int, bool] = {}

    def run(self) -> None:
        """Bring the persons in line with the claims."""
        if not self.component.is_whole:
            self._keep_apart()
            return
        found = partition(self.component.claims)
        homes = self._homes(found.groups)
        placed: list[tuple[Node, int]] = []
        for number, group in enumerate(found.groups):
            home = homes.get(number) or self._new_home(group.nodes[0], placed)
            taken = {*homes.values(), home}
            placed += [(node, home) for node in group.nodes if self._bring(node, home, taken=taken)]
            if group.emails:
                self._main(group.emails[0], home, placed)
        kept.place(nodes=placed)
        for former in {former for _node, former, _home in self.resolved.moved}:
            if self.is_bare(former) and not PersonRef.objects.filter(person=former).exists():
                homes_of = [home for _node, was, home in self.resolved.moved if was == former]
                self.resolved.absorbed[former] = homes_of[-1]
        _note_conflicts(self.component.claims, self.person_of)

    def _new_home(self, node: Node, placed: list[tuple[Node, int]]) -> int:
        """A person of its own for the identifier, taken from where it stood."""
        former = self.person_of.pop(node, None)
        if former is not None:
            _detach(node, former)
        home = _create(self.resolved, [node], now=self.now)
        if former is not None:
            self.resolved.moved.append((node, former, home))
        placed.append((node, home))
        return home

    def _main(self, email: str, home: int, placed: Collection[tuple[Node, int]]) -> None:
        """Among addresses that tracking placed, the earliest is the main one."""
        main = PersonEmail.objects.filter(person=home, is_primary=True).first()
        if main is None or main.email == email or self.person_of.get((EMAIL, email)) != home:
            return
        where = ((EMAIL, main.email), home)
        if where in self.component.placed or where in placed:
            PersonEmail.objects.filter(pk=main.pk).update(is_primary=False)
            PersonEmail.objects.filter(email=email).update(is_primary=True)
            searching.refresh(person_ids=[home])

    def _keep_apart(self) -> None:
        """Too much was claimed to be true: new identifiers join whom their own claim names."""
        for claim in sorted(self.component.claims):
            known = next((self.person_of[n] for n in (claim.a, claim.b) if n in self.person_of), None)
            fresh = [n for n in (claim.b, claim.a) if n is not None and n not in self.person_of]
            if known is None and fresh:
                known = _create(self.resolved, fresh[:1], now=self.now)
            for node in fresh:
                if node not in self.person_of and known is not None:
                    _attach(node, known)
                    self.person_of[node] = known

    def _homes(self, groups: Sequence[Group]) -> dict[int, int]:
        """The person that each group stands on: where something was put that tracking may not move,
        else where its first address is, else where its first user id is.
        """
        homes: dict[int, int] = {}
        for number, group in enumerate(groups):
            for node in group.nodes:
                person = self.person_of.get(node)
                if person is not None and not self._movable(node, person):
                    homes.setdefault(number, person)
        for wanted in (True, False):
            for number, group in enumerate(groups):
                for node in group.nodes:
                    person = self.person_of.get(node)
                    if number in homes or person is None or (node[0] == EMAIL) is not wanted:
                        continue
                    if person not in homes.values():
                        homes[number] = person
        return homes

    def _movable(self, node: Node, person: int) -> bool:
        """Tracking put it there by itself, and no colleague has merged anybody into the person since."""
        if person not in self._merged:
            self._merged[person] = Person.objects.filter(merged_into=person).exists()
        if self._merged[person]:
            return False
        return (node, person) in self.component.placed or (node[0] != EMAIL and self.is_bare(person))

    def _bring(self, node: Node, home: int, *, taken: Collection[int]) -> bool:
        """Put the identifier on its home if it may go there; say whether tracking put it there."""
        person = self.person_of.get(node)
        if person is None:
            _attach(node, home)
        elif person == home or not self._movable(node, person):
            return False
        elif node[0] == EMAIL and person not in taken:
            return False  # an identified person of their own by now: two persons stay two
        else:
            _move(node, person, home)
            self.resolved.moved.append((node, person, home))
        self.person_of[node] = home
        return True

    def is_bare(self, person: int) -> bool:
        """A pseudonym: known by user ids alone, and nobody has done anything with it."""
        if person not in self._bare:
            self._bare[person] = person in self.resolved.created or is_pseudonym(person_id=person)
            self._bare[person] &= not PersonEmail.objects.filter(person=person).exists()
        return self._bare[person]


def is_pseudonym(*, person_id: int) -> bool:
    """Whether nothing but tracked behaviour hangs on the person."""
    for relation in Person._meta.related_objects:
        name = relation.get_accessor_name() or relation.name
        if name in _OWN or relation.one_to_one:
            continue
        rows = relation.related_model._default_manager
        if rows.filter(**{relation.field.name: person_id}).exists():
            return False
    return True


def _create(resolved: Resolved, nodes: Sequence[Node], *, now: datetime) -> int:
    """A person with these identifiers; somebody may have stored an address a moment ago, who then counts."""
    for attempt in range(_ATTEMPTS):
        try:
            person = people.create(
                emails=[text for kind, text in nodes if kind == EMAIL],
                refs=[(_source(kind), text) for kind, text in nodes if kind != EMAIL],
                actor=None,
                now=now,
            )
        except people.IdentifierTaken:
            present = _present(nodes)
            if present:
                resolved.person_of.update(present)
                return next(iter(present.values()))
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            resolved.created.append(person.pk)
            resolved.person_of.update(dict.fromkeys(nodes, person.pk))
            return person.pk
    raise AssertionError("the loop returns or raises")


def _source(pk: int) -> Source:
    return Source.objects.get(pk=pk)


def _attach(node: Node, person: int) -> None:
    kind, text = node
    if kind == EMAIL:
        has_main = PersonEmail.objects.filter(person=person, is_primary=True).exists()
        PersonEmail.objects.create(person_id=person, email=text, is_primary=not has_main)
        searching.refresh(person_ids=[person])
    else:
        PersonRef.objects.create(person_id=person, source_id=kind, external_id=text)


def _move(node: Node, former: int, home: int) -> None:
    kind, text = node
    if kind != EMAIL:
        PersonRef.objects.filter(source=kind, external_id=text).update(person=home)
        return
    has_main = PersonEmail.objects.filter(person=home, is_primary=True).exists()
    PersonEmail.objects.filter(email=text).update(person=home, is_primary=not has_main)
    _first_is_main(former)
    searching.refresh(person_ids=[former, home])


def _detach(node: Node, former: int) -> None:
    kind, text = node
    if kind == EMAIL:
        PersonEmail.objects.filter(email=text).delete()
        _first_is_main(former)
        searching.refresh(person_ids=[former])
    else:
        PersonRef.objects.filter(source=kind, external_id=text).delete()


def _first_is_main(person: int) -> None:
    addresses = PersonEmail.objects.filter(person=person).order_by("-is_primary", "pk")
    first = addresses.first()
    if first is not None and not first.is_primary:
        PersonEmail.objects.filter(pk=first.pk).update(is_primary=True)


def _note_conflicts(claims: Sequence[Claim], person_of: Mapping[Node, int]) -> None:
    """Keep which claims name two persons; what no longer does is taken out."""
    wanted: dict[tuple[int, str, str], tuple[int, int, datetime]] = {}
    pairs = Q(pk__in=())
    for claim in claims:
        if claim.a is None:
            continue
        source, user_id = claim.a
        text = claim.b[1]
        pairs |= Q(source=source, user_id=user_id, email=text)
        person, other = person_of[claim.a], person_of[claim.b]
        if claim.is_alias:
            person, other = other, person
        if person != other:
            wanted[source, user_id, text] = (person, other, claim.at)
    for known in IdentityConflict.objects.filter(pairs):
        key = (known.source_id, known.user_id, known.email)
        if wanted.get(key) == (known.person_id, known.other_id, known.at):
            del wanted[key]
        else:
            known.delete()
    IdentityConflict.objects.bulk_create(
        IdentityConflict(
            person_id=person, other_id=other, source_id=source, user_id=user_id, email=text, at=at
        )
        for (source, user_id, text), (person, other, at) in wanted.items()
    )
