"""Readers of cells that only deals and products have."""

from __future__ import annotations

import re

from funnel.models import LostReason
from leads.domain import identities, values
from leads.services.imports.cells import Reader, Setting, remembered

# Words of other systems for why a deal was lost, folded to letters and digits.
_REASONS = {
    word: code
    for code, words in {
        LostReason.PRICE: "price tooexpensive expensive cost pricing",
        LostReason.COMPETITOR: "competitor losttocompetitor competition boughtelsewhere",
        LostReason.NO_DECISION: "nodecision nodecisionnonresponsive unresponsive noresponse stalled",
        LostReason.NO_BUDGET: "nobudget lostfunding budget nobudgetlostfunding",
        LostReason.MISSING_FEATURE: "missingfeature missingfeatures feature productgap",
        LostReason.TIMING: "timing badtiming postponed notnow",
        LostReason.UNKNOWN: "unknown other nottold",
    }.items()
    for word in words.split()
}


def product(*, setting: Setting) -> Reader:
    """A product's name and the key it is found by."""

    def read(text: str) -> tuple[str | None, str | None]:
        found = values.line(text)
        if len(found) > 200:
            raise values.BadValue("is longer than 200 characters")
        if not found:
            return None, None
        return found, identities.product_key(found) or found.casefold()

    return remembered(read=read)


def lost_reason(*, setting: Setting) -> Reader:
    """A reason of ours and, where the words are others, these as a note."""

    def read(text: str) -> tuple[str, str | None]:
        found = values.line(text)
        code = _REASONS.get(re.sub(r"[\W_]+", "", found).casefold())
        return (str(code), None) if code else (str(LostReason.UNKNOWN), found)

    return remembered(read=read)
