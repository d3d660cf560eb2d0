"""Addresses of the SLA app."""

from __future__ import annotations

from django.urls import path

from sla.views import queue

app_name = "sla"

urlpatterns = [
    path("queue/", queue.queue_page, name="queue"),
    path("queue/cards/", queue.queue_cards, name="queue_cards"),
    path("queue/<int:pk>/accept/", queue.accept, name="queue_accept"),
    path("queue/<int:pk>/return/", queue.return_, name="queue_return"),
    path("queue/<int:pk>/undo/", queue.undo, name="queue_undo"),
    path("queue/<int:pk>/log/", queue.log, name="queue_log"),
]
