"""Periods that a page offers by name."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum


class Preset(StrEnum):
    """A named stretch of days that ends today or with last month."""

    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    LAST_90_DAYS = "90-days"
    LAST_YEAR = "12-months"


def days_of(preset: Preset, today: date) -> tuple[date, date]:
    """First and last day, both included, of the preset as seen on ``today``."""
    first_of_month = today.replace(day=1)
    match preset:
        case Preset.THIS_MONTH:
            return first_of_month, today
        case Preset.LAST_MONTH:
            last = first_of_month - timedelta(days=1)
            return last.replace(day=1), last
        case Preset.LAST_90_DAYS:
            return today - timedelta(days=89), today
        case Preset.LAST_YEAR:
            return today - timedelta(days=364), today


def previous_of(first: date, last: date) -> tuple[date, date]:
    """The stretch of the same number of days just before."""
    length = last - first + timedelta(days=1)
    return first - length, first - timedelta(days=1)
