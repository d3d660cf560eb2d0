"""Facts and who acts on them.

A service publishes a frozen *fact* inside its transaction; subscribers of downstream apps act in
the same transaction, in the order of registration, so that a business step happens whole or not
at all. What must leave the process goes through the outbox instead. ``manage.py show_wiring``
prints the table. Django signals are not used for business steps.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of every published fact: ids and values, never model instances or requests."""


F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class _Hold:
    """Facts that are kept back, and of which types."""

    types: tuple[type[Fact], ...]
    facts: list[Fact] = field(default_factory=list)


_subscribers: dict[type[Fact], list[Callable[[Any], None]]] = defaultdict(list)
_hold: ContextVar[_Hold | None] = ContextVar("held_facts", default=None)
Work = Callable[[list[int]], object]
_story: ContextVar[dict[Work, set[int]] | None] = ContextVar("story", default=None)


def subscribe(fact: type[F], handler: Callable[[F], None]) -> None:
    """Call ``handler`` for each fact of this type. Called from ``AppConfig.ready`` only."""
    if handler not in _subscribers[fact]:
        _subscribers[fact].append(handler)


def publish(fact: Fact) -> None:
    """Hand ``fact`` to its subscribers, in the caller's transaction.

    Raises ``RuntimeError`` outside a transaction: the fact and its consequences must be one.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{type(fact).__name__} was published outside a transaction")
    hold = _hold.get()
    if hold is not None and isinstance(fact, hold.types):
        hold.facts.append(fact)
        return
    for handler in _subscribers[type(fact)]:
        handler(fact)


@contextmanager
def held(*types: type[Fact]) -> Iterator[list[Fact]]:
    """Keep facts of these types back and give them to the caller, who publishes what they amount to.

    For a batch whose subscribers work set-based: many small facts become one, in the same transaction.
    The caller takes facts of work that was rolled back out of the list.
    """
    hold = _Hold(types)
    token = _hold.set(hold)
    try:
        yield hold.facts
    finally:
        _hold.reset(token)


@contextmanager
def story() -> Iterator[None]:
    """The facts of one service about the same records: what :func:`follow` asks for is done once, at the end.

    A delivery moves a lead, changes its owner and hands it over; a row that shows all of it is written once
    instead of three times. Inside another story it is part of that one. Work that was asked for is done in
    the service's transaction, and not at all where the service raises.
    """
    if _story.get() is not None:
        yield
        return
    asked: dict[Work, set[int]] = {}
    token = _story.set(asked)
    try:
        yield
    finally:
        _story.reset(token)
    for work, keys in asked.items():
        work(sorted(keys))


def follow(work: Work, keys: Iterable[int]) -> None:
    """Let a subscriber do ``work`` for these records: at the end of the story, or now where there is none.

    For projections that are read after the commit only; ``work`` gives the same however often it is done.
    """
    asked = _story.get()
    if asked is None:
        work(sorted(set(keys)))
    else:
        asked.setdefault(work, set()).update(keys)


def wiring() -> list[tuple[type[Fact], list[Callable[[Any], None]]]]:
    """Every fact type with its handlers, sorted by module and name."""
    known: set[type[Fact]] = set(_subscribers) | set(_descendants(Fact))
    return sorted(
        ((fact, list(_subscribers.get(fact, []))) for fact in known),
        key=lambda row: (row[0].__module__, row[0].__name__),
    )


def _descendants(base: type[Fact]) -> list[type[Fact]]:
    """Subclasses that a module holds: a dataclass with slots leaves the class it was made from behind."""
    known = [c for c in base.__subclasses__() if getattr(sys.modules[c.__module__], c.__name__, None) is c]
    return [d for c in known for d in (c, *_descendants(c))]
