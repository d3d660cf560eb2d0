"""Writing templates of mails; one that is not wanted any more is put out of use."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leads.domain import mail_templates as rules
from leads.models import MailTemplate
from leads.services import fields
from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

MAY = Capability.EDIT_DEFINITION


class BadTemplate(Invalid):
    """The template can't be used as it is."""

    code = "bad_template"


@transaction.atomic
def write(
    *,
    template: MailTemplate | None = None,
    name: str,
    subject: str,
    body: str,
    is_active: bool = True,
    actor: User,
    now: datetime,
    expected_version: int | None = None,
) -> MailTemplate:
    """Make a template, or change one. Raises ``Denied``, :class:`BadTemplate`, ``Stale``."""
    if not actor.may(MAY):
        raise Denied(_("Your role may not change templates."))
    values: dict[str, str | bool] = {
        "name": rules.one_line(name)[:120],
        "subject": rules.one_line(subject),
        "body": body.strip(),
        "is_active": is_active,
    }
    _check(values)
    if template is None:
        made = _save(MailTemplate(**values, created_at=now, updated_at=now))
        changed(actor=actor, action="mail_template_made", obj=made, now=now, after=values)
        return made
    (locked,) = locks.rows(MailTemplate.objects.all(), [template.pk])
    fields.same_version(record=locked, expected=expected_version)
    before = {name: getattr(locked, name) for name in values}
    if before == values:
        return locked
    for field, value in values.items():
        setattr(locked, field, value)
    locked.version, locked.updated_at = locked.version + 1, now
    _save(locked, update_fields=[*values, "version", "updated_at"])
    changed(actor=actor, action="mail_template_changed", obj=locked, now=now, before=before, after=values)
    return locked


def _save(template: MailTemplate, update_fields: list[str] | None = None) -> MailTemplate:
    try:
        with transaction.atomic():
            template.save(update_fields=update_fields)
    except IntegrityError as error:
        detail = _("There is a template of this name already.")
        raise BadTemplate(detail, errors=[FieldError("name", "taken", detail)]) from error
    return template


def _check(values: dict[str, str | bool]) -> None:
    errors = []
    for field in ("name", "subject", "body"):
        text = str(values[field])
        if not text or "\x00" in text or len(text) > rules.LONGEST_BODY:
            errors.append(FieldError(field, "required", _("Fill this in.")))
        elif field != "name" and (strange := rules.unknown_fields(text)):
            detail = _("No mail can say {{ %(field)s }}. Use one of: %(known)s.") % {
                "field": strange[0][:40],
                "known": ", ".join(rules.FIELDS),
            }
            errors.append(FieldError(field, "unknown_field", detail))
    if errors:
        raise BadTemplate(errors[0].detail, errors=errors)
