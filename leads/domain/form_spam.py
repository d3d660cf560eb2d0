"""Is an answer to a form the work of a program? Doubt leads to quarantine, never to loss."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

TRAP = "trap"
TOO_FAST = "too_fast"
REPEATED = "repeated"
LINKS = "links"
INVALID = "invalid"

# So often may the same words come from different networks within an hour before it looks like a machine.
MOST_REPEATS = 3
MOST_LINKS = 3
_LINK = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known about one answer.

    ``seconds`` passed since the form was shown (``None``: it was not one of ours), ``repeats`` is how
    often the same words came lately.
    """

    trap_filled: bool
    seconds: float | None
    least_seconds: int
    repeats: int
    texts: Iterable[str]


def verdict(signs: Signs) -> str:
    """Why the answer goes into quarantine, as a code; "" when nothing speaks against it."""
    if signs.trap_filled:
        return TRAP
    if signs.seconds is not None and signs.seconds < signs.least_seconds:
        return TOO_FAST
    if signs.repeats >= MOST_REPEATS:
        return REPEATED
    if sum(len(_LINK.findall(text)) for text in signs.texts) > MOST_LINKS:
        return LINKS
    return ""
