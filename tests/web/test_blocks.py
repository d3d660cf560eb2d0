"""Building blocks: escaped, exact, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template

from smarketing.web import charts
from smarketing.web.charts import Bar

NOW = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)
EVIL = '<script>alert("x")</script>'


def render(text: str, **values: object) -> str:
    return Template(text).render(Context({"request": SimpleNamespace(now=NOW), **values}))


@pytest.mark.parametrize(
    "text",
    [
        '{% tag evil "ok" title=evil %}',
        "{% who evil sub=evil url=evil %}",
        "{% avatar evil %}",
        "{% score 7 band=evil label=evil %}",
        "{% kpi evil evil delta=evil note=evil url=evil %}",
        "{% empty evil action=evil url=evil %}",
        "{% card title=evil sub=evil %}{{ evil }}{% endcard %}",
        "{% header evil sub=evil %}{{ evil }}{% endheader %}",
        '{% menu evil icon="plus" %}{{ evil }}{% endmenu %}',
        '{% dialog "d" evil %}{{ evil }}{% enddialog %}',
        "{% due now done=evil %}",
        "{% due now paused=evil %}",
        '{% icon "plus" 16 label=evil %}',
        "{% progress 3 label=evil %}",
        "{% chart evil %}{{ evil }}{% endchart %}",
        "{{ 5|money:evil }}",
    ],
)
def test_every_block_escapes_what_it_is_given(text: str) -> None:
    html = render(text, evil=EVIL, now=NOW)
    assert "<script" not in html
    assert " style=" not in html


@pytest.mark.parametrize(
    ("minutes", "words", "tone"),
    [
        (38, "Due in 38 min", "ok"),
        (4, "Due in 4 min", "warn"),
        (0, "Breached 0 min ago", "bad"),
        (-75, "Breached 1 h 15 min ago", "bad"),
    ],
)
def test_a_clock_is_told_in_words_and_colour(minutes: int, words: str, tone: str) -> None:
    due_at = NOW + timedelta(minutes=minutes)
    html = render("{% due due_at warn_at=warn_at %}", due_at=due_at, warn_at=due_at - timedelta(minutes=10))
    assert f">{words}</time>" in html
    assert f"tag-{tone} due" in html


def test_a_countdown_counts_only_open_hours() -> None:
    windows = [
        (NOW - timedelta(hours=4), NOW + timedelta(hours=1)),
        (NOW + timedelta(hours=17), NOW + timedelta(hours=25)),
    ]
    due_at = NOW + timedelta(hours=18, minutes=30)
    assert ">2 h 30 min left · Fri 08:30</time>" in render(
        "{% due due_at windows=windows %}", due_at=due_at, windows=windows
    )


def test_bars_are_as_long_as_their_share_of_the_longest_and_never_vanish() -> None:
    drawn = charts.draw_bars([Bar("Lead", 4210), Bar("MQL", 1630), Bar("Won", 1), Bar("Lost", 0)])
    assert [d.width for d in drawn] == ["100.00%", "38.72%", "0.80%", "0%"]
    assert [d.width for d in charts.draw_bars([Bar("x", 0)])] == ["0%"]
    assert [d.width for d in charts.draw_bars([Bar("x", 5)], longest=10)] == ["50.00%"]


def test_a_sparkline_needs_two_values_and_stays_in_its_box() -> None:
    assert charts.sparkline([3]) is None
    line = charts.sparkline([0, 10], width=96, height=28)
    assert line is not None
    assert line.points == "3.0,25.0 93.0,3.0"
    flat = charts.sparkline([5, 5])
    assert flat is not None
    assert flat.points == "3.0,14.0 93.0,14.0"


def test_a_chart_carries_its_numbers_as_a_table() -> None:
    text = "{% chart 'Funnel' head=head rows=rows %}<svg></svg>{% endchart %}"
    html = render(text, head=["Stage", "Leads"], rows=[("MQL", "1,630")])
    assert "Show as table" in html
    assert '<th scope="row">MQL</th><td class="num">1,630</td>' in html


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As they write it.")
    note = forms.CharField(required=False)


def test_a_field_is_tied_to_its_help_and_error() -> None:
    html = render("{% fields form %}", form=SampleForm({"name": ""}))
    assert 'aria-describedby="id_name_help id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_error"' in html
    assert html.count(">optional<") == 1
