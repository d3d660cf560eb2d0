"""A cell made harmless for a spreadsheet is read back exactly as it was (T6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarketing.core import formulas

HOSTILE = ("=1+1", "+49 30", "-5", "@SUM(A1)", "\t=1", "\ufeff=1", "\u200b=cmd", "＝1", "'=1", "''=1", " |x")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_starts_a_formula_gets_an_apostrophe(text: str) -> None:
    assert formulas.harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Ada", "'t Hooft", "''", "a=1", "1+1"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert formulas.harmless(text) == formulas.plain(text) == text


@given(st.text() | st.text(st.sampled_from("'=+-@ \t\ufeffa1")))
def test_reading_gives_back_what_was_written(text: str) -> None:
    told = formulas.harmless(text)
    assert formulas.plain(told) == text
    assert not formulas.starts_formula(told)
