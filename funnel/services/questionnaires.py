"""The blind questionnaire's way: started by a manager, answered by both teams, revealed at quorum, a draft.

Nobody reads an answer before both sides have reached their quorum, and nobody answers after it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain import questionnaires as rules
from funnel.models import DefinitionState, DefinitionVersion, Questionnaire, QuestionnaireAnswer
from funnel.selectors import definitions as versions
from funnel.selectors import questionnaires
from funnel.services import definition_comments, definitions
from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import User

LOOP = "questionnaires"
MOST_QUORUM, MOST_STATEMENTS = 100, 20
LONGEST_ROUND = timedelta(days=365)
LONGEST = 4000
_QUESTIONNAIRE = 2  # second half of the lock's key; 1 is the definition's own


class StartNotAllowed(Denied):
    """Starting a round is the managers'."""

    code = "questionnaire_start_not_allowed"


class AnswerNotAllowed(Denied):
    """Only people of marketing and sales answer."""

    code = "questionnaire_answer_not_allowed"


class QuestionnaireClosed(Conflict):
    """The round is revealed, or is not yet; or another one is open."""

    code = "questionnaire_closed"


class AnswerInvalid(Invalid):
    """Some answers are missing or can't be used; ``errors`` names each."""

    code = "questionnaire_answer_invalid"


@transaction.atomic
def start(
    *,
    quorum: int,
    actor: User | None,
    now: datetime,
    statements: Sequence[str] = (),
    closes_at: datetime | None = None,
) -> Questionnaire:
    """Begin a round over the rules in force and leads as they are now; everybody who may answer is told.

    ``statements`` are rated like the rules; at ``closes_at`` the round ends with whoever has answered.
    Raises :class:`StartNotAllowed`, :class:`QuestionnaireClosed` while another is open,
    :class:`AnswerInvalid` for a quorum outside 1 to 100, a wrong statement or a day that is over.
    """
    if actor is not None and not actor.may(Capability.EDIT_DEFINITION):
        raise StartNotAllowed(_("Your role may not start a questionnaire."))
    if not 1 <= quorum <= MOST_QUORUM:
        raise _bad([FieldError("quorum", "invalid", _("Give a number from 1 to 100."))])
    if closes_at is not None and not now < closes_at <= now + LONGEST_ROUND:
        raise _bad([FieldError("closes_at", "invalid", _("Give a time to come, within a year."))])
    said = _statements(statements)
    locks.advisory(locks.Namespace.DEFINITION, _QUESTIONNAIRE)
    if Questionnaire.objects.filter(revealed_at=None).exists():
        raise QuestionnaireClosed(_("A questionnaire is open already. Answer that one first."))
    version = versions.in_force()
    made = Questionnaire.objects.create(
        definition=version,
        quorum=quorum,
        items=questionnaires.items_of(versions.rules_of(version)) + said,
        closes_at=closes_at,
        cases=questionnaires.cases_of(now=now),
        started_by=actor,
        started_at=now,
    )
    changed(actor=actor, action="questionnaire_started", obj=made, now=now)
    people = [user for user in User.objects.active() if user.side is not None]
    _tell(
        made,
        "started",
        _("Tell, without seeing the other team's answers, what a qualified lead is."),
        people,
        now,
    )
    return made


@transaction.atomic
def cancel(*, questionnaire: Questionnaire, actor: User | None, now: datetime) -> Questionnaire:
    """End an open round without showing what was said; all who were asked are told.

    Raises :class:`StartNotAllowed`, :class:`QuestionnaireClosed`.
    """
    if actor is not None and not actor.may(Capability.EDIT_DEFINITION):
        raise StartNotAllowed(_("Your role may not cancel a questionnaire."))
    locked = Questionnaire.objects.select_for_update().get(pk=questionnaire.pk)
    if locked.revealed_at is not None:
        raise QuestionnaireClosed(_("This round is over."))
    _cancel(locked, now=now)
    changed(actor=actor, action="questionnaire_cancelled", obj=locked, now=now)
    return locked


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """End the open round whose time is up, and tell managers once when the next is due; the loop calls it."""
    del limit
    if questionnaires.is_due(now=now):
        return _tell_due(now=now)
    open_rounds = Questionnaire.objects.filter(revealed_at=None, closes_at__lte=now)
    locked = open_rounds.select_for_update(skip_locked=True).first()
    if locked is None or locked.closes_at is None:
        return 0
    if all(locked.answers.filter(side=side.value).exists() for side in Side):
        _reveal(locked, now=locked.closes_at)
    else:
        _cancel(locked, now=locked.closes_at)
    return 1


@transaction.atomic
def answer(
    *,
    questionnaire: Questionnaire,
    words: Mapping[str, str],
    ratings: Mapping[str, int],
    labels: Mapping[str, bool],
    actor: User,
    now: datetime,
) -> QuestionnaireAnswer:
    """Give or replace one person's answer; the one that completes both quorums reveals the round.

    Every item is to be rated and every lead labelled; words may be left out. Raises
    :class:`AnswerNotAllowed`, :class:`QuestionnaireClosed`, :class:`AnswerInvalid`.
    """
    side = actor.side
    if side is None or not actor.may(Capability.LOG_ACTIVITY):
        raise AnswerNotAllowed(_("Only people of marketing and sales answer."))
    locked = Questionnaire.objects.select_for_update().get(pk=questionnaire.pk)
    if locked.revealed_at is not None:
        raise QuestionnaireClosed(_("The answers have been shown: this round is over."))
    _check(locked, words, ratings, labels)
    made, _is_new = QuestionnaireAnswer.objects.update_or_create(
        questionnaire=locked,
        user=actor,
        defaults={
            "side": side.value,
            "words": {key: text.strip() for key, text in words.items() if text.strip()},
            "ratings": dict(ratings),
            "labels": dict(labels),
            "answered_at": now,
        },
    )
    counts = [locked.answers.filter(side=each.value).count() for each in Side]
    if min(counts) >= locked.quorum:
        _reveal(locked, now=now)
    return made


