"""Keyed hashes by which an address is recognised that must not be kept in clear.

A plain hash of an e-mail address or phone number is undone by trying all of them; with a key that
stands outside the database it is not. The same address gives the same hash for as long as the key
lives, so the key is never turned over with the others.
"""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def keyed_hash(kind: str, value: str, key: str) -> str:
    """HMAC-SHA256 of a value in normal form, as 64 hex digits; ``kind`` keeps kinds apart."""
    return hmac.new(key.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def network_of(address: str) -> str:
    """The network an IP address belongs to: its first 24 (IPv4) or 48 bits (IPv6); "" if it is none."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    plain: IPv4Address | IPv6Address = mapped or found
    return str(ip_network((plain, 24 if plain.version == 4 else 48), strict=False))
