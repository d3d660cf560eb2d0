"""From source, medium, campaign and referrer (or a word in a spreadsheet) to the channel's code.

The rules are the default channel grouping of Google Analytics 4 in its order, first match wins, with "AI
assistant" (May 2026) before the organic rules. ``cpm`` also counts as paid, so a known search, social, video
or shopping site with it is that paid channel and only others are display.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from leads.domain.sites import AI, SEARCH, SHOPPING, SOCIAL, VIDEO, kind_of_site

UNKNOWN = "unknown"
OTHER = "other"

_PAID = re.compile(r"^(.*cp.*|ppc|retargeting|paid.*)$")
_SHOP_CAMPAIGN = re.compile(r"^(.*(([^a-df-z]|^)shop|shopping).*)$")
_NO_MEDIUM = frozenset({"", "(none)", "(not set)", "none"})
_NO_SOURCE = frozenset({"", "(direct)", "direct", "(not set)"})
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL_MEDIUM = frozenset(
    {"social", "social-network", "social-media", "sm", "social network", "social media"}
)
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})
_REFERRAL = frozenset({"referral", "app", "link"})
_AI_MEDIUM = frozenset({"ai-assistant", "ai_assistant", "ai assistant"})

# Words people and other systems write into "lead source", folded to letters and digits.
_WORDS = {
    "direct": "direct directtraffic typein",
    "organic_search": "organicsearch organic seo naturalsearch searchengine websearch",
    "paid_search": "paidsearch ppc cpc sem adwords googleads googleadwords bingads searchads",
    "ai_assistant": "aiassistant aireferrals aireferral ai",
    "organic_social": "social socialmedia organicsocial socialnetwork",
    "paid_social": "paidsocial facebookads fbads metaads linkedinads socialads instagramads",
    "organic_video": "video organicvideo youtubechannel",
    "paid_video": "paidvideo videoads youtubeads",
    "organic_shopping": "organicshopping",
    "paid_shopping": "paidshopping shoppingads",
    "display": "display banner bannerads displayads retargeting remarketing",
    "cross_network": "crossnetwork performancemax pmax",
    "paid_other": "paid paidother advertisement advertising ads ad digitaladvertisement paidmedia",
    "audio": "audio podcast",
    "email": "email emailmarketing emailcampaign newsletter mailing edm emails",
    "sms": "sms textmessage whatsapp",
    "push": "push pushnotification mobilepush",
    "referral": "referral referrals referralsites referralsite website referrer",
    "affiliates": "affiliate affiliates",
    "partner": "partner partners reseller channelpartner partnerreferral seminarpartner",
    "recommendation": "recommendation recommendations wordofmouth reference customerreferral employeereferral"
    " externalreferral throughrecommendations friend",
    "event": "event events tradeshow conference webinar seminar seminarinternal exhibition fair"
    " workshop meetup",
    "pr": "pr press publicrelations pressrelease media newspaperarticle",
    "outbound": "outbound coldcall coldcalling coldemail purchasedlist list prospecting salesprospecting sdr"
    " bdr salesoutreach",
    "phone": "phone phoneinquiry phonecall telephone inboundcall callin click2call",
    "offline": "offline offlinesources print radio tv billboard magazine newspaper directmail walkin flyer",
    "unknown": "unknown na none notset notavailable unspecified unassigned undefined null select",
}
_BY_WORD = {word: code for code, words in _WORDS.items() for word in words.split()}
# The word "website" names a form on our own site, not the road that led to it.
_BY_WORD["website"] = OTHER
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def classify(source: str = "", medium: str = "", campaign: str = "", referrer: str = "") -> str:
    """The channel of a visit. Without any trace it is direct.

    Source and medium (from utm parameters or a click id) go before the referrer, a URL.
    """
    src, med, camp = source.strip().lower(), medium.strip().lower(), campaign.strip().lower()
    if src in _NO_SOURCE and med in _NO_MEDIUM and "cross-network" not in camp:
        host = host_of(referrer)
        if not host:
            return "direct"
        src, med = host, _medium_of(host)
    return _grouped(src, med, camp)


def _medium_of(host: str) -> str:
    return {SEARCH: "organic", AI: "ai-assistant"}.get(kind_of_site(host), "referral")


@lru_cache(maxsize=16_384)
def _grouped(source: str, medium: str, campaign: str) -> str:
    site = kind_of_site(source)
    paid = _PAID.match(medium) is not None
    shopping = site == SHOPPING or _SHOP_CAMPAIGN.match(campaign) is not None
    rules = (
        ("cross_network", "cross-network" in campaign),
        ("paid_shopping", shopping and paid),
        ("paid_search", site == SEARCH and paid),
        ("paid_social", site == SOCIAL and paid),
        ("paid_video", site == VIDEO and paid),
        ("display", medium in _DISPLAY),
        ("paid_other", paid),
        ("ai_assistant", medium in _AI_MEDIUM or campaign == "(ai-assistant)" or site == AI),
        ("organic_shopping", shopping),
        ("organic_social", site == SOCIAL or medium in _SOCIAL_MEDIUM),
        ("organic_video", site == VIDEO or "video" in medium),
        ("organic_search", site == SEARCH or medium == "organic"),
        ("referral", medium in _REFERRAL),
        ("email", source in _EMAIL or medium in _EMAIL),
        ("affiliates", medium in {"affiliate", "affiliates"}),
        ("audio", medium == "audio"),
        ("sms", source == "sms" or medium == "sms"),
        (
            "push",
            medium.endswith("push") or "mobile" in medium or "notification" in medium or source == "firebase",
        ),
    )
    return next((code for code, applies in rules if applies), OTHER)


@lru_cache(maxsize=16_384)
def from_origin(text: str) -> str | None:
    """The channel of a word like "paid_search", "Trade Show", "google / cpc" or "Facebook".

    None for a blank: nobody said anything. "unknown" for words that say so; the two stay apart.
    "other" for what is not recognised.
    """
    plain = text.strip().lower()
    if not plain:
        return None
    code = _BY_WORD.get(_NOT_ALPHANUMERIC.sub("", plain))
    if code is not None:
        return code
    if " / " in plain:
        source, _, medium = plain.partition(" / ")
        return classify(source, medium)
    site = kind_of_site(host_of(plain) or plain)
    if site:
        return _grouped(plain if "://" not in plain else host_of(plain), "", "")
    return UNKNOWN if not _NOT_ALPHANUMERIC.sub("", plain) else OTHER


def host_of(url: str) -> str:
    """The host of a URL in lower case without ``www.``; "" when there is none."""
    if "://" not in url:
        return ""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    return host.lower().rstrip(".").removeprefix("www.")
