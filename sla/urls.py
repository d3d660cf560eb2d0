"""Addresses of the SLA app."""

from __future__ import annotations

from django.urls import URLPattern, path

from sla.views import (
    agreement_parts,
    agreements,
    board,
    calendars,
    clocks,
    commitments,
    feeds,
    meetings,
    queue,
    queue_later,
    today,
)

app_name = "sla"

urlpatterns: list[URLPattern] = [
    path("queue/", queue.queue_page, name="queue"),
    path("queue/cards/", queue.queue_cards, name="queue_cards"),
    path("queue/<int:pk>/accept/", queue.accept, name="queue_accept"),
    path("queue/<int:pk>/return/", queue.return_, name="queue_return"),
    path("queue/<int:pk>/undo/", queue.undo, name="queue_undo"),
    path("queue/<int:pk>/log/", queue.log, name="queue_log"),
    path("queue/<int:pk>/snooze/", queue_later.snooze, name="queue_snooze"),
    path("queue/<int:pk>/wake/", queue_later.wake, name="queue_wake"),
    path("queue/<int:pk>/next-step/", queue_later.next_step, name="queue_next_step"),
    path("queue/steps/", queue.next_steps, name="queue_steps"),
    path("sla/", board.board, name="board"),
    path("sla/day/", today.today, name="today"),
    path("sla/day/leaks/", today.leaks, name="leaks"),
    path("sla/live/", board.live, name="board_live"),
    path("sla/clocks/<int:pk>/pause/", clocks.pause, name="clock_pause"),
    path("sla/clocks/<int:pk>/explain/", clocks.explain, name="clock_explain"),
    path("sla/clocks/<int:pk>/resume/", clocks.resume, name="clock_resume"),
    path("commitments/", commitments.overview, name="commitments"),
    path("commitments/mine/", commitments.mine_page, name="mine"),
    path("commitments/<int:pk>/<str:day>/<slug:cell>/", commitments.leads, name="commitment_leads"),
    path("meetings/", meetings.meeting_list, name="meetings"),
    path("meetings/new/", meetings.meeting_new, name="meeting_new"),
    path("meetings/<int:pk>/void/", meetings.meeting_void, name="meeting_void"),
    path("commitments/feed/", feeds.issue, name="feed_issue"),
    path("commitments/feed/revoke/", feeds.revoke, name="feed_revoke"),
    path("feeds/<str:token>.ics", feeds.feed, name="feed"),
    path("agreement/", agreements.agreement, name="agreement"),
    path("agreement/draft/", agreements.draft, name="agreement_draft"),
    path("agreement/<int:number>/", agreements.version, name="agreement_version"),
    path("agreement/<int:number>/edit/", agreements.edit, name="agreement_edit"),
    path("agreement/<int:number>/propose/", agreements.propose, name="agreement_propose"),
    path("agreement/<int:number>/discard/", agreements.discard, name="agreement_discard"),
    path("agreement/<int:number>/sign/", agreements.sign, name="agreement_sign"),
    path("agreement/<int:number>/annex/", agreement_parts.annex, name="agreement_annex"),
    path("agreement/<int:number>/effective/", agreement_parts.effective, name="agreement_effective"),
    path("agreement/<int:number>/comment/", agreement_parts.comment, name="agreement_comment"),
    path("settings/calendar/", calendars.default, name="calendar"),
    path("settings/calendar/new/", calendars.create, name="calendar_new"),
    path("settings/calendar/preview/", calendars.preview, name="calendar_preview"),
    path("settings/calendar/<int:pk>/", calendars.show, name="calendar_show"),
    path("settings/calendar/<int:pk>/people/", calendars.give, name="calendar_people"),
    path(
        "settings/calendar/<int:pk>/people/<int:user>/end/", calendars.take_back, name="calendar_person_end"
    ),
    path("settings/calendar/<int:pk>/publish/", calendars.publish, name="calendar_publish"),
]
