"""Tables of the web app."""

from smarketing.web.models.saved_view import SavedView

__all__ = ["SavedView"]
