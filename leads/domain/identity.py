"""Who is who: from what was claimed to groups of identifiers, one group a person.

Three kinds of claim exist: an e-mail address by itself, a user id with an address, and a user id that takes
the place of a former one (alias). They are read in the order in which they happened, whatever the order in
which they arrived:

* the first claim of an address makes a person of it, or gives it to the person whose user id it came with;
* a user id without an address is a pseudonym: with its first address it becomes part of that person;
* two persons who are identified (each has an address of their own) are never merged: the call counts for the
  person whose user id it names, and a conflict is noted.

The result depends on the set of claims only. So a claim that arrives late can part what had been put
together; it can also say that two who have been identified apart by then are one, and these stay apart
(``leads.services.identities``), for nothing undoes what two teams have done with two people meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

Node = tuple[int, str]  # (source, user id), or (0, address)
EMAIL = 0


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One claim. ``a`` is the user id (the former one of an alias), ``b`` the address or the new user id.

    An address by itself has no ``a``.
    """

    at: datetime
    event_id: UUID
    b: Node
    a: Node | None = None

    @property
    def is_alias(self) -> bool:
        """Whether ``a`` is an older name of the user ``b``."""
        return self.b[0] != EMAIL


@dataclass(slots=True)
class Group:
    """Identifiers of one person, in the order in which they became known."""

    nodes: list[Node] = field(default_factory=list)

    @property
    def emails(self) -> list[str]:
        """The addresses; the first is the one by which the person became known."""
        return [text for kind, text in self.nodes if kind == EMAIL]

    @property
    def is_identified(self) -> bool:
        """Known by an address, not by a pseudonym alone."""
        return any(kind == EMAIL for kind, _text in self.nodes)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A claim that would have merged two identified persons: of the named user id, and of the address."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Partition:
    """The groups in the order of their first claims, and the claims that were not followed."""

    groups: tuple[Group, ...]
    conflicts: tuple[Conflict, ...]


def partition(claims: Iterable[Claim]) -> Partition:
    """Who is who by these claims. The same set gives the same partition in every order."""
    groups: dict[Node, Group] = {}
    conflicts: list[Conflict] = []
    for claim in sorted(claims, key=lambda c: (c.at, c.event_id, c.b, c.a or (EMAIL, ""))):
        if claim.a is None:
            groups.setdefault(claim.b, Group([claim.b]))
            continue
        former, other = groups.get(claim.a), groups.get(claim.b)
        if former is None or other is None:
            _extend(groups, claim)
        elif former is other:
            continue
        elif former.is_identified and other.is_identified:
            conflicts.append(Conflict(claim))
        else:
            stays, goes = (former, other) if former.is_identified else (other, former)
            _move(groups, goes, stays)
    unique = {id(group): group for group in groups.values()}
    return Partition(tuple(unique.values()), tuple(conflicts))


def _extend(groups: dict[Node, Group], claim: Claim) -> None:
    """At least one side is new: it joins the other."""
    if claim.a is None:
        raise ValueError("a claim of one identifier joins nothing")
    group = groups.get(claim.a) or groups.get(claim.b) or Group()
    for node in (claim.b, claim.a):
        if node not in groups:
            groups[node] = group
            group.nodes.append(node)


def _move(groups: dict[Node, Group], source: Group, target: Group) -> None:
    for node in source.nodes:
        groups[node] = target
        target.nodes.append(node)
