"""Loading objects for a user: out of sight is 404, in sight but not allowed is 403."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from funnel.models import (
    Absence,
    Alert,
    Appeal,
    DefinitionVersion,
    Handoff,
    LeadState,
    LikelihoodModel,
    Nurture,
    Opportunity,
    OpportunityStage,
    Pool,
    Product,
    Questionnaire,
    Replay,
    RoutingRule,
    Stage,
    Tombstone,
)
from funnel.selectors import absences as away
from funnel.selectors import (
    alerts,
    appeals,
    likelihoods,
    nurtures,
    questionnaires,
    replays,
    routing_rules,
    tombstones,
)
from leads.models import Company, Lead, Person
from smarketing.core.errors import Denied, Missing
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.users.selectors import users

BIGGEST_ID = 2**63 - 1
M = TypeVar("M", bound=Any)


class NoSuchRecord(Missing):
    """There is no such record, or the user may not see it: both read the same."""


class NotAllowed(Denied):
    """The user sees the record but may not do this with it."""


def lead(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Lead:
    """A lead with its person. Raises :class:`NoSuchRecord` or :class:`NotAllowed`, as all here do."""
    leads = Lead.objects.visible_to(user).select_related("person__company", "company")
    return _load(user, leads, pk, capability)


def leads(user: User, pks: list[int], *, capability: Capability) -> list[Lead]:
    """The leads with these keys; one that is out of sight refuses all."""
    wanted = sorted({pk for pk in pks if 0 < pk <= BIGGEST_ID})
    found = list(Lead.objects.visible_to(user).filter(pk__in=wanted).order_by("pk"))
    if not found or len(found) != len(set(pks)):
        raise NoSuchRecord(_("One of these leads does not exist, or you may not see it."))
    _check(user, capability)
    return found


def state(user: User, lead_pk: int, *, capability: Capability = Capability.VIEW) -> LeadState:
    """Where a lead stands."""
    states = LeadState.objects.visible_to(user).select_related("stage", "owner", "lead__person")
    return _load(user, states, lead_pk, capability)


def handoff(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Handoff:
    """A handoff with its lead and owner."""
    handoffs = Handoff.objects.visible_to(user).select_related("lead__person", "owner")
    return _load(user, handoffs, pk, capability)


def handoff_to_answer(user: User, pk: int) -> Handoff:
    """A handoff that ``user`` may answer: their own, or any for a sales manager."""
    found = handoff(user, pk)
    own = found.owner_id == user.pk and user.may(Capability.ANSWER_OWN_HANDOFF)
    if not own and not user.may(Capability.ANSWER_ANY_HANDOFF):
        raise NotAllowed(_("This lead was handed to another rep."))
    return found


def appeal(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Appeal:
    """An appeal against a return, with what both sides said."""
    return _load(user, appeals.listed(user), pk, capability)


def opportunity(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Opportunity:
    """A deal with everything its page shows."""
    deals = Opportunity.objects.visible_to(user).select_related(
        "stage", "owner", "product", "person", "company", "lead__person"
    )
    return _load(user, deals, pk, capability)


def person(user: User, pk: int) -> Person:
    """A person that a deal may be about."""
    return _load(user, Person.objects.visible_to(user).select_related("company"), pk, Capability.VIEW)


def company(user: User, pk: int) -> Company:
    """A company that a deal may be with."""
    return _load(user, Company.objects.visible_to(user), pk, Capability.VIEW)


def owner(user: User, pk: int) -> User:
    """A colleague who may be responsible for leads."""
    return _load(user, User.objects.owners(), pk, Capability.VIEW)


def colleague(user: User, pk: int) -> User:
    """Any colleague, also one who owns no leads any more."""
    return _load(user, users.visible_to(user), pk, Capability.VIEW)


def alert(user: User, pk: int) -> Alert:
    """One of the user's own alerts, with whom it is about."""
    return _load(user, alerts.visible_to(user), pk, Capability.VIEW)


def definition(user: User, number: int, *, capability: Capability = Capability.VIEW) -> DefinitionVersion:
    """A version of the definition by its number; drafts too, so that both sides read what is coming."""
    versions = DefinitionVersion.objects.filter(number=number if number < 2**31 else 0)
    found = versions.select_related("author").first()
    if found is None or not user.may(Capability.VIEW):
        raise NoSuchRecord(_("There is no such version."))
    _check(user, capability)
    return found


def stage(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Stage:
    """A stage of the shared funnel."""
    return _load(user, Stage.objects.all(), pk, capability)


def column(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> OpportunityStage:
    """A column of the opportunities board."""
    return _load(user, OpportunityStage.objects.all(), pk, capability)


def pool(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Pool:
    """A pool of owners."""
    return _load(user, Pool.objects.all(), pk, capability)


def routing_rule(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> RoutingRule:
    """A rule of routing with its pool."""
    return _load(user, routing_rules.visible(user), pk, capability)


def absence(user: User, pk: int) -> Absence:
    """An absence: one's own, or anybody's for a manager."""
    return _load(user, away.visible_to(user), pk, Capability.VIEW)


def tombstone(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Tombstone:
    """A standing refusal with its keys."""
    return _load(user, tombstones.listed(user), pk, capability)


def nurture(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Nurture:
    """The latest time of a lead in nurture, by the lead's key."""
    return _load(user, nurtures.listed(user), pk, capability)


def likelihood_model(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> LikelihoodModel:
    """A trained model."""
    return _load(user, likelihoods.visible_models(user), pk, capability)


def replay(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Replay:
    """A replay of versions of the definition."""
    return _load(user, replays.visible_to(user), pk, capability)


def questionnaire(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Questionnaire:
    """A round of the blind questionnaire."""
    return _load(user, questionnaires.visible_to(user), pk, capability)


def product(user: User, pk: int, *, capability: Capability = Capability.VIEW) -> Product:
    """Something that is sold."""
    return _load(user, Product.objects.all(), pk, capability)


def _load(user: User, visible: QuerySet[M], pk: int, capability: Capability) -> M:
    found = visible.filter(pk=pk).first() if 0 < pk <= BIGGEST_ID and user.may(Capability.VIEW) else None
    if found is None:
        raise NoSuchRecord(_("There is no such record, or you may not see it."))
    _check(user, capability)
    return found


def _check(user: User, capability: Capability) -> None:
    if not user.may(capability):
        raise NotAllowed(_("Your role does not allow this."))
