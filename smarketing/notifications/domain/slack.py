"""The incoming-webhook format of Slack, which Mattermost, Rocket.Chat and others understand too.

A message is ``{"text": …}`` with ``&``, ``<`` and ``>`` escaped, so that nobody's name can call a whole
channel or pretend to be a link.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LONGEST = 3000
_SIMPLE = (str, int, float, bool)


def escaped(text: str) -> str:
    """``text`` as Slack shows it literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message(*, label: str, text: str, payload: Mapping[str, Any], url: str, link_label: str) -> bytes:
    """The body of one message: what happened in bold, then the words for people or else the values."""
    words = text or ", ".join(
        f"{name}: {value}" for name, value in payload.items() if isinstance(value, _SIMPLE) and value != ""
    )
    lines = [f"*{escaped(label)}*", escaped(words)[:LONGEST]]
    if url:
        lines.append(f"<{url}|{escaped(link_label)}>")
    return json.dumps({"text": "\n".join(line for line in lines if line)}).encode()
