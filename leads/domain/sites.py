"""What kind of site a traffic source is: search engine, social network, video, shop, AI assistant.

A source is written as a name ("google"), a host ("m.facebook.com") or an app ("com.linkedin.android"). A name
in the lists matches the label before the ending of a host, so that country domains need no entry of their
own; hosts whose name says nothing ("t.co") are listed whole. Services of a portal ("blog.naver.com") are told
by their label: its mail or maps are no search.
"""

from __future__ import annotations

from functools import lru_cache

SEARCH, SOCIAL, VIDEO, SHOPPING, AI = "search", "social", "video", "shopping", "ai"

_HOSTS = {
    SEARCH: "search.brave.com r.search.yahoo.com search.yahoo.com m.search.naver.com search.naver.com"
    " cn.bing.com go.mail.ru isearch.babylon.com search.aol.com alltheweb.com 360.cn so.com",
    SOCIAL: "t.co x.com lnkd.in fb.me fb.com l.wl.co vk.com ok.ru out.reddit.com redd.it threads.net bsky.app"
    " wa.me t.me telegram.org news.ycombinator.com groups.google.com plus.google.com plus.url.google.com"
    " sites.google.com stackoverflow.com workplace.com dev.to ig.me",
    VIDEO: "youtu.be dai.ly disneyplus.com viki.com iqiyi.com",
    SHOPPING: "shop.app amzn.to a.co m.alibaba.com shopping.google.com",
    AI: "gemini.google.com bard.google.com copilot.microsoft.com edgeservices.bing.com chat.mistral.ai"
    " meta.ai poe.com you.com pi.ai",
}
_NAMES = {
    AI: "chatgpt openai perplexity claude anthropic gemini copilot deepseek grok mistral",
    SEARCH: "google bing yahoo duckduckgo ecosia baidu yandex naver daum seznam sogou startpage qwant"
    " ask aol lycos dogpile kvasir virgilio onet rakuten biglobe terra avg babylon incredimail centrum"
    " conduit comcast cnn eniro mamma msn najdi szukacz tut wp auone goo"
    " presearch swisscows metager mojeek kagi",
    SOCIAL: "facebook instagram linkedin twitter reddit pinterest tiktok snapchat tumblr quora xing threads"
    " mastodon bluesky whatsapp telegram discord slack meetup medium wechat weibo vkontakte odnoklassniki"
    " myspace flickr foursquare hootsuite ning livejournal blogger blogspot wordpress stackexchange yelp"
    " tripadvisor trustpilot glassdoor goodreads deviantart disqus digg slashdot friendster line kakao",
    VIDEO: "youtube vimeo dailymotion twitch netflix hulu wistia ted rutube bilibili youku disneyplus",
    SHOPPING: "amazon ebay etsy alibaba aliexpress walmart shopify mercadolibre mercadolivre shopzilla"
    " rakutenshop idealo pricegrabber bestbuy target otto zalando",
}
_BY_HOST = {host: kind for kind, hosts in _HOSTS.items() for host in hosts.split()}
_BY_NAME = {name: kind for kind, names in reversed(_NAMES.items()) for name in names.split()}

_SERVICES = {
    "shopping": SHOPPING,
    **dict.fromkeys(("blog", "cafe", "kin", "answers", "bookmarks", "chiebukuro"), SOCIAL),
    **dict.fromkeys(("messages", "pulse", "lifestream", "groups"), SOCIAL),
}
_SEARCH_LABELS = frozenset(
    {"www", "search", "msearch", "images", "image", "web", "suche", "encrypted", "lite"}
)


@lru_cache(maxsize=16_384)
def kind_of_site(source: str) -> str:
    """One of the kinds, or "" for a site that is none of them."""
    host = source.strip().lower().removeprefix("www.")
    if host in _BY_HOST:
        return _BY_HOST[host]
    if host in _BY_NAME:
        return _BY_NAME[host]
    labels = host.split(".")
    if len(labels) < 2 or " " in host:
        return ""
    for start in range(1, len(labels) - 1):
        parent = ".".join(labels[start:])
        if parent in _BY_HOST:
            return _BY_HOST[parent]
    if labels[0] in {"com", "org", "net"} and len(labels) > 2:
        return _BY_NAME.get(labels[1], "")
    # The name before the ending: google.de, google.co.uk; never a label further to the left, which
    # anybody can choose (google.example.com).
    position = len(labels) - 2
    if position > 0 and labels[position] in {"co", "com", "net", "org", "ac"}:
        position -= 1
    kind = _BY_NAME.get(labels[position], "")
    return _service(kind, labels[:position]) if kind == SEARCH else kind


def _service(kind: str, left: list[str]) -> str:
    """What a search engine's host is, by the labels left of its name."""
    for label in left:
        if label in _SERVICES:
            return _SERVICES[label]
        if len(label) > 2 and label not in _SEARCH_LABELS:
            return ""
    return kind
