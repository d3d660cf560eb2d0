"""The only door from a number in an address to a record: found and visible, else 404; allowed, else 403."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from leads.models import (
    Activity,
    Campaign,
    Company,
    Duplicate,
    Form,
    FormSubmission,
    ImportRun,
    Lead,
    Mail,
    MailTemplate,
    Merge,
    Person,
)
from leads.selectors import duplicates, mails, merges
from smarketing.core import locks
from smarketing.core.errors import Denied, Missing
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

M = TypeVar("M", bound=Any)


class NoSuchRecord(Missing):
    """There is no such record, or the user may not see it: both read the same."""


class NotAllowed(Denied):
    """The user sees the record but may not do this with it."""


def get_person(
    user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False
) -> Person:
    """The person with their company. Raises :class:`NoSuchRecord` or :class:`NotAllowed`."""
    people = Person.objects.visible_to(user).select_related("company")
    return _load(user, people, pk, capability, lock=lock)


def get_lead(user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False) -> Lead:
    """The lead with its person and where it came from. Raises as :func:`get_person`."""
    leads = Lead.objects.visible_to(user).select_related(
        "person__company", "company", "channel", "campaign", "source"
    )
    return _load(user, leads, pk, capability, lock=lock)


def get_company(
    user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False
) -> Company:
    """The company with its parent. Raises as :func:`get_person`."""
    companies = Company.objects.visible_to(user).select_related("parent")
    return _load(user, companies, pk, capability, lock=lock)


def get_campaign(
    user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False
) -> Campaign:
    """The campaign with its channel and owner. Raises as :func:`get_person`."""
    campaigns = Campaign.objects.visible_to(user).select_related("channel", "owner", "source")
    return _load(user, campaigns, pk, capability, lock=lock)


def get_activity(
    user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False
) -> Activity:
    """The activity with whom it is about. Raises as :func:`get_person`."""
    activities = Activity.objects.visible_to(user).select_related("person", "lead", "company", "actor")
    return _load(user, activities, pk, capability, lock=lock)


def get_import(user: User, pk: int) -> ImportRun:
    """The run of an import with its source and actor. Raises as :func:`get_person`."""
    runs = ImportRun.objects.visible_to(user).select_related("source", "actor")
    return _load(user, runs, pk, Capability.IMPORT, lock=False)


def get_form(user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False) -> Form:
    """The form with its campaign and whom it tells. Raises as :func:`get_person`."""
    forms = Form.objects.visible_to(user).select_related("campaign", "notify")
    return _load(user, forms, pk, capability, lock=lock)


def get_submission(
    user: User, pk: int, *, capability: Capability = Capability.VIEW, lock: bool = False
) -> FormSubmission:
    """The answer with what became of it. Raises as :func:`get_person`."""
    rows = FormSubmission.objects.visible_to(user).select_related("form", "person", "lead", "version")
    return _load(user, rows, pk, capability, lock=lock)


def get_merge(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Merge:
    """A merge. Raises as :func:`get_person`."""
    return _load(user, merges.listed(user), pk, capability, lock=False)


def get_mail(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Mail:
    """A mail that a colleague wrote. Raises as :func:`get_person`."""
    return _load(user, mails.visible_to(user), pk, capability, lock=False)


def get_mail_template(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> MailTemplate:
    """A template. Raises as :func:`get_person`."""
    return _load(user, mails.templates(user), pk, capability, lock=False)


def get_duplicate(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Duplicate:
    """A pair with both records. Raises as :func:`get_person`."""
    return _load(user, duplicates.listed(user), pk, capability, lock=False)


def _load(user: User, visible: QuerySet[M], pk: int, capability: Capability, *, lock: bool) -> M:
    found = next(iter(locks.rows(visible, [pk])), None) if lock else visible.filter(pk=pk).first()
    if found is None:
        raise NoSuchRecord(_("There is no such record, or you may not see it."))
    if not user.may(capability):
        raise NotAllowed(_("Your role does not allow this."))
    return found
