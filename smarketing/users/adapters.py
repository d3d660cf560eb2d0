"""How django-allauth meets our users: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an admin or by ``manage.py createsuperuser``'s counterpart."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
