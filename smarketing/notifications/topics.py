"""What the product tells: every topic that goes into the outbox, and the kinds a user chooses among.

A topic names one fact for webhooks. A kind bundles the topics that matter to a person in the same way:
somebody decides about "broken promises", not about each of the topics below it. Apps register theirs in
``wiring.connect``; pages, the REST interface and the documentation read this list.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of notice that a user may want in the product, by mail, or not at all."""

    code: str
    label: Text
    about: Text
    order: int = 50


@dataclass(frozen=True, slots=True)
class Topic:
    """A fact that receivers of webhooks may ask for. ``kind`` is empty where no person is told."""

    name: str
    label: Text
    kind: str = ""


_kinds: dict[str, Kind] = {}
_topics: dict[str, Topic] = {}


def register_kind(kind: Kind) -> None:
    """Make a kind known. Called from an app's ``wiring.connect`` only."""
    _kinds[kind.code] = kind


def register(*topics: Topic) -> None:
    """Make topics known. Called from an app's ``wiring.connect`` only."""
    for topic in topics:
        _topics[topic.name] = topic


def kinds() -> list[Kind]:
    """Every kind, in the order of the page."""
    return sorted(_kinds.values(), key=lambda kind: (kind.order, kind.code))


def topics() -> list[Topic]:
    """Every topic, by name."""
    return [_topics[name] for name in sorted(_topics)]


def kind_of(topic: str) -> str:
    """The code of the kind of a topic; empty for one that is of no kind or not known."""
    known = _topics.get(topic)
    return known.kind if known else ""


def label_of(topic: str) -> Text:
    """What the topic is called; its name where it is not known."""
    known = _topics.get(topic)
    return known.label if known else topic
