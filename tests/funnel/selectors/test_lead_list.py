"""Every order of the leads list is one walk along its index."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from funnel.forms.lead_filters import LeadFilter
from funnel.selectors import lead_list
from funnel.views.leads import LIST
from leads.models import Source
from smarketing.users.models import User
from smarketing.web import filters
from smarketing.web.tables import Column, TableSpec
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead

ORDERS = TableSpec(
    id=LIST,
    caption="Leads",
    default_sort="-captured",
    columns=(
        Column("fit", "Fit", sort="fit"),
        Column("interest", "Interest", sort="heat"),
        Column("captured", "Captured", sort="captured_at"),
    ),
)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "lead_list_newest"),
        ("sort=captured", "lead_list_newest"),
        ("stage=mql", "lead_list_by_stage"),
        ("owner={owner}", "lead_list_by_owner"),
        ("sort=-fit", "lead_score_best_fit"),
        ("sort=fit", "lead_score_best_fit"),
        ("sort=-interest", "interest_hottest"),
        ("stage=mql&sort=-fit", "lead_score_best_fit"),
    ],
)
def test_a_page_is_found_by_the_index_of_its_order(rita: User, web: Source, query: str, index: str) -> None:
    asks_for_demo(capture_lead(web), at=NOW)
    with connection.cursor() as cursor:  # a table of one row needs no index; what would many rows use?
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
                       "SET LOCAL enable_hashjoin = off; SET LOCAL enable_bitmapscan = off")  # fmt: skip
    params = QueryDict(query.format(owner=rita.pk))
    filterset = LeadFilter(params, queryset=lead_list.listed(rita, sort=params.get("sort", "")))
    with CaptureQueriesContext(connection) as seen:
        ORDERS.bind(filters.rows(filterset), params)
    (statement,) = [q["sql"] for q in seen if "LIMIT 51" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan, plan
    sorts = [line for line in plan.splitlines() if "->  Sort" in line or line.startswith("Sort")]
    assert sorts == []  # at most an incremental one, among rows of equal value
