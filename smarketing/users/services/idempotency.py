"""A POST with an ``Idempotency-Key`` happens once (reliability: REST idempotency).

The claim and the business write share the caller's transaction, so a crash leaves neither. Answers
with an error are not kept, because their transaction is rolled back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from smarketing.core import locks
from smarketing.core.errors import Conflict, Invalid
from smarketing.users.models import IdempotentRequest, User

KEEP = timedelta(hours=24)


class KeyInUse(Conflict):
    """The first request with this key has not finished yet."""

    code: ClassVar[str] = "idempotency_in_progress"
    title: ClassVar[str] = "The same request is being handled"


class KeyReused(Invalid):
    """The key came before with another request."""

    code: ClassVar[str] = "idempotency_key_reused"
    title: ClassVar[str] = "The key was used for another request"


@dataclass(frozen=True, slots=True)
class Claim:
    """Either a new request (``replay`` is ``None``) or the answer given before."""

    request: IdempotentRequest
    replay: dict[str, Any] | None


def claim(*, user: User, key: str, request_digest: bytes, now: datetime) -> Claim:
    """Reserve ``key`` in the caller's transaction, or return the first answer.

    Takes the advisory lock of the key without waiting. Raises :class:`KeyInUse`, :class:`KeyReused`.
    """
    if not locks.try_advisory(locks.Namespace.IDEMPOTENCY, _lock_key(user.pk, key)):
        raise KeyInUse("The first request with this Idempotency-Key is still running. Repeat it shortly.")
    known = IdempotentRequest.objects.filter(user=user, key=key).first()
    if known is None:
        made = IdempotentRequest.objects.create(
            user=user, key=key, request_digest=request_digest, created_at=now
        )
        return Claim(made, None)
    if bytes(known.request_digest) != request_digest:
        raise KeyReused("Use a new Idempotency-Key for a different request.")
    return Claim(known, known.response or {})


def finish(*, claim: Claim, status: int, response: dict[str, Any]) -> None:
    """Keep the answer of a claimed request; commits with the business write."""
    claim.request.status = status
    claim.request.response = response
    claim.request.save(update_fields=["status", "response"])


def forget_old(*, now: datetime, limit: int) -> int:
    """Delete answers older than a day; a loop."""
    old = IdempotentRequest.objects.filter(created_at__lt=now - KEEP).order_by("created_at")
    deleted, _ = IdempotentRequest.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:limit])
    ).delete()
    return deleted


def _lock_key(user_id: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{user_id}:{key}".encode()).digest()[:4], "big")
