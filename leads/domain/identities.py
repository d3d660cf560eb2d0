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
LEGAL_FORMS = frozenset(
    {
        *("inc", "incorporated", "corp", "corporation", "co", "company", "llc", "lc", "llp", "lp", "ltd"),
        *(
            "limited",
            "plc",
            "pllc",
            "gmbh",
            "mbh",
            "ag",
            "kg",
            "kgaa",
            "ohg",
            "ug",
            "ek",
            "ev",
            "eg",
            "se",
            "sa",
        ),
        *("sas", "sarl", "sàrl", "eurl", "sprl", "bv", "nv", "cv", "vof", "srl", "spa", "snc", "sl", "slu"),
        *(
            "lda",
            "ltda",
            "eireli",
            "me",
            "oy",
            "oyj",
            "ab",
            "as",
            "asa",
            "aps",
            "doo",
            "dd",
            "sro",
            "kft",
            "zrt",
        ),
        *(
            "spzoo",
            "ooo",
            "oao",
            "zao",
            "pty",
            "pte",
            "pvt",
            "private",
            "bhd",
            "sdn",
            "kk",
            "gk",
            "jsc",
            "ltee",
        ),
    }
)
# Two words that together are a legal form ("Sp. z o.o." folds to "sp z oo").
LEGAL_TAILS = (
    ("sp", "z", "oo"),
    ("gmbh", "and", "co", "kg"),
    ("and", "co", "kg"),
    ("and", "co"),
    ("d", "oo"),
)

FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.es"),
        *(
            "yahoo.it",
            "yahoo.co.in",
            "yahoo.co.jp",
            "yahoo.com.br",
            "ymail.com",
            "rocketmail.com",
            "hotmail.com",
        ),
        *(
            "hotmail.co.uk",
            "hotmail.fr",
            "hotmail.de",
            "hotmail.it",
            "hotmail.es",
            "outlook.com",
            "outlook.de",
        ),
        *("outlook.fr", "live.com", "live.co.uk", "live.fr", "live.nl", "msn.com", "icloud.com", "me.com"),
        *("mac.com", "aol.com", "aim.com", "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de"),
        *(
            "t-online.de",
            "freenet.de",
            "arcor.de",
            "mail.com",
            "email.com",
            "proton.me",
            "protonmail.com",
            "pm.me",
        ),
        *(
            "tutanota.com",
            "tuta.io",
            "hey.com",
            "fastmail.com",
            "zoho.com",
            "yandex.com",
            "yandex.ru",
            "ya.ru",
        ),
        *(
            "mail.ru",
            "bk.ru",
            "inbox.ru",
            "list.ru",
            "rambler.ru",
            "qq.com",
            "163.com",
            "126.com",
            "sina.com",
        ),
        *(
            "foxmail.com",
            "naver.com",
            "daum.net",
            "hanmail.net",
            "rediffmail.com",
            "uol.com.br",
            "bol.com.br",
        ),
        *("terra.com.br", "libero.it", "virgilio.it", "alice.it", "tiscali.it", "orange.fr", "wanadoo.fr"),
        *(
            "free.fr",
            "laposte.net",
            "sfr.fr",
            "seznam.cz",
            "wp.pl",
            "o2.pl",
            "onet.pl",
            "interia.pl",
            "abv.bg",
        ),
        *(
            "bigpond.com",
            "optusnet.com.au",
            "xtra.co.nz",
            "shaw.ca",
            "rogers.com",
            "sympatico.ca",
            "comcast.net",
        ),
        *(
            "verizon.net",
            "att.net",
            "sbcglobal.net",
            "bellsouth.net",
            "cox.net",
            "charter.net",
            "btinternet.com",
        ),
        *(
            "sky.com",
            "virginmedia.com",
            "ntlworld.com",
            "talktalk.net",
            "bluewin.ch",
            "ziggo.nl",
            "kpnmail.nl",
        ),
    }
)

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
