"""Tables of the notifications app."""

from smarketing.notifications.models.notification import Notification
from smarketing.notifications.models.outbox import MAIL_CHANNEL, Delivery, Endpoint, Outbox

__all__ = ["MAIL_CHANNEL", "Delivery", "Endpoint", "Notification", "Outbox"]
