"""Which messages are not a visitor's: robots, and colleagues on their own site.

A message is dropped for one named reason, and every drop is counted. Programs that send on behalf of visitors
(the server SDKs) and browsers that are driven by tests or screens on walls are no robots: a robot is what
looks at pages by itself.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from crawlerdetect import CrawlerDetect

from leads.domain.tracking import Message
from leads.domain.urls import host_of

ROBOT, INTERNAL_NETWORK, INTERNAL_HOST = "robot", "internal_network", "internal_host"
REASONS = (ROBOT, INTERNAL_NETWORK, INTERNAL_HOST)
# How the HTTP clients of servers name themselves; their calls are about visitors, not by them.
_CLIENTS = re.compile(
    r"^(analytics[-/]|segment|rudder|python|aiohttp|httpx|node|undici|axios|got/|go-http|okhttp|java/|jakarta|"
    r"apache-httpclient|ruby|faraday|php|guzzle|dart|curl/|dotnet|analytics\.net|smarketing)",
    re.IGNORECASE,
)
# What a list of names lags behind: a robot that is honest gives its address, or says what it does.
_HONEST = re.compile(
    r"\+\s?https?:|[;(]\s?https?://|compatible;(?!\s?(msie|konqueror))|\b(scann(er|ing)|monitor|synthetic|webhook|"
    r"prefetch|scraping|web-archiving)\b",
    re.IGNORECASE,
)
_DRIVEN = re.compile(r"Headless(?=Chrome)")
_detect = CrawlerDetect()
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Rules:
    """The networks of the organisation and the hosts that are no public site (patterns of file names)."""

    networks: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()


def reason(message: Message, rules: Rules) -> str:
    """Why the message is dropped; "" for a visitor's."""
    if message.user_agent and is_robot(message.user_agent):
        return ROBOT
    if message.network and rules.networks and _inside(message.network, rules.networks):
        return INTERNAL_NETWORK
    if rules.hosts and message.page.url:
        host = host_of(message.page.url)
        if host and any(fnmatchcase(host, pattern) for pattern in rules.hosts):
            return INTERNAL_HOST
    return ""


@lru_cache(maxsize=16_384)
def is_robot(user_agent: str) -> bool:
    """Whether a browser's name is one of the known crawlers, monitors and preview makers."""
    if _CLIENTS.match(user_agent):
        return False
    name = _DRIVEN.sub("", user_agent)
    return _HONEST.search(name) is not None or bool(_detect.isCrawler(name))


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks as people write them ("203.0.113.7", "10.0.0.0/8"). Raises ValueError naming the wrong one."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            raise ValueError(text) from None
    return tuple(found)


@lru_cache(maxsize=16_384)
def _inside(network: str, networks: tuple[Network, ...]) -> bool:
    """Whether they touch: only the /24 or /48 of an address is kept, so one address stands for all of it."""
    try:
        seen = ipaddress.ip_network(network)
    except ValueError:
        return False
    return any(seen.version == known.version and seen.overlaps(known) for known in networks)
