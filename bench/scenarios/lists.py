"""``list``: the leads page and the API's list, each request over HTTP, beside hand-written SQL.

The SQL returns what the rows show, in one statement with the keys of the page inlined, and turns them
into JSON: less can't be done for the same rows. Deep is page 200, reached by its cursor.

One client tells how long a person waits. How many rows a second there are is told by several clients at
once, for the page and for the API with 50 rows and with the most it gives; that is set beside the peer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.db import connection

from bench import clients, generator, harness
from funnel.models import Stage
from smarketing.users.models import User

PER_REP = 12
DEPTH = 200
LIMIT = 50
MOST = 200
CLIENTS = 4
ODOO_ROWS = 960.0
_COLUMNS = """
SELECT st.lead_id, p.first_name, p.last_name, e.email, c.name, s.code, s.name, u.name, st.captured_at,
       l.origin, sc.fit, sc.fit_band, sc.interest_band, sc.action, i.key, ch.name, so.code, l.external_id
  FROM ({page}) page
  JOIN funnel_leadstate st ON st.lead_id = page.lead_id
  JOIN funnel_stage s ON s.id = st.stage_id
  JOIN leads_lead l ON l.id = st.lead_id
  JOIN leads_person p ON p.id = l.person_id
  JOIN leads_source so ON so.id = l.source_id
  LEFT JOIN leads_company c ON c.id = l.company_id
  LEFT JOIN leads_channel ch ON ch.id = l.channel_id
  LEFT JOIN leads_personemail e ON e.person_id = p.id AND e.is_primary
  LEFT JOIN users_user u ON u.id = st.owner_id
  LEFT JOIN funnel_leadscore sc ON sc.lead_id = l.id
  LEFT JOIN funnel_interest i ON i.person_id = p.id
"""
_NEWEST = (
    "SELECT lead_id FROM funnel_leadstate WHERE {where} ORDER BY captured_at DESC, lead_id DESC LIMIT 51"
)
_SEARCH = """
SELECT st.lead_id FROM leads_person p JOIN leads_lead l ON l.person_id = p.id
  JOIN funnel_leadstate st ON st.lead_id = l.id
 WHERE {where} ORDER BY st.captured_at DESC, st.lead_id DESC LIMIT 51
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to look at the list: the page's query, the API's, and the SQL that finds the rows."""

    name: str
    page: dict[str, Any]
    api: dict[str, Any]
    sql: str


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size, and compare the largest with the smallest."""
    report = harness.Report("list", plan)
    by_size: dict[int, dict[str, float]] = {}
    for size in plan.sizes:
        by_size[size] = _measure(report, size)
    if len(plan.sizes) > 1:
        small, large = by_size[min(plan.sizes)], by_size[max(plan.sizes)]
        at = f"{max(plan.sizes):,} ÷ {min(plan.sizes):,}"
        report.ratios += [
            harness.Ratio(f"{name}: time at {at}", large[name] / small[name], target=1.3, at_most=True)
            for name in large
            if name in small and not name.startswith("SQL")
        ]
    report.notes.append("Odoo 18 on another machine: 12 requests/s of 80 rows at 94 k leads = 960 rows/s")
    return report


