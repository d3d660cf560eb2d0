"""The Celery queues a loop may run on; one worker serves all of them until there are several hosts."""

from __future__ import annotations

QUEUES = ("intake", "default", "mail", "reports")
