"""Models in use, and each open lead's answer by the one in use.

Nothing here trains: that is a process of its own (``manage.py model train``), so that web and worker never
load the learning library. Answers follow a lead's capture and change at once; after a promotion the loop
``likelihoods`` passes once over the open leads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from funnel.domain.likelihood import Model, model_from
from funnel.models import DefinitionVersion, LikelihoodModel, ModelState, TraitRuling
from funnel.selectors import captured
from funnel.services import definitions
from leads.models import Lead
from smarketing.core import loops
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.core.prepared import Statement
from smarketing.users.models import User

LOOP = "likelihoods"
# Asked for every lead that comes: whether there is a model, without its weights.
_IN_USE = Statement("likelihood_in_use", "SELECT id FROM funnel_likelihoodmodel WHERE state = 'champion'")
_ASKED = ("path", "operator", "value")
_STORE = """
INSERT INTO funnel_likelihood (lead_id, model_id, value, reasons, computed_at)
SELECT lead_id, %s, value, reasons::jsonb, %s
  FROM unnest(%s::bigint[], %s::float8[], %s::text[]) AS t (lead_id, value, reasons)
 ORDER BY lead_id
    ON CONFLICT (lead_id) DO UPDATE SET model_id = excluded.model_id, value = excluded.value,
       reasons = excluded.reasons, computed_at = excluded.computed_at
"""


class AlreadyInUse(Conflict):
    """The model is in use or has been."""

    code = "model_already_used"


class NoSuggestion(Invalid):
    """The card tells no such trait, or the definition can't ask for it."""

    code = "no_suggestion"


class AlreadyThere(Conflict):
    """The draft asks for it already."""

    code = "criterion_already_there"


class UnknownColumn(Invalid):
    """No model has seen a column of that name."""

    code = "unknown_column"


@transaction.atomic
def keep(
    *, body: Mapping[str, Any], card: Mapping[str, Any], actor: User | None, now: datetime
) -> LikelihoodModel:
    """Store a trained model as a challenger; the first one there is goes into use at once."""
    _lock()
    last = LikelihoodModel.objects.aggregate(last=Max("number"))["last"] or 0
    model = LikelihoodModel.objects.create(
        number=last + 1,
        state=ModelState.CHALLENGER,
        body=dict(body),
        card=dict(card),
        trained_at=now,
        trained_by=actor,
    )
    changed(actor=actor, action="model_trained", obj=model, now=now, after={"number": model.number})
    if not LikelihoodModel.objects.filter(state=ModelState.CHAMPION).exists():
        return promote(model=model, actor=actor, now=now)
    return model


@transaction.atomic
def promote(*, model: LikelihoodModel, actor: User | None, now: datetime) -> LikelihoodModel:
    """Put a challenger into use; open leads get its answers in the background.

    Raises :class:`AlreadyInUse`.
    """
    _lock()
    fresh = LikelihoodModel.objects.get(pk=model.pk)
    if fresh.state != ModelState.CHALLENGER:
        raise AlreadyInUse(_("Only a challenger can be put into use."))
    LikelihoodModel.objects.filter(state=ModelState.CHAMPION).update(
        state=ModelState.RETIRED, retired_at=now, passed_lead_id=None
    )
    fresh.state, fresh.promoted_at, fresh.passed_lead_id = ModelState.CHAMPION, now, 0
    fresh.save(update_fields=["state", "promoted_at", "passed_lead_id"])
    changed(actor=actor, action="model_promoted", obj=fresh, now=now, after={"number": fresh.number})
    loops.nudge(LOOP)
    return fresh


@transaction.atomic
def rule(*, key: str, is_known_at_capture: bool | None, actor: User, now: datetime) -> None:
    """Say of a column whether it is known at capture; ``None`` takes the ruling back.

    It counts from the next training on. Raises :class:`UnknownColumn`.
    """
    latest = LikelihoodModel.objects.order_by("-number").first()
    if latest is None or key not in {c["key"] for c in latest.card["columns"]}:
        detail = _("No model has looked at a column of that name.")
        raise UnknownColumn(detail, errors=[FieldError("key", UnknownColumn.code, detail)])
    if is_known_at_capture is None:
        TraitRuling.objects.filter(key=key).delete()
    else:
        TraitRuling.objects.update_or_create(
            key=key,
            defaults={"is_known_at_capture": is_known_at_capture, "ruled_by": actor, "ruled_at": now},
        )
    after = {"key": key, "known_at_capture": is_known_at_capture}
    changed(actor=actor, action="trait_ruled", obj=latest, now=now, after=after)


