"""When two writings mean the same: keys for companies and products, and free-mail domains.

Keys are for finding; what was written is kept beside them. A company's key leaves out the legal form: for
sales and marketing "Acme", "Acme Inc." and "Acme GmbH" are one account, and the other choice fills every
list with doubles. Where two legal entities must stay apart they have different external ids or domains,
which are asked first.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_KEY = 255
_LEGAL_FORMS = """
ab ag aps as asa bhd bv co company corp corporation cv dd doo eg eireli ek eurl ev gk gmbh inc
incorporated jsc kft kg kgaa kk lc lda limited llc llp lp ltd ltda ltee mbh me nv oao ohg ooo oy oyj plc
pllc private pte pty pvt sa sarl sas sdn se sl slu snc spa sprl spzoo srl sro sàrl ug vof zao zrt
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
# Two words that together are a legal form ("Sp. z o.o." folds to "sp z oo").
LEGAL_TAILS = (
    ("sp", "z", "oo"),
    ("gmbh", "and", "co", "kg"),
    ("and", "co", "kg"),
    ("and", "co"),
    ("d", "oo"),
)

_FREE_MAIL = """
126.com 163.com abv.bg aim.com alice.it aol.com arcor.de att.net bellsouth.net bigpond.com bk.ru
bluewin.ch bol.com.br btinternet.com charter.net comcast.net cox.net daum.net email.com email.cz
fastmail.com foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com
hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it i.ua icloud.com
ig.com.br inbox.ru interia.pl kpnmail.nl laposte.net libero.it list.ru live.co.uk live.com live.fr live.nl
mac.com mail.com mail.ru me.com msn.com naver.com ntlworld.com o2.pl onet.pl optusnet.com.au orange.fr
outlook.com outlook.de outlook.fr pm.me proton.me protonmail.com qq.com rambler.ru rediffmail.com
rocketmail.com rogers.com sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com sympatico.ca t-online.de
talktalk.net terra.com.br tin.it tiscali.it tuta.io tutanota.com ukr.net uol.com.br verizon.net
virgilio.it virginmedia.com wanadoo.fr web.de wp.pl xtra.co.nz ya.ru yahoo.co.in yahoo.co.jp yahoo.co.uk
yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com ziggo.nl
zoho.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())

_INNER = re.compile(r"[.'’`´]")
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


@lru_cache(maxsize=65_536)
def company_key(name: str) -> str:
    """The name as companies are compared: folded case, no punctuation, no legal form at the end.

    A name that is nothing but a legal form stays. At most 255 characters; "" for a blank name.
    """
    plain = unicodedata.normalize("NFKC", name).casefold().replace("&", " and ").replace("+", " and ")
    words = _PUNCTUATION.sub(" ", _INNER.sub("", plain)).split()
    while len(words) > 1:
        tail = next((t for t in LEGAL_TAILS if len(words) > len(t) and tuple(words[-len(t) :]) == t), None)
        if tail is not None:
            del words[-len(tail) :]
        elif words[-1] in LEGAL_FORMS:
            del words[-1]
        else:
            break
    return " ".join(words)[:MAX_KEY]


@lru_cache(maxsize=4096)
def product_key(name: str) -> str:
    """The name as products are compared: letters and digits only, so "GTXPro" is "GTX Pro"."""
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", name).casefold())[:200]


@lru_cache(maxsize=65_536)
def person_name_key(name: str) -> str:
    """A person's (or owner's) name as it is compared: folded case and spaces, without marks on letters."""
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(_PUNCTUATION.sub(" ", bare.casefold()).split())


def email_domain(email: str) -> str:
    """The part after the last @ in lower case; "" without one."""
    return email.rpartition("@")[2].casefold() if "@" in email else ""


def is_free_mail(email_or_domain: str) -> bool:
    """Is the address (or domain) one of a mail provider rather than of a company?"""
    return (email_domain(email_or_domain) or email_or_domain.casefold()) in FREE_MAIL


def company_domain(email: str) -> str:
    """The domain that names the company behind an address; "" for free mail."""
    domain = email_domain(email)
    return "" if domain in FREE_MAIL else domain