@transaction.atomic
def draft(*, questionnaire: Questionnaire, actor: User, now: datetime) -> DefinitionVersion:
    """A draft of what both sides agree on, made from what is in force.

    An item that both say disqualifies gets its points as a deduction, one that both say qualifies gets
    them as a bonus, one that both find neutral is left out. Where they differ the rule stays as it is and
    a comment names it. A draft that is there is changed likewise; a proposal is not. Raises
    :class:`QuestionnaireClosed`, and what drafting and editing raise.
    """
    questionnaire = Questionnaire.objects.get(pk=questionnaire.pk)
    if questionnaire.revealed_at is None or questionnaire.cancelled_at is not None:
        raise QuestionnaireClosed(_("Both sides have to answer first."))
    made = definitions.create_draft(actor=actor, now=now)
    if made.state != DefinitionState.DRAFT:
        detail = _("A version is proposed and waits for signatures. Sign or discard it first.")
        raise definitions.DefinitionNotEditable(detail)
    told = questionnaires.result(questionnaire)
    verdicts = {gap.key: gap.verdict for _text, gap in told.gaps}
    body = copy.deepcopy(made.body)
    for part in ("fit", "signals"):
        kept = []
        for entry in body[part]:
            verdict = verdicts.get(f"{part}.{entry['key']}")
            if verdict != 0:
                points = entry["points"] if verdict is None else verdict * abs(entry["points"])
                kept.append({**entry, "points": points})
        body[part] = kept
    made = definitions.update_draft(definition=made, body=body, actor=actor, now=now)
    open_items = [text for text, gap in told.gaps if gap.verdict is None]
    if open_items:
        text = _("The teams differ about: %(items)s") % {"items": "; ".join(open_items)}
        text = text[: definition_comments.LONGEST]
        if not made.comments.filter(text=text).exists():  # asked for twice, it is said once
            definition_comments.add(definition=made, text=text, author=actor, now=now)
    return made


def _reveal(locked: Questionnaire, *, now: datetime) -> None:
    agreement = questionnaires.result(locked).agreement
    locked.revealed_at = now
    locked.kappa, locked.agreement = agreement.kappa, agreement.share
    locked.save(update_fields=["revealed_at", "kappa", "agreement"])
    text = _("Both teams have answered: see where you differ about qualified leads.")
    _tell(locked, "revealed", text, list(User.objects.active()), now)


def _cancel(locked: Questionnaire, *, now: datetime) -> None:
    locked.revealed_at = locked.cancelled_at = now
    locked.save(update_fields=["revealed_at", "cancelled_at"])
    text = _("The questionnaire ended without a result. What was said stays hidden.")
    _tell(locked, "cancelled", text, [user for user in User.objects.active() if user.side is not None], now)


def _tell_due(*, now: datetime) -> int:
    """Once per round that is over: told again it is the same row of the outbox."""
    last = Questionnaire.objects.first()
    if last is None or last.due_told_at is not None:
        return 0
    last.due_told_at = now
    last.save(update_fields=["due_told_at"])
    managers = [user for user in User.objects.active() if user.may(Capability.EDIT_DEFINITION) and user.side]
    _tell(
        last, "due", _("A quarter has passed: ask both teams again what a qualified lead is."), managers, now
    )
    return 1


def _statements(texts: Sequence[str]) -> list[dict[str, str]]:
    """Free statements as items to rate."""
    good = [text.strip() for text in texts if text.strip()]
    if len(good) > MOST_STATEMENTS or any(len(text) > 200 or "\x00" in text for text in good):
        detail = _("Give at most %(n)d statements of at most 200 characters.") % {"n": MOST_STATEMENTS}
        raise _bad([FieldError("statements", "invalid", detail)])
    return [{"key": f"free.{number}", "text": text} for number, text in enumerate(good, start=1)]


def _check(
    asked: Questionnaire, words: Mapping[str, str], ratings: Mapping[str, int], labels: Mapping[str, bool]
) -> None:
    items = {item["key"] for item in asked.items}
    cases = {case["key"] for case in asked.cases}
    errors = [
        FieldError(f"words.{key}", "invalid", _("Write at most %(most)s characters.") % {"most": LONGEST})
        for key, text in words.items()
        if key not in rules.QUESTIONS or len(text) > LONGEST or "\x00" in text
    ]
    rated = {key for key, value in ratings.items() if value in rules.RATINGS}
    errors += [
        FieldError(f"ratings.{key}", "invalid", _("Say: qualifies, neutral or disqualifies."))
        for key in sorted((items ^ set(ratings)) | (items - rated))
    ]
    errors += [
        FieldError(f"labels.{key}", "invalid", _("Say whether this lead is qualified."))
        for key in sorted(cases ^ set(labels))
    ]
    if errors:
        raise _bad(errors)


def _bad(errors: list[FieldError]) -> AnswerInvalid:
    return AnswerInvalid(_("Some answers are missing or can't be used. They are marked."), errors=errors)


def _tell(made: Questionnaire, what: str, text: str, people: list[User], now: datetime) -> None:
    ids = tuple(sorted(user.pk for user in people))
    outbox.put(
        topic=f"questionnaire.{what}",
        payload={"questionnaire_id": made.pk},
        dedupe_key=f"questionnaire.{what}:{made.pk}",
        now=now,
        notify=Notice(text=text, user_ids=ids, link=f"/settings/questionnaires/{made.pk}/") if ids else None,
    )
