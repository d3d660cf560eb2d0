"""Reads about colleagues."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from smarketing.users.models import Membership, Team, User
from smarketing.users.models.user import UserQuerySet


def visible_to(user: User) -> UserQuerySet:
    """Colleagues ``user`` may see: everybody, for whoever is active."""
    return User.objects.get_queryset() if user.is_active else User.objects.get_queryset().none()


def matching(queryset: UserQuerySet, text: str) -> UserQuerySet:
    """Those whose name or e-mail address holds ``text``."""
    return queryset.filter(Q(name__icontains=text) | Q(email__icontains=text))


def find(name_or_email: str) -> User | None:
    """The one user with this e-mail address or, if it is unambiguous, this name."""
    by_email = User.objects.get_queryset().filter(email=name_or_email.strip().lower()).first()
    if by_email is not None:
        return by_email
    by_name = User.objects.get_queryset().filter(name__iexact=name_or_email.strip())[:2]
    return by_name[0] if len(by_name) == 1 else None


def teams_visible_to(user: User) -> QuerySet[Team]:
    """Every team with its members, for whoever is active."""
    teams = Team.objects.prefetch_related("members")
    return teams if user.is_active else teams.none()


def listed(user: User) -> UserQuerySet:
    """Colleagues as a list shows them, with their teams."""
    return visible_to(user).prefetch_related("teams")


def teams_listed(user: User) -> QuerySet[Team]:
    """Every team with its members, its leads first, for a page."""
    members = Membership.objects.select_related("user").order_by("-is_lead", "user__name", "pk")
    return (
        teams_visible_to(user)
        .order_by("side", "name")
        .prefetch_related(Prefetch("memberships", queryset=members))
    )
