"""Writing companies."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leads.domain import identities
from leads.events import LeadsChanged
from leads.models import AttributeSubject, Company, CompanyRef, Lead, Source
from leads.services import attributes, fields, searching
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.core.prepared import Query, given
from smarketing.core.transactions import joined
from smarketing.users.models import User

COLUMNS = (
    "name",
    "domain",
    "industry",
    "employees",
    "annual_revenue",
    "currency",
    "country",
    "city",
    "phone",
    "parent",
    "attributes",
)
_CRITERIA = frozenset({"industry", "employees", "annual_revenue", "country", "domain", "attributes", "name"})

_OF_DOMAIN = Query(
    "company_of_domain",
    lambda: Company.objects.filter(merged_into=None, domain=given("domain")).order_by("pk")[:1],
)
_OF_NAME = Query(
    "company_of_name",
    lambda: Company.objects.filter(merged_into=None, name_key=given("key")).order_by("pk")[:1],
)


class NameMissing(Invalid):
    """A company needs a name."""

    code = "name_missing"


class IsItsOwnParent(Invalid):
    """The chain of parents would close to a ring."""

    code = "parent_ring"


class RefTaken(Conflict):
    """The id of the source system belongs to another company."""

    code = "ref_taken"


@dataclass(frozen=True, slots=True)
class CompanyInput:
    """What a form or a program says about a company."""

    name: str
    domain: str = ""
    country: str = ""
    refs: tuple[tuple[Source, str], ...] = ()


@transaction.atomic
def create(
    *, name: str, refs: Iterable[tuple[Source, str]] = (), actor: User | None, now: datetime, **values: Any
) -> Company:
    """A new company. ``values`` are the other :data:`COLUMNS`.

    Raises :class:`NameMissing`, :class:`RefTaken` or what ``fields.checked`` raises.
    """
    good = _checked({"name": name, **values})
    if not good["name"]:
        raise _name_missing()
    company = Company.objects.create(**good, name_key=_key(good["name"]), created_at=now, updated_at=now)
    _add_refs(company, refs)
    return company


@transaction.atomic
def update(
    *,
    company: Company,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    actor: User | None,
    now: datetime,
) -> Company:
    """Change named columns; ``attributes`` are merged, a value of ``None`` takes one away.

    Locks the company. Open leads of its people are told when a column changes that a definition may
    ask for. Raises ``EditedMeanwhile``, :class:`IsItsOwnParent` or what ``fields.checked`` raises.
    """
    (locked,) = locks.rows(Company.objects.filter(merged_into=None), [company.pk]) or (None,)
    if locked is None:
        raise fields.EditedMeanwhile(_("This company was merged or removed meanwhile."))
    fields.same_version(record=locked, expected=expected_version)
    good = _checked(changes, present=locked.attributes)
    if good.get("name") == "":
        raise _name_missing()
    if good.get("parent") is not None:
        _no_ring(locked, good["parent"])
    different = {name for name, value in good.items() if getattr(locked, name) != value}
    if not different:
        return locked
    for name in different:
        setattr(locked, name, good[name])
    locked.name_key = _key(locked.name)
    locked.version, locked.updated_at = locked.version + 1, now
    locked.save(update_fields=[*different, "name_key", "version", "updated_at"])
    if "name" in different:
        searching.refresh_of_company(company_id=locked.pk)
    if different & _CRITERIA:
        ids = Lead.objects.open().filter(person__company=locked).order_by("pk").values_list("pk", flat=True)
        if touched := tuple(ids):
            events.publish(LeadsChanged(touched, actor.pk if actor else None, now))
    return locked


def find_or_create(
    *,
    name: str,
    domain: str = "",
    country: str = "",
    refs: Iterable[tuple[Source, str]] = (),
    actor: User | None,
    now: datetime,
) -> Company:
    """The company with one of these refs, else this domain, else this name; made when there is none.

    Names are compared by ``identities.company_key``. Two callers at once with the same new name or
    domain get the same company: both wait for the advisory lock on it, taken in one order, and look
    again. For a company that is there nobody waits: a batch would hold it up until its end.
    """
    refs = tuple(refs)
    with joined(savepoint=bool(refs)):
        domain, key = domain_of(text=domain), _key(name)
        found = find(name=name, domain=domain, refs=refs)
        if found is None:
            for text in sorted({f"name {key}", *([f"domain {domain}"] if domain else [])}):
                locks.advisory(locks.Namespace.COMPANY, zlib.crc32(text.encode()))
            found = find(name=name, domain=domain, refs=refs)
        if found is None:
            return create(name=name, domain=domain, country=country, refs=refs, actor=actor, now=now)
        _add_refs(found, refs)
        return found


def find(*, name: str = "", domain: str = "", refs: Iterable[tuple[Source, str]] = ()) -> Company | None:
    """The oldest company with one of these refs, else this domain, else this name."""
    present = Company.objects.filter(merged_into=None).order_by("pk")
    for source, external_id in refs:
        if found := present.filter(refs__source=source, refs__external_id=external_id).first():
            return found
    if domain and (found := _OF_DOMAIN.first(domain=domain_of(text=domain))):
        return found
    key = _key(name)
    return _OF_NAME.first(key=key) if key else None


def domain_of(*, text: str) -> str:
    """The host name in what people write into a field called "domain" or "website"."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.strip().lower()).split("/")[0].split("?")[0]
    return host.split("@")[-1].split(":")[0].removeprefix("www.").rstrip(".")


def _key(name: str) -> str:
    return identities.company_key(name)


def _name_missing() -> NameMissing:
    detail = _("A company needs a name.")
    return NameMissing(detail, errors=[FieldError("name", NameMissing.code, detail)])


def _checked(values: Mapping[str, Any], *, present: Mapping[str, Any] | None = None) -> dict[str, Any]:
    good = fields.checked(
        model=Company, values={n: v for n, v in values.items() if n != "attributes"}, allowed=COLUMNS
    )
    if "attributes" in values:
        good["attributes"] = attributes.merged(
            subject=AttributeSubject.COMPANY, present=present or {}, changes=values["attributes"]
        )
    if "domain" in good:
        good["domain"] = domain_of(text=good["domain"])
    if "currency" in good:
        good["currency"] = good["currency"].upper()
    return good


def _no_ring(company: Company, parent: Company) -> None:
    seen: set[int] = set()
    above: Company | None = parent
    while above is not None and above.pk not in seen:
        if above.pk == company.pk:
            detail = _("A company can't be above itself.")
            raise IsItsOwnParent(detail, errors=[FieldError("parent", IsItsOwnParent.code, detail)])
        seen.add(above.pk)
        above = above.parent


def _add_refs(company: Company, refs: Iterable[tuple[Source, str]]) -> None:
    """Remember the ids of source systems; the row that another caller has just written counts."""
    for source, external_id in sorted(refs, key=lambda ref: (ref[0].pk, ref[1])):
        try:
            with transaction.atomic():
                CompanyRef.objects.create(company=company, source=source, external_id=external_id)
        except IntegrityError as error:
            if not CompanyRef.objects.filter(
                company=company, source=source, external_id=external_id
            ).exists():
                raise RefTaken(
                    _("The id “%(id)s” belongs to another company.") % {"id": external_id}
                ) from error
