"""Campaign tags and click ids in links."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

UTM = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "utm_source_platform",
    "utm_creative_format",
    "utm_marketing_tactic",
)
CLICK_IDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "fbclid",
    "li_fat_id",
    "ttclid",
    "twclid",
)
_MAX_TAG = 255
_MAX_PARAMETERS = 200
_KNOWN = frozenset((*UTM, *CLICK_IDS))
_CLICKS = frozenset(CLICK_IDS)


def campaign_of(context: Mapping[str, Any], *, search: str = "", url: str = "") -> dict[str, str]:
    """Tags by their names in links: those of the query string, then what ``context`` says, which goes first.

    ``context`` has the names of ``context.campaign`` ("name" is utm_campaign). utm_* are trimmed and
    lower-case; click ids keep their case, which is part of them. Empty ones are left out.
    """
    query = search or (url.split("#", 1)[0].partition("?")[2])
    found = dict(_from_query(query.lstrip("?"))) if query else {}
    for key, value in context.items():
        name = _name_in_links(str(key).strip().lower())
        if name in _KNOWN and isinstance(value, str | int) and not isinstance(value, bool):
            _put(found, name, str(value), overrule=True)
    return found


def _name_in_links(key: str) -> str:
    if key == "name":
        return "utm_campaign"
    return key if key in _KNOWN else f"utm_{key}"


@lru_cache(maxsize=2048)
def _from_query(query: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, errors="replace", max_num_fields=_MAX_PARAMETERS)
    except ValueError:  # more parameters than any link has
        return found
    for key, value in pairs:
        name = key.strip().lower()
        if name in _KNOWN:
            _put(found, name, value, overrule=False)
    return found


def _put(found: dict[str, str], name: str, value: str, *, overrule: bool) -> None:
    text = value.replace("\x00", "\ufffd").strip()[:_MAX_TAG]
    if text and (overrule or name not in found):
        found[name] = text if name in _CLICKS else text.lower()
