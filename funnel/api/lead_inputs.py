"""Bodies about leads, and how they become arguments of the one service that captures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rest_framework import serializers

from funnel.models import Stage
from leads.models import Campaign, Channel, Company, Person, Source
from leads.services import sources
from leads.services.companies import CompanyInput
from leads.services.people import COLUMNS as PERSON_COLUMNS
from leads.services.people import PersonInput
from smarketing.core.errors import DomainError, FieldError, Invalid
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import Code, Instant, VisibleKey
from smarketing.web.rest.parameters import BadParameter

MOST_ROWS = 1000
_OF_PERSON = frozenset({*PERSON_COLUMNS, "emails", "phones"}) - {"company"}
_OF_COMPANY = frozenset({"name", "domain"})


class EitherOr(Invalid):
    """A record is named by its id or described, not both."""

    code = "either_or"


class LeadPersonIn(serializers.Serializer[Any]):
    """Who: by ``id``, or described; known people are recognised by e-mail address or phone."""

    id = VisibleKey(Person, required=False)
    first_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    email = serializers.CharField(max_length=320, required=False, allow_blank=True)
    emails = serializers.ListField(child=serializers.CharField(max_length=320), required=False, max_length=20)
    phone = serializers.CharField(max_length=60, required=False, allow_blank=True)
    phones = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=20)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    country = serializers.CharField(max_length=80, required=False, allow_blank=True)
    city = serializers.CharField(max_length=120, required=False, allow_blank=True)
    language = serializers.CharField(max_length=12, required=False, allow_blank=True)
    website = serializers.CharField(max_length=500, required=False, allow_blank=True)
    attributes = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Named or described, not both."""
        return _alone("person", attrs)


class LeadCompanyIn(serializers.Serializer[Any]):
    """Of which company: by ``id``, or by name and domain; it is found or made."""

    id = VisibleKey(Company, required=False)
    name = serializers.CharField(max_length=255, required=False)
    domain = serializers.CharField(max_length=253, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Named or described, not both."""
        return _alone("company", attrs)


class LeadPatch(serializers.Serializer[Any]):
    """What can be edited; ``attributes`` are merged, ``null`` takes one away."""

    company = VisibleKey(Company, required=False, allow_null=True)
    origin = serializers.CharField(max_length=120, required=False, allow_blank=True)
    channel = Code(Channel, required=False, allow_null=True)
    campaign = VisibleKey(Campaign, required=False, allow_null=True)
    landing_page = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    attributes = serializers.DictField(required=False)


class LeadIn(serializers.Serializer[Any]):
    """Somebody showed interest. ``external_id`` is unique within ``source``, a code (else “api”)."""

    is_kept = True
    person = LeadPersonIn()
    company = LeadCompanyIn(required=False, allow_null=True)
    captured_at = Instant(required=False, help_text="Else now.")
    origin = serializers.CharField(max_length=120, required=False, allow_blank=True)
    channel = Code(Channel, required=False, allow_null=True)
    campaign = VisibleKey(Campaign, required=False, allow_null=True)
    landing_page = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    description = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    attributes = serializers.DictField(required=False)
    source = serializers.SlugField(max_length=60, required=False)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)


class BulkIn(serializers.Serializer[Any]):
    """Up to a thousand leads; each row is stored or refused by itself."""

    rows = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=MOST_ROWS)


class MoveLeadIn(serializers.Serializer[Any]):
    """The stage to move to; going back or aside needs a reason."""

    to = Code(Stage)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class AssignIn(serializers.Serializer[Any]):
    """The new owner; ``null`` is nobody."""

    owner = VisibleKey(User, users.visible_to, allow_null=True)


class DeliverIn(serializers.Serializer[Any]):
    """To whom, else the ring chooses; a reason lets a marketing manager override the gate."""

    owner = VisibleKey(User, users.visible_to, required=False)
    override_reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class QualificationIn(serializers.Serializer[Any]):
    """Need and budget as sales found them out."""

    need = serializers.CharField(max_length=10_000, allow_blank=True)
    budget = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True)


def capture_of(
    data: Mapping[str, Any], *, now: datetime, known: dict[str, Source] | None = None
) -> dict[str, Any]:
    """The arguments of ``leads.capture`` that a valid body of :class:`LeadIn` stands for.

    A source that is new is made; ``known`` remembers those of a batch by their codes.
    """
    code = data.get("source", "")
    source = (known or {}).get(code) or sources.of_program(code=code, now=now)
    if known is not None:
        known[code] = source
    given = {n: v for n, v in data.items() if n not in ("person", "company", "source", "captured_at")}
    return {
        **given,
        "person": _person(data["person"]),
        "company": _company(data.get("company") or {}),
        "source": source,
        "captured_at": data.get("captured_at", now),
    }


@contextmanager
def pointing_into(data: Mapping[str, Any]) -> Iterator[None]:
    """Make errors of the services point at where the body has the member ("person.emails")."""
    try:
        yield
    except DomainError as error:
        error.errors = placed(error.errors, data)
        raise


def placed(errors: Iterable[FieldError], data: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """``errors`` of the services, each at the member of the body ``data`` that it is about."""
    return tuple(FieldError(_place(e.field, data), e.code, e.detail) for e in errors)


def _place(field: str, data: Mapping[str, Any]) -> str:
    head, _, rest = field.partition(".")
    person = data.get("person", {})
    if head in ("emails", "phones") and head not in person:
        return f"person.{head[:-1]}"
    of_person = head in _OF_PERSON
    if head == "attributes":
        of_person = rest in person.get("attributes", {}) and rest not in data.get("attributes", {})
    if of_person:
        return f"person.{field}"
    return f"company.{field}" if head in _OF_COMPANY else field


def _person(given: Mapping[str, Any]) -> PersonInput | Person:
    if "id" in given:
        known: Person = given["id"]
        return known
    values = {n: v for n, v in given.items() if n not in ("email", "phone", "emails", "phones")}
    emails = [given.get("email", ""), *given.get("emails", ())]
    phones = [given.get("phone", ""), *given.get("phones", ())]
    return PersonInput(**values, emails=emails, phones=phones)


def _company(given: Mapping[str, Any]) -> Company | CompanyInput | None:
    if "id" in given:
        known: Company = given["id"]
        return known
    name, domain = given.get("name", ""), given.get("domain", "")
    return CompanyInput(name=name or domain, domain=domain) if name or domain else None


def _alone(path: str, given: dict[str, Any]) -> dict[str, Any]:
    extra = sorted(set(given) - {"id"}) if "id" in given else []
    if extra:
        detail = "Name the id or describe the record, not both."
        raise EitherOr(detail, errors=[FieldError(f"{path}.{n}", EitherOr.code, detail) for n in extra])
    return given


def past_instant(text: str, *, since: datetime, now: datetime) -> datetime:
    """The instant that ``text`` names, from ``since`` to ``now``. Raises ``BadParameter``."""
    try:
        at: datetime = Instant().run_validation(text)
    except serializers.ValidationError as error:
        detail = str(error.detail[0]) if isinstance(error.detail, list) else str(error)
        raise BadParameter(detail, errors=[FieldError("at", "invalid", detail)]) from error
    if not since <= at <= now:
        detail = "Give an instant from the lead's capture until now."
        raise BadParameter(detail, errors=[FieldError("at", "out_of_range", detail)])
    return at
