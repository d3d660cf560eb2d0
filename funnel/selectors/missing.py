"""What the gate found missing, in words for people."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_KNOWN = {
    "person.name": gettext_lazy("the person's name"),
    "person.email": gettext_lazy("an e-mail address"),
    "person.phone": gettext_lazy("a phone number"),
    "person.title": gettext_lazy("the job title"),
    "person.country": gettext_lazy("the person's country"),
    "company.name": gettext_lazy("the company"),
    "company.employees": gettext_lazy("the number of employees"),
    "company.industry": gettext_lazy("the industry"),
}


def words(items: Iterable[str]) -> list[str]:
    """Each item of ``Handoff.missing`` as people say it."""
    return [_word(item) for item in items]


def _word(item: str) -> str:
    if item == "definition":
        return _("it has not met the definition")
    if item == "merged":
        return _("it goes on as another lead of the same person")
    if item == "tombstone":
        return _("it is never delivered again")
    if item.startswith("exclusion "):
        return _("it is excluded: %(rule)s") % {"rule": _humane(item.removeprefix("exclusion "))}
    parts = [str(_KNOWN.get(path) or _humane(path.rpartition(".")[2])) for path in item.split(" or ")]
    return _(" or ").join(parts)


def _humane(key: str) -> str:
    return key.replace("_", " ").strip()
