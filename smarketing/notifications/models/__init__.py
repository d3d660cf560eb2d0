"""Tables of the notifications app."""

from smarketing.notifications.models.notification import Notification
from smarketing.notifications.models.outbox import (
    MAIL_CHANNEL,
    Delivery,
    Endpoint,
    EndpointFormat,
    Outbox,
)
from smarketing.notifications.models.preference import MailRhythm, NoticeChoice, NoticeHours, WaitingMail

__all__ = [
    "MAIL_CHANNEL",
    "Delivery",
    "Endpoint",
    "EndpointFormat",
    "MailRhythm",
    "NoticeChoice",
    "NoticeHours",
    "Notification",
    "Outbox",
    "WaitingMail",
]
