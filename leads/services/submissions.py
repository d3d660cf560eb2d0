"""Answers to forms: stored before anything else, then made into leads; doubtful ones wait for a person.

An answer is durable before its sender is told so. What it leads to (person, lead, touchpoints,
consents, event) is one transaction of its own, carried out at once, and again by the loop ``forms``
for what was left behind.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leads.domain import form_spam
from leads.domain import suppression as networks
from leads.models import Form, FormSubmission, FormVersion, SubmissionState
from leads.selectors import forms as reads
from leads.selectors import suppression
from leads.services import form_answers, form_leads
from leads.services.form_answers import Answers
from smarketing.core import loops
from smarketing.core.errors import Conflict, DomainError
from smarketing.users.models import User

LOOP = "forms"
MOST_ATTEMPTS = 5
# The same words from the same network within this time are a double click on a form without a token.
_DOUBLE = timedelta(seconds=60)
_LATELY = timedelta(hours=1)
# The loop takes up what its own request did not finish, not what is being finished at this moment.
_LEFT_BEHIND = timedelta(seconds=20)
log = structlog.get_logger(__name__)


class AlreadyDecided(Conflict):
    """The answer is not in quarantine (any more)."""

    code = "already_decided"


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around an answer. ``seconds`` passed since its form was rendered by us."""

    road: str
    ip: str = ""
    user_agent: str = ""
    page_url: str = ""
    referrer: str = ""
    anonymous_id: str = ""
    render_id: str = ""
    seconds: float | None = None
    trap_filled: bool = False
    known: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """The stored answer, and whether it is a new one (not the same sent twice)."""

    submission: FormSubmission
    is_new: bool


def take(
    *,
    form: Form,
    version: FormVersion | None,
    given: Mapping[str, Sequence[str]],
    answers: Answers,
    context: Context,
    now: datetime,
) -> Received:
    """Store an answer and, unless it is doubtful, make it a lead. The same one again is found.

    Answers with faults are for roads on which nobody can be told: they wait in quarantine. Only the
    storing can fail; what goes wrong afterwards is left to the loop.
    """
    received = _store(form, version, given, answers, context, now)
    if received.is_new and received.submission.state == SubmissionState.RECEIVED:
        try:
            apply(submission_id=received.submission.pk, now=now)
        except Exception:
            # The answer is safe. Whatever this was, the loop tries again and counts how often.
            log.exception("form_answer_not_applied", submission=received.submission.pk)
    return received


@transaction.atomic
def _store(
    form: Form,
    version: FormVersion | None,
    given: Mapping[str, Sequence[str]],
    answers: Answers,
    context: Context,
    now: datetime,
) -> Received:
    words = {n: [form_answers.clean(text=t) for t in texts] for n, texts in given.items()}
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
    ip_hash = suppression.ip_hash(context.ip)
    if (known := _known(form, context.render_id, digest, ip_hash, now)) is not None:
        return Received(known, is_new=False)
    reason = _doubt(form, digest, words, answers, context, now)
    submission = FormSubmission(
        form=form,
        version=version,
        render_id=context.render_id or secrets.token_hex(16),
        road=context.road,
        state=SubmissionState.QUARANTINED if reason else SubmissionState.RECEIVED,
        reason=reason,
        raw={"fields": words, "known": list(context.known), **context.extra},
        digest=digest,
        received_at=now,
        network=networks.network_of(context.ip),
        ip_hash=ip_hash,
        user_agent=form_answers.clean(text=context.user_agent)[:300],
        page_url=form_answers.clean(text=context.page_url)[:2000],
        referrer=form_answers.clean(text=context.referrer)[:2000],
        anonymous_id=form_answers.clean(text=context.anonymous_id)[:255],
    )
    try:
        with transaction.atomic():
            submission.save(force_insert=True)
    except IntegrityError:
        # The second of two clicks arrived while the first was being stored.
        return Received(FormSubmission.objects.get(form=form, render_id=submission.render_id), is_new=False)
    loops.nudge(LOOP)
    return Received(submission, is_new=True)


def _doubt(
    form: Form,
    digest: str,
    words: Mapping[str, Sequence[str]],
    answers: Answers,
    context: Context,
    now: datetime,
) -> str:
    """Why the answer goes into quarantine, or ""."""
    lately = FormSubmission.objects.filter(form=form, digest=digest, received_at__gt=now - _LATELY)
    signs = form_spam.Signs(
        trap_filled=context.trap_filled,
        seconds=context.seconds,
        least_seconds=form.min_seconds,
        repeats=lately.count(),
        texts=[text for texts in words.values() for text in texts],
    )
    return form_spam.verdict(signs) or (form_spam.INVALID if answers.errors else "")


