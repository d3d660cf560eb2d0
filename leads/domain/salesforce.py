"""Ids of Salesforce: 15 characters in which case matters, or 18 of which the last three carry the case.

Reports export the short form, the API the long one; both are the same record.
"""

from __future__ import annotations

import re

# Key prefix, pod, and the reserved zeros that all known instances share: few other ids look like it.
_SHORT = re.compile(r"[0-9a-z][A-Za-z0-9]{4}000[A-Za-z0-9]{7}")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def is_id(text: str) -> bool:
    """Whether the text is an id of Salesforce, short or long with the right ending."""
    if not _SHORT.fullmatch(text[:15]):
        return False
    return len(text) == 15 or (len(text) == 18 and text[15:].upper() == _ending(text[:15]))


def long_id(text: str) -> str:
    """The form of 18 characters of a Salesforce id; any other text as it is."""
    if len(text) == 15 and _SHORT.fullmatch(text):
        return text + _ending(text)
    return text


def _ending(short: str) -> str:
    """One character for each five: bit n is set where the n-th of them is a capital."""
    return "".join(
        _ALPHABET[sum(1 << n for n, c in enumerate(short[start : start + 5]) if "A" <= c <= "Z")]
        for start in (0, 5, 10)
    )
