"""Tables of the users app."""

from smarketing.users.models.organisation import Organisation
from smarketing.users.models.short_memory import ShortMemory
from smarketing.users.models.sign_in import SignInFailures
from smarketing.users.models.token import ApiToken, IdempotentRequest
from smarketing.users.models.user import Membership, RoleChoices, SideChoices, Team, User, UserRef

__all__ = [
    "ApiToken",
    "IdempotentRequest",
    "Membership",
    "Organisation",
    "RoleChoices",
    "ShortMemory",
    "SideChoices",
    "SignInFailures",
    "Team",
    "User",
    "UserRef",
]