def _known(form: Form, render_id: str, digest: str, ip_hash: str, now: datetime) -> FormSubmission | None:
    if render_id:
        return FormSubmission.objects.filter(form=form, render_id=render_id).first()
    lately = FormSubmission.objects.filter(form=form, digest=digest, received_at__gt=now - _DOUBLE)
    return lately.filter(ip_hash=ip_hash).first() if ip_hash else None


@transaction.atomic
def apply(*, submission_id: int, now: datetime) -> FormSubmission | None:
    """Make a received answer a lead, once. What a service refuses is written down as the reason.

    Locks the answer; returns ``None`` when somebody else has it or it is no longer waiting.
    """
    waiting = FormSubmission.objects.filter(pk=submission_id, state=SubmissionState.RECEIVED)
    submission = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if submission is None:
        return None
    form = Form.objects.select_related("campaign__channel").get(pk=submission.form_id)
    layout = reads.layout_of(submission.version)
    answers = form_answers.check(
        layout=form_leads.with_defaults(layout=layout, road=submission.road),
        given=submission.raw.get("fields", {}),
        known=submission.raw.get("known", []),
    )
    try:
        with transaction.atomic():
            taken = form_leads.capture(form=form, submission=submission, answers=answers, now=now)
    except DomainError as error:
        return _end(submission, SubmissionState.FAILED, reason=error.detail, now=now)
    submission.person, submission.lead, submission.made_lead = taken.lead.person, taken.lead, taken.created
    return _end(submission, SubmissionState.APPLIED, reason="", now=now)


def run_once(*, now: datetime, limit: int) -> int:
    """Take up answers whose own request did not finish; the loop ``forms``."""
    rows = FormSubmission.objects.filter(
        state=SubmissionState.RECEIVED, received_at__lt=now - _LEFT_BEHIND, attempts__lt=MOST_ATTEMPTS
    )
    ids = list(rows.order_by("received_at").values_list("pk", flat=True)[:limit])
    for pk in ids:
        try:
            apply(submission_id=pk, now=now)
        except Exception as error:
            # One answer that can't be applied must not keep the others waiting.
            log.exception("form_answer_not_applied", submission=pk)
            _failed(pk, error, now)
    return len(ids)


@transaction.atomic
def _failed(pk: int, error: Exception, now: datetime) -> None:
    submission = FormSubmission.objects.select_for_update().get(pk=pk)
    submission.attempts += 1
    submission.save(update_fields=["attempts"])
    if submission.attempts >= MOST_ATTEMPTS:
        _end(submission, SubmissionState.FAILED, reason=type(error).__name__, now=now)


@transaction.atomic
def release(*, submission: FormSubmission, actor: User, now: datetime) -> FormSubmission:
    """A person says that the answer is genuine: it becomes a lead. Raises :class:`AlreadyDecided`.

    What can't be used in it (a misspelt number) is left out and stays in the raw answer.
    """
    locked = _locked(submission, SubmissionState.QUARANTINED, SubmissionState.FAILED)
    locked.state, locked.decided_by, locked.reason = SubmissionState.RECEIVED, actor, ""
    locked.save(update_fields=["state", "decided_by", "reason"])
    return apply(submission_id=locked.pk, now=now) or locked


@transaction.atomic
def discard(*, submission: FormSubmission, actor: User, now: datetime) -> FormSubmission:
    """A person says that it is spam. Raises :class:`AlreadyDecided`; :func:`restore` takes it back."""
    locked = _locked(submission, SubmissionState.QUARANTINED, SubmissionState.FAILED)
    locked.state, locked.decided_by = SubmissionState.DISCARDED, actor
    locked.save(update_fields=["state", "decided_by"])
    return locked


@transaction.atomic
def restore(*, submission: FormSubmission, actor: User, now: datetime) -> FormSubmission:
    """Back into quarantine. Raises :class:`AlreadyDecided`."""
    locked = _locked(submission, SubmissionState.DISCARDED)
    locked.state, locked.decided_by = SubmissionState.QUARANTINED, actor
    locked.save(update_fields=["state", "decided_by"])
    return locked


def _locked(submission: FormSubmission, *states: SubmissionState) -> FormSubmission:
    locked = FormSubmission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
    if locked.state not in states:
        raise AlreadyDecided(_("Somebody has decided about this answer already."))
    return locked


def _end(submission: FormSubmission, state: SubmissionState, *, reason: str, now: datetime) -> FormSubmission:
    submission.state, submission.reason, submission.applied_at = state, reason[:300], now
    submission.save(update_fields=["state", "reason", "applied_at", "person", "lead", "made_lead"])
    return submission
