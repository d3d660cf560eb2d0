"""The only outbound HTTP client.

An address that a user typed must not reach our own network (SSRF). Names are resolved once; every
address is checked after that, and the connection goes to the checked address, so that neither odd
notations, nor a name server that changes its mind, nor a redirect leads inside. Host header and TLS
name stay those of the address typed. An operator may allow networks (``OUTBOUND_NETWORKS``) and
ports (``OUTBOUND_PORTS``), and may prescribe a proxy by the usual environment variables.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings

from smarketing.core.errors import DomainError

TIMEOUT_SECONDS = 20.0
MAX_ANSWER_BYTES = 2 * 1024 * 1024
_MAX_URL = 2048
_Address = IPv4Address | IPv6Address

# Global by the standard library's book and yet ways inside: IPv4 in disguise, relays, site-local.
_REFUSED = tuple(
    ip_network(text)
    for text in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "fec0::/10",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)


class AddressRefused(DomainError):
    """The address may not be called from here, now or ever."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "address_refused"
    title: ClassVar[str] = "This address can't be used"


class Unreachable(Exception):
    """No answer: no such name, no connection, TLS trouble or too slow. A later try may succeed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` holds at most two megabytes; ``cut`` says that there was more."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    """A parsed address."""

    tls: bool
    host: str
    port: int
    path: str


def check_url(url: str) -> None:
    """Raise :class:`AddressRefused` for what is refused without asking a name server."""
    target = _parse(url)
    try:
        address = ip_address(target.host)
    except ValueError:
        _check_port(target, trusted=bool(_networks()))
        return
    _check(target, [address])


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """Send one request, follow nothing. Raises :class:`AddressRefused`, :class:`Unreachable`."""
    target = _parse(url)
    deadline = time.monotonic() + min(timeout_seconds, TIMEOUT_SECONDS)
    try:
        with _connection(target, deadline) as connection:
            connection.request(method, target.path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            data = answer.read(MAX_ANSWER_BYTES + 1)
            if time.monotonic() >= deadline:  # what was read may have been cut off by the watch
                raise TimeoutError
            return Answer(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.getheaders()},
                body=data[:MAX_ANSWER_BYTES],
                cut=len(data) > MAX_ANSWER_BYTES,
            )
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = "it took too long" if time.monotonic() >= deadline else type(error).__name__
        raise Unreachable(f"{target.host}: {reason}") from error


def allowed(address: _Address) -> bool:
    """Whether ``address`` is on the public internet or in a network the operator allows."""
    plain = _unwrap(address)
    if _in_networks(plain):
        return True
    return (
        plain.is_global
        and not plain.is_multicast
        and not plain.is_reserved
        and not any(plain in network for network in _REFUSED if network.version == plain.version)
    )


def _unwrap(address: _Address) -> _Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _networks() -> list[str]:
    networks: list[str] = settings.OUTBOUND_NETWORKS
    return networks


def _in_networks(address: _Address) -> bool:
    return any(
        address in network
        for network in (ip_network(text, strict=False) for text in _networks())
        if isinstance(network, IPv6Network) == isinstance(address, IPv6Address)
    )


def _inside(host: str) -> bool:
    try:
        return _in_networks(_unwrap(ip_address(host)))
    except ValueError:
        return False


def _parse(url: str) -> _Target:
    if len(url) > _MAX_URL or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        raise AddressRefused("Use a plain address such as https://example.com/hook, without spaces.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("This is not an address.") from error
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise AddressRefused("The address has to start with https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("The address must not hold a user name or password.")
    if "%" in parts.hostname:
        raise AddressRefused("The address must not name a network interface.")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = _Target(tls, parts.hostname.rstrip("."), port if port is not None else 443 if tls else 80, path)
    if not target.host:
        raise AddressRefused("The address names no host.")
    return target


def _check_port(target: _Target, *, trusted: bool) -> None:
    if target.port not in settings.OUTBOUND_PORTS and not trusted:
        ports = ", ".join(str(port) for port in settings.OUTBOUND_PORTS)
        raise AddressRefused(f"Only these ports may be called: {ports}.")


def _check(target: _Target, addresses: list[_Address]) -> None:
    """Every address the name has must be allowed, or none is called."""
    trusted = all(_in_networks(_unwrap(address)) for address in addresses)
    _check_port(target, trusted=trusted)
    if not addresses or not all(allowed(address) for address in addresses):
        raise AddressRefused("This address leads into a private network.")


def _resolve(target: _Target) -> list[_Address]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{target.host}: no such name") from error
    return list(dict.fromkeys(ip_address(str(row[4][0]).partition("%")[0]) for row in found))


@contextlib.contextmanager
def _connection(target: _Target, deadline: float) -> Iterator[http.client.HTTPConnection]:
    """An open connection to a checked address, closed when the deadline strikes, whatever it does."""
    channels = [_open(target, deadline)]
    # A peer that drips a byte now and then never meets a timeout of the socket; the watch does.
    watch = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, [channels])
    watch.daemon = True
    watch.start()
    try:
        if target.tls:
            context = ssl.create_default_context()
            wrapped = context.wrap_socket(
                channels[0], server_hostname=target.host, do_handshake_on_connect=False
            )
            channels.append(wrapped)
            wrapped.do_handshake()
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.default_port = 443 if target.tls else 80  # left out of the Host header
        connection.auto_open = 0  # never a second connection, which nobody would check
        connection.sock = channels[-1]
        yield connection
    finally:
        watch.cancel()
        channels[-1].close()


def _open(target: _Target, deadline: float) -> socket.socket:
    proxy = _proxy(target)
    if proxy is not None:
        return _through(proxy, target, deadline)
    addresses = _resolve(target)
    _check(target, addresses)
    failure: OSError | None = None
    for address in addresses:
        try:
            return _dial(str(address), target.port, deadline)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def _dial(host: str, port: int, deadline: float) -> socket.socket:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    channel = socket.create_connection((host, port), timeout=remaining)
    channel.settimeout(max(0.1, deadline - time.monotonic()))
    return channel


def _proxy(target: _Target) -> tuple[str, int] | None:
    """The operator's proxy for this address, from the usual environment variables."""
    if urllib.request.proxy_bypass(target.host) or _inside(target.host):
        return None
    url = urllib.request.getproxies().get("https" if target.tls else "http")
    if not url:
        return None
    parts = urlsplit(url if "//" in url else f"//{url}")
    return (parts.hostname, parts.port or 3128) if parts.hostname else None


def _through(proxy: tuple[str, int], target: _Target, deadline: float) -> socket.socket:
    """A tunnel. Where names resolve here too, the checked address is what the proxy is told."""
    try:
        addresses = _resolve(target)
    except Unreachable:
        _check_port(target, trusted=False)
        goal = target.host  # only the proxy knows names: its rules decide
    else:
        _check(target, addresses)
        goal = str(addresses[0])
    channel = _dial(*proxy, deadline)
    bracketed = f"[{goal}]" if ":" in goal else goal
    line = f"{bracketed}:{target.port}"
    channel.sendall(f"CONNECT {line} HTTP/1.1\r\nHost: {line}\r\n\r\n".encode("ascii"))
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < 16_384 and time.monotonic() < deadline:
        byte = channel.recv(1)
        if not byte:
            break
        head += byte
    if head.split(b" ", 2)[1:2] != [b"200"]:
        channel.close()
        raise OSError("the proxy refused")
    return channel


def _shut(channels: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):  # closed already
        socket.socket.shutdown(channels[-1], socket.SHUT_RDWR)
