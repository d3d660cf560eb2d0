"""Forms of colleagues, teams and the organisation."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from smarketing.users.domain.roles import LEVEL, Role
from smarketing.users.models import Team, User
from smarketing.users.models.user import RoleChoices, SideChoices
from smarketing.users.selectors import users
from smarketing.web.asks import AskForm


def zones() -> list[tuple[str, str]]:
    """The time zones that places have, for a select."""
    return [(z, z.replace("_", " ")) for z in sorted(available_timezones()) if "/" in z or z == "UTC"]


def _role_field(actor: User) -> forms.ChoiceField:
    """The roles ``actor`` may grant: none above their own."""
    own = LEVEL[Role(actor.role)]
    choices = [(value, label) for value, label in RoleChoices.choices if LEVEL[Role(value)] <= own]
    return forms.ChoiceField(label=_("Role"), choices=choices)


def _offer(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Let the field ``name`` choose from ``rows``."""
    form.fields[name].queryset = rows  # type: ignore[attr-defined]


class UserEditForm(AskForm):
    """What can be changed about a colleague; the role has a form of its own."""

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.CharField(
        label=_("E-mail"),
        max_length=320,
        required=False,
        help_text=_("Without an address nobody can sign in as this user."),
        widget=forms.EmailInput,
    )
    region = forms.CharField(
        label=_("Region"), max_length=120, required=False, help_text=_("Routing by region goes by it.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zones)
    manager = forms.ModelChoiceField(label=_("Manager"), queryset=User.objects.none(), required=False)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "manager", users.visible_to(actor).active())


class UserForm(UserEditForm):
    """A new colleague."""

    teams = forms.ModelMultipleChoiceField(
        label=_("Teams"),
        queryset=Team.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    invite = forms.BooleanField(
        label=_("Send a mail with a link to set a password"), required=False, initial=True
    )
    field_order = ("name", "email", "role", "teams", "region", "time_zone", "manager", "invite")

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["role"] = _role_field(actor)
        teams = users.teams_visible_to(actor).order_by("name")
        _offer(self, "teams", teams)
        if not teams.exists():
            del self.fields["teams"]
        self.order_fields(self.field_order)


class RoleForm(AskForm):
    """Another role; nobody grants a level above their own."""

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = _role_field(actor)


class TeamForm(AskForm):
    """A new team."""

    name = forms.CharField(label=_("Name"), max_length=120)
    side = forms.ChoiceField(label=_("Side"), choices=SideChoices.choices)


class MemberForm(AskForm):
    """A colleague who joins a team."""

    user = forms.ModelChoiceField(label=_("User"), queryset=User.objects.none())
    is_lead = forms.BooleanField(label=_("Leads the team"), required=False)

    def __init__(self, *args: Any, actor: User, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "user", users.visible_to(actor).active().exclude(teams=team))


class OrganisationForm(AskForm):
    """What everything falls back to. ``version`` is what the editor has seen."""

    name = forms.CharField(label=_("Name"), max_length=200)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, help_text=_("Days, months and quarters of reports begin in it.")
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, help_text=_("Three letters, such as EUR."))
    country = forms.CharField(
        label=_("Country"), max_length=2, help_text=_("Two letters, such as DE. Phone numbers go by it.")
    )
    queue_by_value = forms.BooleanField(
        label=_("Queues by expected value"),
        help_text=_(
            "At the same deadline reps see the lead first that may bring most: likelihood × the average deal "
            "won by leads of its band of fit. Otherwise the likeliest."
        ),
        required=False,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean_currency(self) -> str:
        """Capitals, whatever was typed."""
        return str(self.cleaned_data["currency"]).upper()

    def clean_country(self) -> str:
        """Capitals, whatever was typed."""
        return str(self.cleaned_data["country"]).upper()
