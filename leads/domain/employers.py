"""From what was said about companies to periods of employment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from leads.domain.identities import company_key, email_domain, is_free_mail

STATED, GROUP, DOMAIN = "stated", "group", "domain"

# Addresses that are made to be thrown away; whoever uses one tells nothing of where they work. The list
# holds the providers that are met in forms, each with its best-known names; a new one costs a company
# named after it, which a colleague can remove.
_DISPOSABLE = """
10minutemail.com 10minutemail.net 20minutemail.com 33mail.com anonaddy.me anonbox.net burnermail.io
byom.de discard.email discardmail.com discardmail.de dispostable.com dropmail.me emailondeck.com
emailtemporanea.net fakeinbox.com fakemail.net filzmail.com getairmail.com getnada.com guerrillamail.biz
guerrillamail.com guerrillamail.de guerrillamail.net guerrillamail.org guerrillamailblock.com harakirimail.com
inboxbear.com inboxkitten.com incognitomail.com jetable.org mailcatch.com maildrop.cc maileater.com
mailexpire.com mailinator.com mailinator.net mailinator2.com mailnesia.com mailnull.com mailpoof.com
mailsac.com meltmail.com mintemail.com moakt.com mohmal.com mytemp.email mytrashmail.com nada.email
nwytg.net one-time.email owlymail.com pokemail.net sharklasers.com simplelogin.com smailpro.com spam4.me
spambog.com spamex.com spamgourmet.com spamhereplease.com tempail.com tempinbox.com temp-mail.io
temp-mail.org tempm.com tempmail.com tempmail.de tempmail.net tempmailaddress.com tempmailo.com tempr.email
throwawaymail.com trash-mail.com trashmail.com trashmail.de trashmail.io trashmail.me trashmail.net
wegwerfemail.de wegwerfmail.de wegwerfmail.net wegwerfmail.org yopmail.com yopmail.fr yopmail.net
"""
DISPOSABLE = frozenset(_DISPOSABLE.split())


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """Somebody (or their account) named the company that they belong to."""

    at: datetime
    event_id: UUID
    source: int
    key: str = ""  # its id in the source
    name: str = ""
    basis: str = STATED
    industry: str = field(default="", compare=False)
    employees: int | None = field(default=None, compare=False)

    @property
    def said(self) -> str:
        """What is compared: the id where there is one, else the folded name."""
        return f"id {self.source} {self.key}"[:400] if self.key else f"name {company_key(self.name)}"[:400]


@dataclass(frozen=True, slots=True)
class Period:
    """From the first statement of a company until the first of another one."""

    statement: Statement
    until: datetime | None


def periods(statements: Iterable[Statement]) -> list[Period]:
    """The employments that these statements tell of, in order; the same in every order of arrival."""
    runs: list[Statement] = []
    for statement in sorted(statements):
        if not runs or runs[-1].said != statement.said:
            runs.append(statement)
    ends = (statement.at for statement in runs[1:])
    return [Period(run, next(ends, None)) for run in runs]


def work_domain(email: str) -> str:
    """The domain behind an address that names a company; "" for free and disposable mail."""
    domain = email_domain(email)
    disposable = any(domain == name or domain.endswith(f".{name}") for name in DISPOSABLE)
    return "" if disposable or is_free_mail(domain) else domain
