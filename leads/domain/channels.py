"""From source, medium, campaign and referrer (or a word in a spreadsheet) to the channel's code, by default.

The rules themselves stand in ``channel_rules``; an installation may change them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from leads.domain.channel_rules import DEFAULTS, OTHER, Traffic, channel_of, traffic_of
from leads.domain.sites import kind_of_site
from leads.domain.urls import host_of

UNKNOWN = "unknown"

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


@lru_cache(maxsize=16_384)
def classify(source: str = "", medium: str = "", campaign: str = "", referrer: str = "") -> str:
    """The channel of a visit by the default rules. Without any trace it is direct.

    Source and medium (from utm parameters or a click id) go before the referrer, a URL.
    """
    traffic = traffic_of(source=source, medium=medium, campaign=campaign, referrer=referrer)
    return channel_of(DEFAULTS, traffic)


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
        return channel_of(DEFAULTS, Traffic(plain if "://" not in plain else host_of(plain), ""))
    return UNKNOWN if not _NOT_ALPHANUMERIC.sub("", plain) else OTHER
