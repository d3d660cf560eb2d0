"""The first things every request meets: whom to believe about its sender, how much it may send."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


_NO_DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class TrustedAddress:
    """``REMOTE_ADDR`` becomes the client's address; headers of strangers about it are dropped.

    ``TRUSTED_PROXIES`` lists networks. From the right, the first address of ``X-Forwarded-For`` that
    is not one of them is the client; only a trusted neighbour is asked at all.
    """

    def __init__(self) -> None:
        self.trusted = [ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]

    def settle(self, meta: dict[str, Any]) -> None:
        """Set the address in a WSGI environment. A second time changes nothing."""
        neighbour = _address(meta.get("REMOTE_ADDR", ""))
        if neighbour is None or not self._trusts(neighbour):
            for name in _FORWARDED:
                meta.pop(name, None)
        else:
            meta["REMOTE_ADDR"] = str(self._client(meta.get("HTTP_X_FORWARDED_FOR", ""), neighbour))

    def _client(self, header: str, neighbour: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
        client = neighbour
        for text in reversed(header.split(",")):
            address = _address(text)
            if address is None:
                break
            client = address
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.trusted if network.version == address.version)


class ClientAddress:
    """Settles who the client is, before anything else; see :class:`TrustedAddress`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.address = TrustedAddress()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self.address.settle(request.META)
        return self.get_response(request)


class Limits:
    """Refuses bodies that are too large or lie about their length; adds headers to every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        response: HttpResponseBase
        if not (length.isascii() and length.isdigit()):
            response = HttpResponse(
                "Content-Length is not a number.\n", status=400, content_type="text/plain"
            )
        elif len(length) > 15 or int(length) > settings.MAX_BODY_BYTES:
            text = f"Send at most {settings.MAX_BODY_BYTES} bytes at a time.\n"
            response = HttpResponse(text, status=413, content_type="text/plain")
        else:
            response = self.get_response(request)
        response.setdefault("Permissions-Policy", _NO_DEVICES)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
