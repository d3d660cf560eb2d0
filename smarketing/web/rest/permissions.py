"""May this role do this here, and may this token? Denied unless a capability is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from smarketing.core.errors import Denied
from smarketing.users.models import ApiToken, User

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Permitted(BasePermission):
    """The view's ``capabilities`` name what each action asks of the role; a token needs the scope.

    An action that is missing from the table is denied to everybody, admins included.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises :class:`Denied` with the reason; ``False`` means nobody is signed in (401)."""
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return False
        action: Any = getattr(view, "action", None)
        if action is None:
            return True  # no handler for this method: the answer is 405
        if isinstance(request.auth, ApiToken):
            scope = "read" if request.method in SAFE_METHODS else "write"
            if scope not in request.auth.scopes:
                raise Denied(f"The token lacks the scope “{scope}”.", code="scope_missing")
        capability = getattr(view, "capabilities", {}).get(action)
        if capability is None or not user.may(capability):
            raise Denied("Your role does not allow this.")
        return True
