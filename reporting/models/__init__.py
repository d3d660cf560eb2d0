"""Tables of the reporting app: projections only."""

from reporting.models.journey import Journey
from reporting.models.website import DayState, PageDay, PageReader, VisitDay, VisitMark, VisitorDay

__all__ = ["DayState", "Journey", "PageDay", "PageReader", "VisitDay", "VisitMark", "VisitorDay"]
