"""Forms: set up, drafted, published, switched off; and counting who saw them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.domain import form_layouts
from leads.domain.form_layouts import Fault, Layout
from leads.models import Form, FormVersion, FormVersionState, Purpose
from leads.selectors import forms as reads
from leads.services import consents, fields
from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

COLUMNS = (
    "name", "is_active", "campaign", "content", "origin", "notify", "sites", "redirect_hosts", "min_seconds",
)  # fmt: skip
_HOST = re.compile(
    r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
)
_COUNT_VIEW = """
INSERT INTO leads_formday AS d (form_id, day, views) VALUES (%s, %s, 1)
ON CONFLICT (form_id, day) DO UPDATE SET views = d.views + 1
"""


class BadForm(Invalid):
    """A form can't be like this; ``errors`` say what and why."""

    code = "bad_form"


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing_to_publish"


@transaction.atomic
def create(*, actor: User | None, now: datetime, **values: Any) -> Form:
    """A new form with a first draft that asks for name and e-mail. Audited.

    Raises :class:`BadForm` or what ``fields.checked`` raises.
    """
    good = _checked({"name": "", **values})
    form = Form.objects.create(**good, key=secrets.token_hex(8), **fields.stamps(now=now))
    layout = {"title": form.name, "submit": "", "fields": _first_fields()}
    FormVersion.objects.create(form=form, number=1, layout=layout, **fields.stamps(now=now))
    changed(actor=actor, action="form_created", obj=form, now=now, after=_told(good))
    return form


@transaction.atomic
def update(
    *,
    form: Form,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    actor: User | None,
    now: datetime,
) -> Form:
    """Change named columns. Locks the form. Raises as :func:`create`, or ``EditedMeanwhile``."""
    (locked,) = locks.rows(Form.objects.all(), [form.pk])
    fields.same_version(record=locked, expected=expected_version)
    good = _checked(changes)
    before = {name: getattr(locked, name) for name in good}
    different = {name: value for name, value in good.items() if before[name] != value}
    if not different:
        return locked
    for name, value in different.items():
        setattr(locked, name, value)
    locked.version, locked.updated_at = locked.version + 1, now
    locked.save(update_fields=[*different, "version", "updated_at"])
    changed(actor=actor, action="form_changed", obj=locked, now=now, before=_told(before), after=_told(good))
    return locked


@transaction.atomic
def save_draft(
    *,
    form: Form,
    layout: Layout,
    expected_version: int | None = None,
    actor: User | None,
    now: datetime,
) -> FormVersion:
    """Keep ``layout`` as the draft, whatever is still wrong with it; a published version is not touched.

    ``expected_version`` is that of the draft that was read. Raises ``EditedMeanwhile``.
    """
    locks.rows(Form.objects.all(), [form.pk])
    draft = reads.draft(form)
    if draft is None:
        last = reads.versions(form).first()
        number = (last.number if last else 0) + 1
        return FormVersion.objects.create(
            form=form, number=number, layout=layout.as_json(), **fields.stamps(now=now)
        )
    fields.same_version(record=draft, expected=expected_version)
    draft.layout, draft.version, draft.updated_at = layout.as_json(), draft.version + 1, now
    draft.save(update_fields=["layout", "version", "updated_at"])
    return draft


@transaction.atomic
def publish(*, form: Form, actor: User | None, now: datetime) -> FormVersion:
    """Show the draft to the world; the former version stays for the answers that refer to it. Audited.

    The wordings of its consents become versions. Raises :class:`NothingToPublish` or :class:`BadForm`.
    """
    locks.rows(Form.objects.all(), [form.pk])
    draft = reads.draft(form)
    if draft is None:
        raise NothingToPublish(_("Everything is published already. Change something first."))
    layout = reads.layout_of(draft)
    if wrong := form_layouts.faults(layout, reads.around(form)):
        errors = [FieldError(f.path, BadForm.code, sentence(fault=f)) for f in wrong]
        raise BadForm(_("Mend what is marked before you publish."), errors=errors)
    for ask in layout.consents:
        consents.wording(purpose=Purpose.objects.get(code=ask.purpose), text=ask.text, now=now)
    former = FormVersion.objects.filter(form=form, state=FormVersionState.PUBLISHED)
    former.update(state=FormVersionState.FORMER, updated_at=now)
    draft.state, draft.published_at, draft.published_by = FormVersionState.PUBLISHED, now, actor
    draft.version, draft.updated_at = draft.version + 1, now
    draft.save(update_fields=["state", "published_at", "published_by", "version", "updated_at"])
    changed(actor=actor, action="form_published", obj=form, now=now, after={"version": draft.number})
    return draft


def count_view(*, form: Form, now: datetime) -> None:
    """Somebody was shown the form."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_VIEW, [form.pk, now.date()])


def sentence(*, fault: Fault) -> str:
    """What a fault of a layout says to people."""
    return _SENTENCES.get(fault.code, lambda: fault.code)()


_SENTENCES = {
    "required": lambda: _("Write something here."),
    "unknown": lambda: _("This does not exist any more. Choose another."),
    "twice": lambda: _("This is in the form already."),
    "name": lambda: _("Use letters, digits, dots, dashes and underscores, beginning with a letter."),
    "hidden": lambda: _("Nobody can fill in a hidden field, so it can't be required."),
    "email_asked": lambda: _("The e-mail address tells who answers: it must always be asked."),
    "choices": lambda: _("Offer only choices that the attribute has."),
    "too_many": lambda: _("These are too many."),
    "needs_email": lambda: _("Only who gives an e-mail address can confirm by mail."),
    "host": lambda: _("This host is not among those the form may lead to. Add it in the form's settings."),
    "nobody": lambda: _("Ask for an e-mail address or a phone number, else nobody can be reached."),
}


def _first_fields() -> list[dict[str, Any]]:
    rows = (
        ("person.first_name", "first_name", _("First name"), False),
        ("person.last_name", "last_name", _("Last name"), True),
        ("person.email", "email", _("E-mail"), True),
    )
    return [{"target": t, "name": n, "label": label, "required": required} for t, n, label, required in rows]


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: values[name] for name in ("sites", "redirect_hosts") if name in values}
    plain = {name: value for name, value in values.items() if name not in lists}
    good = fields.checked(model=Form, values=plain, allowed=COLUMNS)
    if "name" in good and not good["name"]:
        _refuse("name", _("Give the form a name."))
    if "sites" in lists:
        good["sites"] = [_origin(text) for text in _lines(lists["sites"])]
    if "redirect_hosts" in lists:
        good["redirect_hosts"] = [_host(text) for text in _lines(lists["redirect_hosts"])]
    return good


def _lines(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text.strip().lower().rstrip("/") for text in given if text.strip()))[:100]


def _origin(text: str) -> str:
    """``https://www.example.com`` or with a port; a bare host means https."""
    address = text if "://" in text else f"https://{text}"
    if not form_layouts.host_of(address) or urlsplit(address).path or "?" in address or "#" in address:
        _refuse(
            "sites",
            _("“%(text)s” is no address of a website, such as https://www.example.com.") % {"text": text},
        )
    return address


def _host(text: str) -> str:
    if len(text) > 253 or not _HOST.match(text):
        _refuse("redirect_hosts", _("“%(text)s” is no host, such as www.example.com.") % {"text": text})
    return text


def _refuse(field: str, detail: str) -> None:
    raise BadForm(detail, errors=[FieldError(field, BadForm.code, detail)])


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the audit trail keeps them."""
    return {n: v if isinstance(v, str | bool | int | list) else str(v or "") for n, v in values.items()}
