"""What an agreement says beside its clauses: roles, where to find what, words, a plan of action.

It is part of the text that both sides sign. A word may be bound to a metric or a stage, so that its
meaning is shown wherever that metric or stage appears.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from sla.domain.metrics import METRICS

MOST_ENTRIES = 60
LONGEST_LINE = 200
LONGEST_TEXT = 2000
SIDES = ("marketing", "sales")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend, by its dotted path ("glossary.0.term")."""

    field: str
    code: str
    detail: str


class AnnexInvalid(ValueError):
    """The annex can't be used; ``faults`` names each place."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


def parse(data: object, *, stages: frozenset[str]) -> dict[str, list[dict[str, str]]]:
    """The canonical annex: known parts only, texts trimmed, empty parts left out. Raises AnnexInvalid."""
    faults: list[Fault] = []
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise AnnexInvalid([Fault("annex", "not_an_object", "The annex must be an object.")])
    checks = _checks(stages)
    for name in sorted(set(map(str, data)) - set(PARTS)):
        faults.append(Fault(f"annex.{name}", "unknown", "There is no such part of an agreement."))
    found: dict[str, list[dict[str, str]]] = {}
    for part, members in PARTS.items():
        entries = data.get(part, [])
        if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
            detail = f"Send a list of at most {MOST_ENTRIES} entries."
            faults.append(Fault(f"annex.{part}", "not_a_list", detail))
            continue
        read = [
            _entry(f"annex.{part}.{i}", entry, members, checks, faults) for i, entry in enumerate(entries)
        ]
        if read:
            found[part] = read
    terms = [entry.get("term", "").casefold() for entry in found.get("glossary", [])]
    for i, term in enumerate(terms):
        if term in terms[:i]:
            faults.append(Fault(f"annex.glossary.{i}.term", "twice", "This word is explained already."))
    if faults:
        raise AnnexInvalid(faults)
    return found


# The members of each part: name → (longest, needed).
PARTS: Mapping[str, Mapping[str, tuple[int, bool]]] = {
    "roles": {
        "side": (12, True),
        "title": (LONGEST_LINE, True),
        "who": (LONGEST_LINE, False),
        "duties": (LONGEST_TEXT, True),
    },
    "links": {"title": (LONGEST_LINE, True), "url": (LONGEST_TEXT, True)},
    "glossary": {"term": (LONGEST_LINE, True), "meaning": (LONGEST_TEXT, True), "bound_to": (60, False)},
    "plan": {"what": (LONGEST_TEXT, True), "owner": (LONGEST_LINE, True), "due": (10, True)},
}
_Check = Callable[[str], str]


def _checks(stages: frozenset[str]) -> Mapping[str, _Check]:
    bindings = {f"metric:{key}" for key in METRICS} | {f"stage:{code}" for code in stages}
    return {
        "side": lambda text: "" if text in SIDES else "Choose marketing or sales.",
        "url": _check_url,
        "due": _check_date,
        "bound_to": lambda text: (
            "" if not text or text in bindings else "Bind it to a metric or a stage, or to nothing."
        ),
    }


def _entry(
    path: str,
    entry: object,
    members: Mapping[str, tuple[int, bool]],
    checks: Mapping[str, _Check],
    faults: list[Fault],
) -> dict[str, str]:
    if not isinstance(entry, Mapping):
        faults.append(Fault(path, "not_an_object", "An entry must be an object."))
        return {}
    for name in sorted(set(map(str, entry)) - set(members)):
        faults.append(Fault(f"{path}.{name}", "unknown", "There is no such part of an entry."))
    read = {}
    for name, (longest, needed) in members.items():
        value = entry.get(name, "")
        if not isinstance(value, str) or len(value) > longest or "\x00" in value:
            faults.append(Fault(f"{path}.{name}", "too_long", f"Write at most {longest} characters."))
            continue
        text = value.strip()
        if needed and not text:
            faults.append(Fault(f"{path}.{name}", "required", "This may not be empty."))
        elif name in checks and (detail := checks[name](text)):
            faults.append(Fault(f"{path}.{name}", "not_allowed", detail))
        read[name] = text
    return read


def _check_url(text: str) -> str:
    """A path of this installation or an address of the web; nothing that runs when it is clicked."""
    if text.startswith("/") and not text.startswith(("//", "/\\")):
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    good = parts.scheme in ("http", "https") and bool(parts.hostname)
    return "" if good else "Give an address that begins with https:// or a path that begins with /."


def _check_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return "Write the day like 2026-12-31."
    return ""
