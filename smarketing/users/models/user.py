"""People who sign in or own records, and their teams."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import SIDE_OF_ROLE, Capability, Role, Side, may


class RoleChoices(models.TextChoices):
    """Labels of the roles."""

    REP = Role.REP.value, _("Sales rep")
    MARKETER = Role.MARKETER.value, _("Marketer")
    SALES_MANAGER = Role.SALES_MANAGER.value, _("Sales manager")
    MARKETING_MANAGER = Role.MARKETING_MANAGER.value, _("Marketing manager")
    ADMIN = Role.ADMIN.value, _("Admin")
    READ_ONLY = Role.READ_ONLY.value, _("Read only")


class SideChoices(models.TextChoices):
    """Labels of the two sides."""

    MARKETING = Side.MARKETING.value, _("Marketing")
    SALES = Side.SALES.value, _("Sales")


class Team(Stamped):
    """A group of users of one side."""

    name = models.CharField(_("name"), max_length=120)
    side = models.CharField(_("side"), max_length=12, choices=SideChoices.choices)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="team_name_once")]

    def __str__(self) -> str:
        return self.name


class UserQuerySet(models.QuerySet["User"]):
    """Chainable verbs over users."""

    def active(self) -> UserQuerySet:
        """Users who may sign in and receive work."""
        return self.filter(is_active=True)

    def owners(self) -> UserQuerySet:
        """Users who can be the owner of leads."""
        return self.active().filter(role__in=[Role.REP, Role.SALES_MANAGER])


class UserManager(BaseUserManager["User"]):
    """Required by Django's sign-in; users are made by ``users.services.users``."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def active(self) -> UserQuerySet:
        return self.get_queryset().active()

    def owners(self) -> UserQuerySet:
        return self.get_queryset().owners()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, Stamped, Versioned):
    """One colleague. Without an e-mail address (imported) nobody can sign in as them."""

    email = models.EmailField(_("e-mail"), max_length=320, unique=True, null=True, blank=True)
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(
        _("role"), max_length=20, choices=RoleChoices.choices, default=RoleChoices.READ_ONLY
    )
    manager = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    teams: models.ManyToManyField[Team, Membership] = models.ManyToManyField(
        Team, through="Membership", related_name="members"
    )
    region = models.CharField(_("region"), max_length=120, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    locale = models.CharField(_("language and number format"), max_length=12, default="en")
    is_active = models.BooleanField(_("active"), default=True)
    is_demo = models.BooleanField(default=False, editable=False)
    # Part of the session hash: raising it signs this user out everywhere.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    attributes = models.JSONField(default=dict, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email__isnull=True) | models.Q(email=Lower("email")),
                name="user_email_lower",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[r.value for r in Role]), name="user_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac(
            "smarketing.users.User.session",
            f"{self.password}:{self.session_epoch}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def may(self, capability: Capability) -> bool:
        """Whether this user's role has ``capability``; an inactive user may nothing."""
        return self.is_active and may(self.role, capability)

    @property
    def side(self) -> Side | None:
        """The side this user's role belongs to."""
        return SIDE_OF_ROLE[Role(self.role)]

    @property
    def initials(self) -> str:
        """First letters of the first and last word of the name."""
        words = self.name.split()
        return "".join(w[0] for w in (words[:1] + words[1:][-1:])).upper()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split()[0] if self.name else ""

    def natural_key(self) -> tuple[Any, ...]:
        return (self.email,)


class Membership(models.Model):
    """A user's place in a team."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    is_lead = models.BooleanField(_("team lead"), default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}"


class UserRef(models.Model):
    """The id a user has in another system, so that imported owners are recognised."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refs")
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="user_ref_once")]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
