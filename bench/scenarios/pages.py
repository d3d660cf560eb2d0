"""``pages``: the server's time of every page that a role can reach in the demo company.

Each role starts at its first page and follows the links of the pages it sees, two examples of each
address. What is measured is the answer of the whole stack in one process, without a server around it, at
the second visit and later: milliseconds, and statements, which no load of the machine can change.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass
from html import unescape
from re import compile as pattern
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

from bench import clients, harness
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

SLOWEST = 20
EXAMPLES = 2
VISITS = 3
MOST_MS = 100.0
_LINK = pattern(r'href="(/[^"#]*|\?[^"#]*)"')
_NO_PAGES = ("/api/", "/static/", "/accounts/logout", "/media/")


@dataclass(frozen=True, slots=True)
class Measured:
    """One page as one role sees it."""

    path: str
    milliseconds: float
    queries: int
    size: int

    def line(self, role: Role) -> str:
        """It in the report."""
        figures = f"{self.milliseconds:>8.1f} ms {self.queries:>4} statements {self.size / 1000:>6.0f} kB"
        return f"{role:<18}{figures}  {self.path}"


def run(plan: harness.Plan) -> harness.Report:
    """Walk as every role; the ratios hold the slowest page of each against the limit."""
    logging.disable(logging.WARNING)
    _use_demo()
    report = harness.Report("pages", plan)
    for role in Role:
        found = sorted(_walked(role, max(VISITS, plan.reps)), key=lambda m: -m.milliseconds)
        over = sum(page.milliseconds > MOST_MS for page in found)
        report.facts[f"{role}"] = f"{len(found)} pages, {over} above {MOST_MS:g} ms"
        print(f"{role}: {report.facts[f'{role}']}", file=sys.stderr, flush=True)
        report.notes += [page.line(role) for page in found[:SLOWEST]]
        if found:
            what = f"slowest page of {role}, ms"
            report.ratios.append(harness.Ratio(what, found[0].milliseconds, MOST_MS, at_most=True))
    return report


def _use_demo() -> None:
    """A database with the small demo company; made when there is none."""
    name = f"bench_demo_{harness.state_of_migrations()}"
    if not harness.exists(name):
        harness.copy_of(harness.base(), "bench_new")
        call_command("demo_data", size="small", seed=1, stdout=sys.stderr)
        harness.rename("bench_new", name)
    harness.use(name)


def _walked(role: Role, visits: int) -> list[Measured]:
    """Every page the role reaches by links, each measured when it is met."""
    user = User.objects.filter(role=role, is_active=True).order_by("pk").first()
    if user is None:
        return []
    client = Client(SERVER_NAME="127.0.0.1")
    key = clients.signed_in(user)["Cookie"].partition("=")[2]
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    seen: set[str] = set()
    kinds: Counter[str] = Counter()
    found: list[Measured] = []
    ahead = deque(["/"])
    while ahead:
        path = ahead.popleft()
        kind = _kind(path)
        if kind is None or path in seen or kinds[kind] >= EXAMPLES:
            continue
        seen.add(path)
        response = client.get(path)
        if response.status_code in (301, 302, 303):
            ahead.append(urljoin(path, response["Location"]))
        elif response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            kinds[kind] += 1
            found.append(_measured(client, path, visits))
            links = _LINK.findall(response.content.decode())
            ahead.extend(urljoin(path, unescape(link)) for link in links)
    return found


def _kind(path: str) -> str | None:
    """The route: what makes two addresses examples of one page, whatever their queries."""
    split = urlsplit(path)
    if split.netloc or split.path.startswith(_NO_PAGES):
        return None
    try:
        return resolve(split.path).route
    except Resolver404:
        return None


def _measured(client: Client, path: str, visits: int) -> Measured:
    with CaptureQueriesContext(connection) as statements:
        size = len(client.get(path).content)
    queries = len(statements)  # before the next request forgets them
    taken = []
    for _visit in range(visits):
        began = time.perf_counter()
        client.get(path)
        taken.append((time.perf_counter() - began) * 1000)
    return Measured(path, statistics.median(taken), queries, size)
