"""Nothing that a user types leads the outbound client into our own network (T1, T2)."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from smarketing.core import http as client


class Canary:
    """Listens on the loopback and counts who comes."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                channel, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            channel.close()


@pytest.fixture
def canary(settings: Any) -> Iterator[Canary]:
    listening = Canary()
    settings.OUTBOUND_PORTS = [443, 80, listening.port]
    settings.OUTBOUND_NETWORKS = []
    yield listening
    listening.listener.close()


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


HOSTS = [
    "127.0.0.1", "localhost", "LOCALHOST.", "0177.0.0.1", "0x7f000001", "2130706433", "127.1", "127.0.1",
    "0x7f.1", "0", "0.0.0.0",  # noqa: S104
    "127.255.255.254", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001::7f00:1]",
    "[fec0::1]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "10.0.0.1", "172.16.0.1",
    "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.88.99.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "198.18.0.1", "203.0.113.1", "[2001:db8::1]", "[::ffff:10.0.0.1]",
    "[::ffff:0:127.0.0.1]",
]  # fmt: skip


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HOSTS)
def test_ssrf_matrix(canary: Canary, scheme: str, host: str) -> None:
    with pytest.raises((client.AddressRefused, client.Unreachable)) as refusal:
        client.send("POST", f"{scheme}://{host}:{canary.port}/x", headers={}, body=b"{}", timeout_seconds=2)
    if isinstance(refusal.value, client.Unreachable):
        assert "no such name" in str(refusal.value)
    assert canary.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/", "//example.com/", "example.com",
        "https://", "https:///x", "https://user@example.com/", "https://a:b@example.com/",
        "https://exa mple.com",
        "https://example.com\\@127.0.0.1/", "https://example.com/\r\nX: y", "https://example.com:0x1bb/",
        "https://example.com:99999/", "https://[::1", "https://[fe80::1%25eth0]/", "https://exämple.com/",
        "https://example.com/\x00", "javascript:alert(1)", "https://./", "https://example.com:22/",
        "https://example.com:6379/", "https://" + "a" * 3000 + ".com/", "https://10.0.0.1/",
    ],
)  # fmt: skip
def test_refused_before_any_name_is_asked(url: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.OUTBOUND_PORTS, settings.OUTBOUND_NETWORKS = [443], []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("a name server was asked"))
    with pytest.raises(client.AddressRefused):
        client.check_url(url)


def test_plain_http_needs_port_80_by_setting(settings: Any) -> None:
    settings.OUTBOUND_PORTS, settings.OUTBOUND_NETWORKS = [443], []
    with pytest.raises(client.AddressRefused):
        client.check_url("http://example.com/")
    settings.OUTBOUND_PORTS = [443, 80]
    client.check_url("http://example.com/")
    client.check_url("https://example.com/")


@pytest.mark.usefixtures("no_proxy")
def test_the_checked_address_is_used_when_the_name_server_changes_its_mind(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, asked = socket.getaddrinfo, []
    dialled: list[str] = []

    def rebinding(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return original(host, port, *args, **kwargs)
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def dial(address: tuple[str, int], **kwargs: Any) -> socket.socket:
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", dial)
    with pytest.raises(client.Unreachable):
        client.send("GET", f"http://rebind.example:{canary.port}/", headers={}, timeout_seconds=2)
    assert (asked, dialled, canary.connections) == (["rebind.example"], ["93.184.216.34"], 0)


@pytest.mark.usefixtures("no_proxy")
def test_one_private_address_among_public_ones_refuses_the_name(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: rows)
    with pytest.raises(client.AddressRefused):
        client.send("GET", "https://mixed.example/", headers={})


def test_global_addresses_are_allowed(settings: Any) -> None:
    settings.OUTBOUND_NETWORKS = []
    assert client.allowed(ip_address("93.184.216.34"))
    assert client.allowed(ip_address("2606:2800:220:1::1"))
    assert client.allowed(ip_address("::ffff:93.184.216.34"))


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Host"]))  # type: ignore[attr-defined]
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
        elif self.path == "/big":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 10_000_000)
        elif self.path == "/drip":
            for _ in range(12):
                self.wfile.write(b"H")
                time.sleep(0.1)
        else:
            self.send_response(204)
            self.end_headers()

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def receiver(settings: Any) -> Iterator[http.server.ThreadingHTTPServer]:
    settings.OUTBOUND_PORTS, settings.OUTBOUND_NETWORKS = [443], ["127.0.0.0/8"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_an_allowed_network_is_reached_on_any_port_and_redirects_stay_unfollowed(receiver: Any) -> None:
    base = f"http://127.0.0.1:{receiver.server_port}"
    assert client.send("GET", base + "/", headers={}).status == 204
    away = client.send("GET", base + "/away", headers={})
    assert (away.status, away.headers["location"]) == (302, "/elsewhere")
    assert receiver.seen == [
        ("/", f"127.0.0.1:{receiver.server_port}"),
        ("/away", f"127.0.0.1:{receiver.server_port}"),
    ]


def test_a_big_answer_is_cut_at_two_megabytes(receiver: Any) -> None:
    answer = client.send("GET", f"http://127.0.0.1:{receiver.server_port}/big", headers={})
    assert (answer.status, len(answer.body), answer.cut) == (200, 2 * 1024 * 1024, True)


def test_an_answer_that_drips_ends_at_the_deadline(receiver: Any) -> None:
    started = time.monotonic()
    with pytest.raises(client.Unreachable, match="too long"):
        client.send("GET", f"http://127.0.0.1:{receiver.server_port}/drip", headers={}, timeout_seconds=0.5)
    assert time.monotonic() - started < 1.5


def test_the_operators_proxy_is_told_the_checked_address(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.OUTBOUND_PORTS, settings.OUTBOUND_NETWORKS = [443, 80], []
    proxy = socket.create_server(("127.0.0.1", 0))
    lines: list[bytes] = []

    def serve() -> None:
        channel, _ = proxy.accept()
        lines.append(channel.recv(4096).split(b"\r\n")[0])
        channel.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        lines.append(channel.recv(4096))
        channel.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        channel.close()

    threading.Thread(target=serve, daemon=True).start()
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    original = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *a, **k: rows if host == "hook.example" else original(host, *a, **k),
    )
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
    monkeypatch.setenv("no_proxy", "")
    answer = client.send("GET", "http://hook.example/in", headers={})
    assert answer.status == 204
    assert lines[0] == b"CONNECT 93.184.216.34:80 HTTP/1.1"
    assert b"Host: hook.example\r\n" in lines[1]
    proxy.close()
