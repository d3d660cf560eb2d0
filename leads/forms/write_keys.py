"""Forms of tracking keys, and what their lists are narrowed by."""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from leads.models import DeadLetter, KeyKind, Source, WriteKey
from leads.selectors import write_keys
from smarketing.web.asks import AskForm

STATES = (("live", _("In use")), ("revoked", _("Revoked")))
DECIDED = (("waiting", _("To decide")), ("discarded", _("Discarded")))


class KeyChangeForm(AskForm):
    """What can be changed of a key."""

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Where it is used, such as “Main website”.")
    )
    origins = forms.CharField(
        label=_("Websites that may use it"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://www.example.com"}),
        help_text=_(
            "One per line; https://*.example.com is every name below. Empty: any. For browsers only."
        ),
    )
    per_minute = forms.IntegerField(
        label=_("Events a minute"), min_value=1, max_value=10_000_000, initial=60_000
    )
    consent_category = forms.CharField(
        label=_("Only with consent to"),
        required=False,
        max_length=60,
        help_text=_(
            "A category such as “analytics”: events without the visitor's consent to it are not kept."
        ),
    )

    def clean_origins(self) -> list[str]:
        """One entry per line."""
        return [line.strip() for line in self.cleaned_data["origins"].splitlines() if line.strip()]


class KeyForm(KeyChangeForm):
    """A new key, for a source that is there or a new one."""

    source = forms.ModelChoiceField(
        label=_("Source"), queryset=Source.objects.none(), required=False, empty_label=_("a new one")
    )
    new_source = forms.CharField(label=_("Name of the new source"), required=False, max_length=120)
    kind = forms.ChoiceField(
        label=_("Used in"),
        choices=KeyKind.choices,
        help_text=_("A browser key stands in public pages. A server key is a secret and is shown once."),
    )
    field_order = ("source", "new_source", "kind", "name", "origins", "per_minute", "consent_category")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].queryset = write_keys.senders()  # type: ignore[attr-defined]


class KeyFilter(FilterSet):
    """Keys by text, kind and whether they are in use."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    kind = filters.ChoiceFilter(label=_("Used in"), choices=KeyKind.choices)
    state = filters.ChoiceFilter(label=_("State"), choices=STATES, method="by_state")

    class Meta:
        model = WriteKey
        fields = ("q", "kind", "state")

    def by_text(self, queryset: QuerySet[WriteKey], name: str, value: str) -> QuerySet[WriteKey]:
        """Names of key or source, or the key's beginning."""
        return queryset.filter(
            Q(name__icontains=value) | Q(source__name__icontains=value) | Q(prefix__startswith=value[:10])
        )

    def by_state(self, queryset: QuerySet[WriteKey], name: str, value: str) -> QuerySet[WriteKey]:
        """In use or revoked."""
        return queryset.filter(revoked_at__isnull=value == "live")


class DeadLetterFilter(FilterSet):
    """Dead letters by what went wrong and whether they are decided."""

    q = filters.CharFilter(label=_("Error"), field_name="error", lookup_expr="icontains", max_length=200)
    state = filters.ChoiceFilter(label=_("State"), choices=DECIDED, method="by_state")

    class Meta:
        model = DeadLetter
        fields = ("q", "state")

    def by_state(self, queryset: QuerySet[DeadLetter], name: str, value: str) -> QuerySet[DeadLetter]:
        """To decide or discarded."""
        return queryset.filter(discarded_at__isnull=value == "waiting")
