"""Tables of the reporting app."""

from reporting.models.journey import Journey

__all__ = ["Journey"]
