"""What changes from one version of a definition to the next, sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence: the part it stands in, what it is about (stable while it is reworded), its text."""

    part: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One sentence that differs; ``before`` or ``after`` is empty where there is none."""

    change: Change
    part: str
    before: str
    after: str


def between(old: Sequence[Said], new: Sequence[Said]) -> list[Changed]:
    """The sentences of ``new`` that are new or other than in ``old``, in order, then those that are gone.

    A sentence is held to be the same rule when it says the same in the same part, else when part and key
    agree; each is paired once.
    """
    left = list(old)
    pairs: dict[int, Said] = {}
    for alike in (_says_the_same, _is_about_the_same):
        for i, said in enumerate(new):
            found = None if i in pairs else next((k for k, o in enumerate(left) if alike(o, said)), None)
            if found is not None:
                pairs[i] = left.pop(found)
    told: list[Changed] = []
    for i, said in enumerate(new):
        before = pairs.get(i)
        if before is None:
            told.append(Changed("added", said.part, "", said.text))
        elif before.text != said.text:
            told.append(Changed("changed", said.part, before.text, said.text))
    return told + [Changed("removed", said.part, said.text, "") for said in left]


def _says_the_same(old: Said, new: Said) -> bool:
    return (old.part, old.text) == (new.part, new.text)


def _is_about_the_same(old: Said, new: Said) -> bool:
    return (old.part, old.key) == (new.part, new.key)
