"""What sign-in has to remember for minutes."""

from __future__ import annotations

from django.db import models


class ShortMemory(models.Model):
    """An entry with a term, such as a one-time code that was used.

    Read and written by :class:`smarketing.users.cache.TableCache`.
    """

    key = models.CharField(max_length=300, primary_key=True)
    value = models.JSONField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="short_memory_expiry")]

    def __str__(self) -> str:
        return self.key
