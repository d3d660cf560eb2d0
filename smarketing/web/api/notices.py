"""``/api/v1/me/notices``: how one wants to be told. ``/api/v1/webhook-topics``: what can be asked for."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from smarketing.notifications import topics
from smarketing.notifications.domain.quiet import Rhythm
from smarketing.notifications.models import MailRhythm, NoticeHours
from smarketing.notifications.selectors import preferences as reads
from smarketing.notifications.selectors.preferences import Wish
from smarketing.notifications.services import preferences
from smarketing.notifications.services.preferences import Hours
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.web.rest.views import Resource


class NoticeKindOut(serializers.Serializer[Any]):
    """A kind and what one chose for it; ``mail`` is empty while each notice decides."""

    kind = serializers.CharField()
    label = serializers.CharField()
    in_app = serializers.BooleanField()
    mail = serializers.ChoiceField(choices=["", *MailRhythm.values])


class NoticesOut(serializers.Serializer[Any]):
    """Hours of day in one's own time zone, and each kind."""

    quiet_from = serializers.TimeField(format="%H:%M", allow_null=True)
    quiet_until = serializers.TimeField(format="%H:%M", allow_null=True)
    digest_hour = serializers.IntegerField()
    digest_weekday = serializers.IntegerField()
    kinds = NoticeKindOut(many=True)


class NoticeKindIn(serializers.Serializer[Any]):
    """A choice for one kind."""

    kind = serializers.CharField(max_length=40)
    in_app = serializers.BooleanField(default=True)
    mail = serializers.ChoiceField(choices=["", *MailRhythm.values], default="")


class NoticesIn(serializers.Serializer[Any]):
    """What changes: hours that are left out stay, kinds that are not named too. Weekday 0 is Monday."""

    quiet_from = serializers.TimeField(required=False, allow_null=True)
    quiet_until = serializers.TimeField(required=False, allow_null=True)
    digest_hour = serializers.IntegerField(required=False, min_value=0, max_value=23)
    digest_weekday = serializers.IntegerField(required=False, min_value=0, max_value=6)
    kinds = NoticeKindIn(many=True, required=False)


class NoticesResource(Resource):
    """One's own choices about notices."""

    model = User
    capabilities = {"current": C.VIEW, "choose": C.VIEW}
    inputs = {"choose": NoticesIn}
    output = NoticesOut

    def visible(self) -> QuerySet[User]:
        return User.objects.filter(pk=self.actor.pk)

    def current(self, request: Request) -> Response:
        """What one chose."""
        return self.answer(_shown(self.actor, reads.hours_of(self.actor)))

    def choose(self, request: Request) -> Response:
        """Choose anew what is named; what waits to be mailed follows."""
        given = self.valid()
        kept = reads.hours_of(self.actor)
        hours = Hours(
            _given(given, "quiet_from", kept.quiet_from),
            _given(given, "quiet_until", kept.quiet_until),
            given.get("digest_hour", kept.digest_hour),
            given.get("digest_weekday", kept.digest_weekday),
        )
        wishes = {
            x["kind"]: Wish(x["in_app"], Rhythm(x["mail"]) if x["mail"] else None)
            for x in given.get("kinds", [])
        }
        kept = preferences.choose(
            user=self.actor, choices=wishes, hours=hours, version=kept.version, now=self.now
        )
        return self.answer(_shown(self.actor, kept))


def _given(given: dict[str, Any], name: str, kept: time | None) -> time | None:
    found: time | None = given.get(name, kept)
    return found


def _shown(user: User, hours: NoticeHours) -> dict[str, Any]:
    chosen = reads.choices_of(user)
    return {
        "quiet_from": hours.quiet_from,
        "quiet_until": hours.quiet_until,
        "digest_hour": hours.digest_hour,
        "digest_weekday": hours.digest_weekday,
        "kinds": [
            {
                "kind": kind.code,
                "label": str(kind.label),
                "in_app": chosen[kind.code].in_app,
                "mail": chosen[kind.code].mail or "",
            }
            for kind in topics.kinds()
        ],
    }


class WebhookTopicOut(serializers.Serializer[Any]):
    """A fact that webhooks can ask for; ``kind`` is that of the notices to people, if any."""

    name = serializers.CharField()
    label = serializers.CharField()
    kind = serializers.CharField(allow_blank=True)


class WebhookTopicsOut(serializers.Serializer[Any]):
    """All topics, by name."""

    topics = WebhookTopicOut(many=True)


class TopicResource(Resource):
    """What receivers of webhooks can ask for."""

    model = User
    capabilities = {"index": C.VIEW}
    output = WebhookTopicsOut

    def visible(self) -> QuerySet[User]:
        return User.objects.none()

    def index(self, request: Request) -> Response:
        """Every topic with its label."""
        return self.answer(
            {"topics": [{"name": t.name, "label": str(t.label), "kind": t.kind} for t in topics.topics()]}
        )
