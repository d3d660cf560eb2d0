"""A published form for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from leads.domain import form_layouts
from leads.models import Form
from leads.selectors import forms as reads
from leads.services import forms

FIELDS: list[dict[str, Any]] = [
    {"name": "first", "target": "person.first_name", "label": "First name"},
    {"name": "last", "target": "person.last_name", "label": "Last name", "required": True},
    {"name": "email", "target": "person.email", "label": "E-mail", "required": True},
    {"name": "phone", "target": "person.phone", "label": "Phone"},
    {"name": "firm", "target": "company.name", "label": "Company", "progressive": True},
    {"name": "heard", "target": "lead.heard", "label": "How did you hear about us?"},
    {"name": "need", "target": "lead.description", "label": "What do you need?"},
]
GIVEN = {"first": "Ada", "last": "Lovelace", "email": "ada@engines.example", "firm": "Analytical Engines"}
BROWSER = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"}


def published(now: datetime, *, layout: dict[str, Any] | None = None, **settings: Any) -> Form:
    """A form that takes answers; ``settings`` are those of ``forms.create``."""
    form = forms.create(**{"name": "Request a demo", "min_seconds": 0, **settings}, actor=None, now=now)
    words = {"title": "Request a demo", "fields": FIELDS, **(layout or {})}
    forms.save_draft(form=form, layout=form_layouts.read(words), actor=None, now=now)
    forms.publish(form=form, actor=None, now=now)
    found = reads.by_key(form.key)
    assert found is not None
    return found
