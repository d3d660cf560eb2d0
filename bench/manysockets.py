"""Many clients at once over kept connections, cheaply: raw requests on sockets watched by epoll.

``http.client`` spends as much CPU on a request as the intake does. Here a request is bytes made
beforehand, and of the answer only the status and the length are read.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class _Client:
    link: socket.socket
    received: bytearray = field(default_factory=bytearray)


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def post(address: str, *, clients: int, count: int, make: Callable[[int], bytes]) -> int:
    """Send ``count`` requests, ``make(number)``, over so many connections. Returns ``count``.

    Each client waits for its answer before it sends again. Raises where one is not 200.
    """
    split = urlsplit(address)
    poller = select.epoll()
    by_fd: dict[int, _Client] = {}
    sent = 0
    for _number in range(min(clients, count)):
        link = socket.create_connection((split.hostname or "", split.port or 80))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        by_fd[link.fileno()] = _Client(link)
        poller.register(link, select.EPOLLIN)
        link.sendall(make(sent))
        sent += 1
    done = 0
    try:
        while done < count:
            for fd, _event in poller.poll(30):
                client = by_fd[fd]
                part = client.link.recv(65_536)
                if not part:
                    raise RuntimeError("the server has closed a connection")
                client.received += part
                if not _is_whole(client.received):
                    continue
                if not client.received.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(bytes(client.received[:500]).decode("utf-8", "replace"))
                client.received.clear()
                done += 1
                if sent < count:
                    client.link.sendall(make(sent))
                    sent += 1
    finally:
        poller.close()
        for client in by_fd.values():
            client.link.close()
    return count


def _is_whole(received: bytearray) -> bool:
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    start = received.find(b"content-length: ") + 16
    length = int(received[start : received.find(b"\r", start)])
    return len(received) >= end + 4 + length
