"""What must hold of users, tokens and remembered requests."""

from __future__ import annotations

from smarketing.core.invariants import Invariant

ALL = (
    Invariant(
        "I-20",
        "No remembered request is committed without its answer",
        "SELECT id, user_id, created_at FROM users_idempotentrequest"
        " WHERE status IS NULL OR response IS NULL",
    ),
    Invariant(
        "I-29",
        "A token is kept as a digest of 32 bytes, never as itself",
        "SELECT id, prefix FROM users_apitoken WHERE octet_length(digest) <> 32 OR name LIKE 'sm\\_%\\_%'",
    ),
)
