"""Widgets written without templates are those of Django's templates, but for blanks between tags."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from smarketing.web.forms.renderer import QuickWidgets
from smarketing.web.markup import filled, together

CHOICES = [
    ("", "---"),
    (1, "A & <b>"),
    (1234, 1234),
    ("x", mark_safe("<i>safe</i>")),  # noqa: S308
    (_("Group"), [("g'1", _("Owner")), ("g2", "two")]),
]


class Everything(forms.Form):
    one = forms.ChoiceField(choices=CHOICES, required=False)
    many = forms.MultipleChoiceField(choices=CHOICES, widget=forms.SelectMultiple(attrs={"size": 4}))
    boxes = forms.MultipleChoiceField(choices=CHOICES, widget=forms.CheckboxSelectMultiple)
    radio = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect(attrs={"class": "radios"}))
    text = forms.CharField(max_length=9, help_text="x")
    number = forms.DecimalField(min_value=1, localize=True)
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    mail = forms.EmailField()
    yes = forms.BooleanField(required=False)
    maybe = forms.NullBooleanField()
    secret = forms.CharField(widget=forms.PasswordInput)
    area = forms.CharField(widget=forms.Textarea)
    when = forms.SplitDateTimeField()


GIVEN: dict[str, Any] = {
    "one": "1", "many": ["1234", "g2"], "boxes": ["x"], "radio": "g'1", "text": 'a"<b>&', "number": "1234.5",
    "day": "2026-03-02", "mail": "a@b.c", "yes": "on", "maybe": "true", "secret": "s", "area": "<x>",
}  # fmt: skip


def squashed(html: str) -> str:
    return re.sub(r">\s+", ">", re.sub(r"\s+<", "<", html)).strip()


@pytest.mark.parametrize("data", [None, {}, GIVEN], ids=["unbound", "empty", "given"])
@pytest.mark.parametrize("name", list(Everything.base_fields))
def test_a_widget_is_as_its_template_would_make_it(name: str, data: dict[str, Any] | None) -> None:
    shown = []
    for renderer in (TemplatesSetting(), QuickWidgets()):
        form = Everything(data, renderer=renderer, prefix="p&", initial={"yes": True})
        if data is not None:
            form = Everything({f"p&-{k}": v for k, v in data.items()}, renderer=renderer, prefix="p&")
        shown.append(
            form[name].as_widget(attrs={"title": 'a "b" <c>', "aria-invalid": True, "hidden": False})
        )
    assert squashed(shown[0]) == squashed(shown[1])
    assert shown[1].__html__()


def test_what_is_filled_in_is_escaped_unless_it_is_html() -> None:
    html = filled("<p>{} {} {} {}</p>", "<a>", mark_safe("<b>"), _("Owner"), 7)  # noqa: S308
    assert html == "<p>&lt;a&gt; <b> Owner 7</p>"
    assert together([html, "<x>", filled("{}", "'")]) == f"{html}&lt;x&gt;&#x27;"
    assert hasattr(html, "__html__")