@transaction.atomic
def suggest(*, model: LikelihoodModel, place: int, actor: User, now: datetime) -> DefinitionVersion:
    """Add what a model's card says of a trait to the draft of the definition, as a criterion of fit.

    Raises :class:`NoSuggestion`, :class:`AlreadyThere`, or what the services of the definition raise.
    """
    told = model.card.get("lifts", [])
    lift = told[place] if 0 <= place < len(told) else {}
    condition = lift.get("condition")
    if not condition:
        raise NoSuggestion(_("The definition can't ask for this trait."))
    draft = definitions.create_draft(actor=actor, now=now)
    body = {**draft.body, "fit": list(draft.body["fit"])}
    if any(all(c.get(k) == condition.get(k) for k in _ASKED) for c in body["fit"]):
        raise AlreadyThere(_("The draft has a criterion for this already."))
    body["fit"].append({"key": _fresh_key(body, lift), **condition, "points": lift["points"]})
    return definitions.update_draft(definition=draft, body=body, actor=actor, now=now)


@transaction.atomic
def answer(*, lead_ids: Sequence[int], now: datetime) -> int:
    """Answer for these leads by the model in use; without one nothing happens. Says how many."""
    if not lead_ids or not (in_use := _IN_USE.rows()):
        return 0
    return _answer(LikelihoodModel.objects.get(pk=in_use[0][0]), lead_ids, now)


@transaction.atomic
def answer_later(*, lead_ids: Sequence[int]) -> None:
    """Have the loop pass over these leads (and those after the first of them) once more."""
    first = min(lead_ids) - 1
    waiting = LikelihoodModel.objects.filter(state=ModelState.CHAMPION)
    if waiting.update(passed_lead_id=Least("passed_lead_id", first)):
        loops.nudge(LOOP)


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Go on through the open leads for a model that has just gone into use; return how many were answered."""
    waiting = LikelihoodModel.objects.filter(state=ModelState.CHAMPION, passed_lead_id__isnull=False)
    champion = waiting.select_for_update(skip_locked=True, no_key=True).first()
    if champion is None:
        return 0
    following = Lead.objects.open().filter(pk__gt=champion.passed_lead_id).order_by("pk")
    ids = list(following.values_list("pk", flat=True)[:limit])
    _answer(champion, ids, now)
    champion.passed_lead_id = ids[-1] if len(ids) == limit else None
    champion.save(update_fields=["passed_lead_id"])
    return len(ids)


def _answers_of(model: Model, lead_ids: Sequence[int]) -> tuple[tuple[int, ...], list[float], list[str]]:
    """Ids, probabilities and reasons (JSON) of leads by ``model``; a trait that nobody has is blank."""
    known = captured.known(lead_ids)
    blank: list[Any] = [None] * len(known.lead_ids)
    columns = {b.trait.key: known.columns.get(b.trait.key, blank) for b in model.binnings}
    codes = model.codes(columns)
    values = [float(v) for v in model.likelihoods(codes)] if len(codes) else []
    reasons = _texts(model.reasons(codes))
    return known.lead_ids, values, reasons


def _texts(reasons: Sequence[list[tuple[str, str, float]]]) -> list[str]:
    """Each as JSON; leads that are alike share one list, which is written once."""
    known = {id(told): told for told in reasons}
    written = {key: json.dumps(told) for key, told in known.items()}
    return [written[id(told)] for told in reasons]


def _answer(champion: LikelihoodModel, lead_ids: Sequence[int], now: datetime) -> int:
    if not lead_ids:
        return 0
    ids, values, reasons = _answers_of(model_from(champion.body), lead_ids)
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [champion.pk, now, list(ids), values, reasons])
    return len(ids)


def _fresh_key(body: Mapping[str, Any], lift: Mapping[str, Any]) -> str:
    """A key of its own for the criterion, from the trait and what it is."""
    words = re.sub(r"[^a-z0-9]+", "_", f"{lift['key'].partition('.')[2]} {lift['what']}".lower()).strip("_")
    base = f"data_{words}"[:50].rstrip("_")
    taken = {criterion["key"] for criterion in body["fit"]}
    numbered = (f"{base}_{n}" for n in count(2))
    return base if base not in taken else next(key for key in numbered if key not in taken)


def _lock() -> None:
    """Training and promoting happen one after the other."""
    list(LikelihoodModel.objects.select_for_update().values_list("pk"))
