"""The tracking intake: answers ``/v1/*`` ahead of Django's stack, after what it accepted is on disk."""
