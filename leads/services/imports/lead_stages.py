"""What a file calls how far a lead has come, as stage codes: the organisation's own words, then others'.

Stages belong to the funnel, which registers what the organisation calls them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from leads.domain.values import BadValue
from leads.services.imports.cells import Reader, Setting, remembered

# Code and name of each stage that a file may name, in the order in which they are told.
OwnStages = Callable[[], Sequence[tuple[str, str]]]

# HubSpot's lifecycle stages and lead statuses, Salesforce's lead statuses, and plain words, folded to
# letters and digits.
_WORDS = {
    "lead": "visitor subscriber lead new open opennotcontacted notcontacted raw inquiry enquiry prospect"
    " contacted working workingcontacted attempted attemptedtocontact connected inprogress other assigned",
    "mql": "mql marketingqualified marketingqualifiedlead sal salesaccepted salesacceptedlead",
    "sql": "sql salesqualified salesqualifiedlead qualified",
    "opportunity": "opportunity opendeal converted closedconverted",
    "customer": "customer evangelist won closedwon client",
    "nurture": "nurture nurturing badtiming onhold",
    "recycled": "recycled recycle",
    "disqualified": "disqualified unqualified notqualified junk spam closednotconverted notconverted dead"
    " invalid",
    "lost": "lost closedlost",
}
_MEANING = {word: code for code, words in _WORDS.items() for word in words.split()}
# A lap ends with these.
ENDS = ("customer", "lost", "disqualified", "recycled")


_own: list[OwnStages] = []


def register(*, own: OwnStages) -> None:
    """Tell which stages the organisation has. Called from ``wiring.connect`` only."""
    _own[:] = [own]


def reader(*, setting: Setting) -> Reader:
    """A stage code, from a code or a name of the organisation, else from a word of another system.

    A word that means none is a fault of its row: placed in a wrong stage a lead would be lost from view.
    """
    own = [stage for stages in _own for stage in stages()]
    meaning = {**_MEANING, **{_folded(code): code for code, _name in own}}
    meaning |= {_folded(name): code for code, name in own if _folded(name)}
    known = ", ".join(name for _code, name in own)

    def read(text: str) -> str:
        code = meaning.get(_folded(text))
        if code is None:
            raise BadValue(f"is “{text[:40]}”, which is no stage here; there are {known}")
        return code

    return remembered(read=read)


def _folded(text: str) -> str:
    """Letters and digits only, without regard to case."""
    return re.sub(r"[\W_]+", "", text).casefold()
