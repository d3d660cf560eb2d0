"""How records that look alike are told, wherever one is created or read."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class EvidenceOut(serializers.Serializer[Any]):
    """What one field says: ``level`` is same, close, near or different; weights sum to the score."""

    field = serializers.CharField()
    level = serializers.CharField()
    weight = serializers.FloatField()


class LookalikeOut(serializers.Serializer[Any]):
    """A person who looks like the one that is told; nothing was merged."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField(help_text="Their page, for people.")
    score = serializers.FloatField()
    band = serializers.CharField()
    evidence = EvidenceOut(many=True)
