"""Daily rollups of the website: what dashboards read instead of sessions and events.

Each day of a source is computed whole from the sessions that began on it, on the organisation's calendar, so
the rows are the same whatever order and however often visits arrived. People are counted, never named, but
for the readers that are known.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models import Channel, Person, Source


class VisitorDay(models.Model):
    """How many visitors came on ``day`` who had come before last on ``previous_day`` (never: they are new).

    Exact uniques of any stretch of days follow: who comes for the first time within it came before last
    before it began. ``is_known``: by a visit of that day they are a person we know.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    previous_day = models.DateField(null=True)
    is_known = models.BooleanField(default=False)
    visitors = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "day", "previous_day", "is_known"],
                name="visitor_day_once",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["day"], name="visitor_days_of_period")]

    def __str__(self) -> str:
        return f"{self.day}: {self.visitors}"


class VisitDay(models.Model):
    """The sessions of a day by how they came: channel, campaign, landing page.

    At most ``LANDINGS`` combinations a day and source are kept apart; the smallest are one row per channel
    with the landing page "(other)", so that nobody's invented addresses can make the table grow.
    """

    LANDINGS = 300
    OTHER = "(other)"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", db_index=False)
    campaign = models.CharField(_("campaign"), max_length=120, blank=True)
    landing = models.CharField(_("landing page"), max_length=200)
    sessions = models.PositiveIntegerField()
    # Sessions that are their visitor's first ever.
    firsts = models.PositiveIntegerField()
    pages = models.PositiveIntegerField()
    attention_seconds = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "day", "channel", "campaign", "landing"], name="visit_day_once"
            )
        ]
        indexes = [models.Index(fields=["day"], name="visit_days_of_period")]

    def __str__(self) -> str:
        return f"{self.day} {self.landing}: {self.sessions}"


class PageDay(models.Model):
    """How often a page was seen on a day; at most ``PAGES`` pages a day and source, the most seen."""

    PAGES = 300

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    path = models.CharField(_("page"), max_length=200)
    title = models.CharField(_("title"), max_length=200, blank=True)
    views = models.PositiveIntegerField()
    visitors = models.PositiveIntegerField()
    entries = models.PositiveIntegerField()
    attention_seconds = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "day", "path"], name="page_day_once")]
        indexes = [models.Index(fields=["day"], name="page_days_of_period")]

    def __str__(self) -> str:
        return f"{self.day} {self.path}: {self.views}"


class PageReader(models.Model):
    """A person we know read a page that day: what becomes of the readers of a page is told by it."""

    # A projection: after a merge its days are computed anew.
    follows_merges = False

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(_("day"))
    path = models.CharField(_("page"), max_length=200)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["path", "day", "source", "person"], name="page_reader_once")
        ]
        indexes = [
            models.Index(fields=["day"], name="page_readers_of_period"),
            models.Index(fields=["person"], name="page_readers_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.path}: {self.person_id}"


class DayState(models.Model):
    """When a day was computed, and a digest of who came: while it stays, no later day is concerned."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    visitors_digest = models.DecimalField(max_digits=40, decimal_places=0)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "day"], name="day_state_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.day}"


class VisitMark(models.Model):
    """Sessions of a source that began on ``day`` have changed: the day is to be computed anew.

    Rows are only added and deleted: whoever stores visits never waits for another's mark.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.source_id} {self.day}"
