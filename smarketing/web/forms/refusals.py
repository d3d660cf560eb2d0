"""Between services and browser forms."""

from __future__ import annotations

from django import forms

from smarketing.core.errors import DomainError


def add_error(form: forms.BaseForm, error: DomainError) -> None:
    """Put what a service refused beside the fields of ``form``; the rest above all fields."""
    rest: list[str] = []
    for item in error.errors:
        if item.field in form.fields:
            form.add_error(item.field, forms.ValidationError(item.detail, code=item.code))
        else:
            rest.append(item.detail)
    if rest or not error.errors:
        for detail in rest or [error.detail]:
            form.add_error(None, forms.ValidationError(detail, code=error.instance_code))
