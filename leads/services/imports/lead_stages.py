"""What other systems call how far a lead has come, as stage codes of the funnel."""

from __future__ import annotations

import re

from leads.services.imports.cells import LeaveOut, Reader, Setting, remembered

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


def reader(*, setting: Setting) -> Reader:
    """A stage code; a word that means none is left out, for statuses are many and no fault of a row."""

    def read(text: str) -> str:
        code = _MEANING.get(re.sub(r"[\W_]+", "", text).casefold())
        if code is None:
            raise LeaveOut(f"is “{text[:40]}”, which is no stage here")
        return code

    return remembered(read=read)
