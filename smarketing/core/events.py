"""Facts and who acts on them.

A service publishes a frozen *fact* inside its transaction; subscribers of downstream apps act in
the same transaction, in the order of registration, so that a business step happens whole or not
at all. What must leave the process goes through the outbox instead. ``manage.py show_wiring``
prints the table. Django signals are not used for business steps.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of every published fact: ids and values, never model instances or requests."""


F = TypeVar("F", bound=Fact)
_subscribers: dict[type[Fact], list[Callable[[Any], None]]] = defaultdict(list)


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
    for handler in _subscribers[type(fact)]:
        handler(fact)


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