def _cases(size: int) -> list[Case]:
    stage = Stage.objects.get(code="mql")
    owner = User.objects.get(email="rep3@bench.example")
    first, last, email = generator.person(size // 2)
    origin = generator.ORIGINS[0]
    like = "p.search_text LIKE '%{}%' AND p.search_text LIKE '%{}%'"
    by_score = "SELECT lead_id FROM funnel_leadscore ORDER BY fit DESC, lead_id DESC LIMIT 51"
    by_heat = (
        "SELECT l.id AS lead_id FROM funnel_interest i JOIN leads_lead l ON l.person_id = i.person_id"
        " WHERE i.key IS NOT NULL ORDER BY i.key DESC NULLS LAST, i.person_id LIMIT 51"
    )
    by_origin = (
        "SELECT st.lead_id FROM funnel_leadstate st JOIN leads_lead l ON l.id = st.lead_id WHERE l.origin ="
        f" '{origin}' ORDER BY st.captured_at DESC, st.lead_id DESC LIMIT 51"
    )
    both = {"stage": "mql", "owner": owner.pk}
    where = f"stage_id = {stage.pk} AND owner_id = {owner.pk}"
    same: list[tuple[str, dict[str, Any], str]] = [
        ("first page", {}, _NEWEST.format(where="true")),
        ("stage", {"stage": "mql"}, _NEWEST.format(where=f"stage_id = {stage.pk}")),
        ("owner", {"owner": owner.pk}, _NEWEST.format(where=f"owner_id = {owner.pk}")),
        ("stage and owner", both, _NEWEST.format(where=where)),
        ("origin", {"origin": origin}, by_origin),
    ]
    searched = [
        ("search by e-mail", email, _SEARCH.format(where=f"p.search_text LIKE '%{email}%'")),
        ("search by name", f"{first} {last}", _SEARCH.format(where=like.format(first.lower(), last.lower()))),
    ]
    sorted_by = [
        ("sort by fit", {"sort": "-fit"}, {"ordering": "-fit"}, by_score),
        ("sort by interest", {"sort": "-interest"}, {"ordering": "-interest"}, by_heat),
    ]
    return [
        *(Case(name, query, query, sql) for name, query, sql in same),
        *(Case(name, {"q": text}, {"search": text}, sql) for name, text, sql in searched),
        *(Case(name, page, api, sql) for name, page, api, sql in sorted_by),
    ]


def _measure(report: harness.Report, size: int) -> dict[str, float]:
    """Milliseconds of each case at this size; adds series and ratios to the report."""
    database = generator.database(size=size, events=report.plan.events)
    boss = User.objects.get(email="boss@bench.example")
    ms: dict[str, float] = {}
    with harness.web_process(database) as (address, web):
        page = clients.Http(address, clients.signed_in(boss))
        api = clients.Http(address, clients.bearer(boss))

        def measured(name: str, of: Any) -> float:
            of()
            series = harness.measure(
                f"{name}, {size:,}", "requests", lambda: sum(bool(of()) for _n in range(PER_REP)),
                reps=report.plan.reps, web=web,
            )  # fmt: skip
            report.series.append(series)
            ms[name] = series.milliseconds
            return series.milliseconds

        for case in _cases(size):
            by_hand = measured(f"SQL {case.name}", lambda c=case: _by_hand(c.sql))
            for kind, link, path in (
                ("page", page, f"/leads/?{urlencode(case.page)}"),
                ("API", api, f"/api/v1/leads?{urlencode({**case.api, 'limit': LIMIT})}"),
            ):
                took = measured(f"{kind} {case.name}", lambda at=path, by=link: by.get(at))
                aim = 3.0 if case.name.startswith("search") else None
                report.ratios.append(
                    harness.Ratio(
                        f"{kind} {case.name} ÷ SQL ({size:,})", took / by_hand, target=aim, at_most=True
                    )
                )
        for kind, deep in (("page", _deep_page(page)), ("API", _deep_api(api))):
            link = page if kind == "page" else api
            took = measured(f"{kind} page {DEPTH}", lambda at=deep, by=link: by.get(at))
            report.ratios.append(
                harness.Ratio(
                    f"{kind}: page {DEPTH} ÷ page 1 ({size:,})", took / ms[f"{kind} first page"], target=1.5,
                    at_most=True,
                )
            )  # fmt: skip
        for kind, link, path, rows in (
            ("page", page, "/leads/", LIMIT),
            ("page", page, f"/leads/?rows={MOST}", MOST),
            ("API", api, f"/api/v1/leads?limit={LIMIT}", LIMIT),
            ("API", api, f"/api/v1/leads?limit={MOST}", MOST),
        ):
            series = _together(
                f"{kind} of {rows} rows, {CLIENTS} clients, {size:,}", address, link, path, report, web
            )
            what = f"{kind} of {rows}: rows/s of {CLIENTS} clients ÷ Odoo's {ODOO_ROWS:g} ({size:,})"
            report.ratios.append(harness.Ratio(what, series.rate * rows / ODOO_ROWS, 10, 20))
    for kind in ("page", "API"):
        alone = LIMIT * 1000 / ms[f"{kind} first page"]
        report.ratios.append(
            harness.Ratio(f"{kind}: rows/s of one client ÷ Odoo's ({size:,})", alone / ODOO_ROWS)
        )
    report.facts[f"at {size:,} leads"] = ", ".join(f"{k} {v:,}" for k, v in generator.counts().items())
    return ms


def _together(
    name: str, address: str, like: clients.Http, path: str, report: harness.Report, web: int
) -> harness.Series:
    """Several clients ask for the same page at once."""
    links = [clients.Http(address, like.headers) for _n in range(CLIENTS)]

    def ask(thread: int, numbers: range) -> None:
        for _number in numbers:
            links[thread].get(path)

    clients.in_threads(CLIENTS * 4, CLIENTS, ask)  # warm
    series = harness.measure(
        name, "requests", lambda: clients.in_threads(PER_REP * CLIENTS, CLIENTS, ask),
        reps=report.plan.reps, web=web,
    )  # fmt: skip
    report.series.append(series)
    return series


def _by_hand(page: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS.replace("{page}", page.replace("%", "%%")), [])
        return json.dumps(cursor.fetchall(), default=str) + " "


def _deep_page(link: clients.Http) -> str:
    """The address of page 200 of the leads page, walked to by its own links."""
    at = "/leads/"
    for _number in range(DEPTH - 1):
        body = link.get(at).decode()
        found = re.search(r"[?&](?:amp;)?cursor=([A-Za-z0-9_\-%]+)", body)
        if found is None:
            break
        at = f"/leads/?cursor={found[1]}"
    return at


def _deep_api(link: clients.Http) -> str:
    """The address of page 200 of the API's list."""
    at = f"/api/v1/leads?limit={LIMIT}"
    for _number in range(DEPTH - 1):
        following = json.loads(link.get(at)).get("next")
        if not following:
            break
        split = urlsplit(following)
        at = f"{split.path}?{urlencode(parse_qs(split.query), doseq=True)}"
    return at
