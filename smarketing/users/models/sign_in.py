"""Failed sign-ins, counted in the database so that no lost cache resets them."""

from __future__ import annotations

from django.db import models


class SignInFailures(models.Model):
    """How often signing in failed for one key: an account, or an account from one address.

    ``key`` is a hash: neither e-mail nor IP address is kept.
    """

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["last_at"], name="sign_in_failures_expiry")]

    def __str__(self) -> str:
        return self.key[:8]
