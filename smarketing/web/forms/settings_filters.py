"""What the lists of the settings are narrowed by."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from smarketing.audit.models import AuditEntry
from smarketing.audit.selectors import entries
from smarketing.notifications.models import Delivery, Endpoint
from smarketing.users.models import ApiToken, Team, User
from smarketing.users.models.user import RoleChoices, UserQuerySet
from smarketing.users.selectors import tokens, users

STATES = (("yes", _("Active")), ("no", _("Deactivated")))
LIVES = (("live", _("Live")), ("ended", _("Revoked or expired")))


class UserFilter(FilterSet):
    """Colleagues by name or address, role, team and state."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    role = filters.MultipleChoiceFilter(label=_("Role"), choices=RoleChoices.choices)
    team = filters.ModelChoiceFilter(
        label=_("Team"), field_name="teams", queryset=lambda request: Team.objects.order_by("name")
    )
    active = filters.ChoiceFilter(label=_("State"), choices=STATES, method="by_state")

    class Meta:
        model = User
        fields = ("q", "role", "team", "active")

    def by_text(self, queryset: UserQuerySet, name: str, value: str) -> UserQuerySet:
        """Names or e-mail addresses that hold the text."""
        return users.matching(queryset, value)

    def by_state(self, queryset: UserQuerySet, name: str, value: str) -> UserQuerySet:
        """Those who may sign in, or those who may not."""
        return queryset.filter(is_active=value == "yes")


class TokenFilter(FilterSet):
    """API tokens by name or owner, and whether they still work."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=120)
    state = filters.ChoiceFilter(label=_("State"), choices=LIVES, method="by_state")

    class Meta:
        model = ApiToken
        fields = ("q", "state")

    def __init__(self, *args: Any, now: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def by_text(self, queryset: QuerySet[ApiToken], name: str, value: str) -> QuerySet[ApiToken]:
        """Names of tokens or of their users that hold the text, or the beginning of the token."""
        return tokens.matching(queryset, value)

    def by_state(self, queryset: QuerySet[ApiToken], name: str, value: str) -> QuerySet[ApiToken]:
        """Tokens that work, or those that no longer do."""
        return tokens.live(queryset, now=self.now, is_live=value == "live")


class EndpointFilter(FilterSet):
    """Receivers of webhooks by name or address."""

    q = filters.CharFilter(label=_("Search"), field_name="name", lookup_expr="icontains", max_length=120)

    class Meta:
        model = Endpoint
        fields = ("q",)


class DeliveryFilter(FilterSet):
    """What was sent, by state."""

    state = filters.ChoiceFilter(label=_("State"), choices=Delivery.State.choices)

    class Meta:
        model = Delivery
        fields = ("state",)


class AuditFilter(FilterSet):
    """The audit trail by words, who, what and when."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    actor = filters.ModelChoiceFilter(
        label=_("Who"), queryset=lambda request: User.objects.get_queryset().order_by("name", "pk")
    )
    action = filters.CharFilter(label=_("What"), lookup_expr="icontains", max_length=80)
    at = filters.DateFromToRangeFilter(label=_("When"))

    class Meta:
        model = AuditEntry
        fields = ("q", "actor", "action", "at")

    def by_text(self, queryset: QuerySet[AuditEntry], name: str, value: str) -> QuerySet[AuditEntry]:
        """Objects or actions that hold the text."""
        return entries.matching(queryset, value)
