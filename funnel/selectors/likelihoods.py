"""Reading models, their cards and the answers for leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from funnel.models import Likelihood, LikelihoodModel, ModelState, TrainingRun, TraitRuling
from leads.models import Lead
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

RUNS = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """What speaks for (positive) or against a lead, in log-odds."""

    trait: str
    what: str
    weight: float

    @property
    def speaks_for(self) -> bool:
        """Whether it makes the lead likelier than the average one."""
        return self.weight > 0


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One column of the card: how well it alone tells winners, and what holds it out, in words."""

    key: str
    label: str
    auc: float
    known: float
    guard: str
    words: str
    ruling: bool | None


def visible_models(user: User) -> QuerySet[LikelihoodModel]:
    """Both teams see what predicts their leads; whoever may not view gets none."""
    return LikelihoodModel.objects.all() if user.may(Capability.VIEW) else LikelihoodModel.objects.none()


def visible_answers(user: User) -> QuerySet[Likelihood]:
    """Answers for leads the user may see."""
    found = Likelihood.objects.filter(lead__in=Lead.objects.all()).select_related("model")
    return found if user.may(Capability.VIEW) else found.none()


def champion() -> LikelihoodModel | None:
    """The model in use."""
    return LikelihoodModel.objects.filter(state=ModelState.CHAMPION).first()


def challengers() -> QuerySet[LikelihoodModel]:
    """Models trained after the one in use that may take its place."""
    return LikelihoodModel.objects.filter(state=ModelState.CHALLENGER)


def runs() -> QuerySet[TrainingRun]:
    """The latest trainings."""
    return TrainingRun.objects.select_related("requested_by", "model")[:RUNS]


def of_lead(lead_id: int) -> Likelihood | None:
    """The answer for a lead, if there is one."""
    return Likelihood.objects.select_related("model").filter(pk=lead_id).first()


def reasons_of(likelihood: Likelihood) -> list[Reason]:
    """Its reasons, the weightiest first."""
    return [Reason(trait, what, weight) for trait, what, weight in likelihood.reasons]


def column_rows(card: dict[str, Any]) -> list[ColumnRow]:
    """The columns of a card with what people have ruled of them since."""
    rulings = dict(TraitRuling.objects.values_list("key", "is_known_at_capture"))
    words = guard_words()
    return [
        ColumnRow(
            c["key"], c["label"], c["auc"], c["known"], c["guard"], words[c["guard"]], rulings.get(c["key"])
        )
        for c in card["columns"]
    ]


def guard_words() -> dict[str, str]:
    """What holds a column out, in words."""
    return {
        "": _("Teaches the model"),
        "marked": _("Held out: written after contact"),
        "name": _("Held out: its name speaks of later"),
        "too_good": _("Held out: too good to be known at capture"),
        "names_leads": _("Left out: names leads instead of describing them"),
        "constant": _("Left out: the same for every lead"),
    }


def lines(curve: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """The calibration curve as rows: what was said, what happened, of how many."""
    return [{"said": said, "happened": happened, "n": n} for said, happened, n in curve]
