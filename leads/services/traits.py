"""Writing what identify calls say about persons: blanks are filled, and the newest word counts.

Newest by the time at which it was said, so the order of arrival does not matter. A column that a
colleague, a form or a file has written is theirs and stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from leads.domain import traits as rules
from leads.models import AttributeDefinition, AttributeSubject, Event, EventKind, Person, PersonTrait
from leads.services import attributes, fields, identifiers, people
from smarketing.core.keysets import among

_CUSTOM = "attributes."
_PHONE = "phone "


@dataclass(slots=True)
class _Word:
    """The newest word about one column."""

    value: Any
    at: datetime
    event_id: UUID


@dataclass(slots=True)
class _Heard:
    """What was said about one person: the newest word per column, and every phone number."""

    words: dict[str, _Word] = field(default_factory=dict)
    phones: dict[str, _Word] = field(default_factory=dict)

    def hear(self, name: str, value: Any, event: Event) -> None:
        """Keep the word unless a newer one is known."""
        known = self.words.get(name)
        if known is None or (event.occurred_at, event.pk) > (known.at, known.event_id):
            self.words[name] = _Word(value, event.occurred_at, event.pk)


def tell(*, event_ids: Collection[UUID], now: datetime) -> None:
    """Write what these identify events say about the persons they belong to."""
    if not event_ids:
        return
    rows = Event.objects.filter(pk__in=event_ids, kind=EventKind.IDENTIFY, person__isnull=False)
    _write(_heard(rows), now=now)


def retell(*, person_ids: Collection[int], now: datetime) -> None:
    """Identify events came to or left these persons: have what tracking wrote say what it should now."""
    if not person_ids:
        return
    rows = Event.objects.filter(person__in=among(person_ids), kind=EventKind.IDENTIFY)
    heard = _heard(rows)
    stale = defaultdict(list)
    # The company is told by employments, which compute it anew themselves.
    mine = PersonTrait.objects.filter(person__in=among(person_ids)).exclude(name="company")
    for trait in mine:
        said = heard.get(trait.person_id, _Heard())
        if trait.name.removeprefix(_PHONE) not in said.phones and trait.name not in said.words:
            stale[trait.person_id].append(trait)
    for person_id, traits in sorted(stale.items()):
        _take_back(person_id, traits, now=now)
    for trait in mine.all():
        # A newer word may have left: compare with what remains, not with what was.
        trait.at = datetime.min.replace(tzinfo=now.tzinfo)
        trait.save(update_fields=["at"])
    _write(heard, now=now)


def _heard(rows: Iterable[Event]) -> dict[int, _Heard]:
    custom = _custom_keys()
    found: dict[int, _Heard] = defaultdict(_Heard)
    for event in rows:
        if event.person_id is None:
            continue
        said, heard = rules.read(event.properties), found[event.person_id]
        for name, text in said.columns.items():
            heard.hear(name, text, event)
        for key in custom & set(said.others):
            heard.hear(_CUSTOM + key, said.others[key], event)
        for text in said.phones:
            heard.phones.setdefault(text[:50], _Word(text, event.occurred_at, event.pk))
    return found


def _custom_keys() -> set[str]:
    rows = AttributeDefinition.objects.filter(subject=AttributeSubject.PERSON)
    return set(rows.values_list("key", flat=True))


def _write(heard: Mapping[int, _Heard], *, now: datetime) -> None:
    persons = Person.objects.in_bulk(sorted(heard))
    known: dict[int, dict[str, PersonTrait]] = defaultdict(dict)
    for trait in PersonTrait.objects.filter(person__in=among(heard)):
        known[trait.person_id][trait.name] = trait
    for person_id in sorted(persons):
        person, said, mine = persons[person_id], heard[person_id], known[person_id]
        changes, kept = _decided(person, said.words, mine)
        if changes:
            _change(person, changes, kept, now=now)
        _keep(person, kept, mine)
        _add_phones(person, said.phones, mine, now=now)


def _decided(
    person: Person, words: Mapping[str, _Word], mine: Mapping[str, PersonTrait]
) -> tuple[dict[str, Any], dict[str, _Word]]:
    """What changes on the person, and the words to remember."""
    changes: dict[str, Any] = {}
    kept: dict[str, _Word] = {}
    for name, word in words.items():
        present, trait = _present(person, name), mine.get(name)
        if trait is None:
            if present in ("", None):
                changes[name], kept[name] = word.value, word
        elif present == trait.value and (word.at, word.event_id) > (trait.at, trait.event_id):
            kept[name] = word
            if word.value != present:
                changes[name] = word.value
    return changes, kept


def _present(person: Person, name: str) -> Any:
    if name.startswith(_CUSTOM):
        return person.attributes.get(name.removeprefix(_CUSTOM))
    return getattr(person, name)


def _change(person: Person, changes: dict[str, Any], kept: dict[str, _Word], *, now: datetime) -> None:
    """Change the columns that take their value; one that does not fit its column is left out."""
    given = {name: value for name, value in changes.items() if not name.startswith(_CUSTOM)}
    custom: dict[str, Any] = {}
    for name in changes.keys() - given.keys():
        key = name.removeprefix(_CUSTOM)
        try:
            custom |= attributes.merged(
                subject=AttributeSubject.PERSON, present={}, changes={key: changes[name]}
            )
        except attributes.BadAttribute:
            kept.pop(name, None)
    if custom:
        given["attributes"] = custom
    if not given:
        return
    try:
        written = people.update(person=person, changes=given, actor=None, now=now)
    except fields.BadValue as error:
        wrong = {fault.field for fault in error.errors}
        for name in wrong:
            kept.pop(name, None)
            changes.pop(name, None)
        if wrong:
            _change(person, changes, kept, now=now)
        return
    for name in kept:
        if name in changes:
            kept[name] = _Word(_present(written, name), kept[name].at, kept[name].event_id)


def _keep(person: Person, kept: Mapping[str, _Word], mine: Mapping[str, PersonTrait]) -> None:
    rows = [
        PersonTrait(person=person, name=name, value=word.value, at=word.at, event_id=word.event_id)
        for name, word in kept.items()
    ]
    PersonTrait.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["person", "name"],
        update_fields=["value", "at", "event_id"],
    )


def _add_phones(
    person: Person, phones: Mapping[str, _Word], mine: Mapping[str, PersonTrait], *, now: datetime
) -> None:
    new = {text: word for text, word in phones.items() if _PHONE + text not in mine}
    good = []
    for text in sorted(new):
        try:
            identifiers.phone_of(text=text)
        except identifiers.BadPhone:
            continue
        good.append(text)
    if not good:
        return
    before = set(person.phones.values_list("written", flat=True))
    people.fill(person=person, given=people.PersonInput(phones=good), company=None, actor=None, now=now)
    after = set(person.phones.values_list("written", flat=True)) - before
    _keep(person, {_PHONE + text: new[text] for text in good if text in after}, mine)


def _take_back(person_id: int, traits: Sequence[PersonTrait], *, now: datetime) -> None:
    """Nobody says this about the person any more: what tracking wrote becomes blank again."""
    person = Person.objects.get(pk=person_id)
    changes: dict[str, Any] = {}
    for trait in traits:
        if trait.name.startswith(_PHONE):
            person.phones.filter(written=trait.name.removeprefix(_PHONE)).delete()
        elif _present(person, trait.name) == trait.value:
            if trait.name.startswith(_CUSTOM):
                changes.setdefault("attributes", {})[trait.name.removeprefix(_CUSTOM)] = None
            else:
                changes[trait.name] = ""
        trait.delete()
    if changes:
        people.update(person=person, changes=changes, actor=None, now=now)
