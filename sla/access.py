"""Loading objects for a user: out of sight is 404, in sight but not allowed is 403."""

from __future__ import annotations

from django.utils.translation import gettext as _

from funnel.models import Handoff
from sla.models import AgreementState, AgreementVersion, Calendar, Clause, Clock, TeamMeeting
from sla.selectors import agreements, clocks, hours, meetings, queue
from smarketing.core.errors import Denied, Missing
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

BIGGEST_ID = 2**63 - 1


class HandoffMissing(Missing):
    """There is no such handoff, or the user may not see it."""


class ClockMissing(Missing):
    """There is no such clock, or the user may not see it."""


class CalendarMissing(Missing):
    """There is no such calendar."""


class VersionMissing(Missing):
    """There is no such version of the agreement."""


class MeetingMissing(Missing):
    """There is no such meeting."""


class ClauseMissing(Missing):
    """There is no such promise that was ever in force."""


class CellMissing(Missing):
    """There is no such number of a promise."""


class NotYours(Denied):
    """The handoff is another rep's."""


def handoff(user: User, pk: int) -> Handoff:
    """A handoff that ``user`` may see."""
    found = (
        Handoff.objects.visible_to(user).select_related("lead__person", "owner").filter(pk=pk).first()
        if 0 < pk <= BIGGEST_ID
        else None
    )
    if found is None:
        raise HandoffMissing(_("There is no such handoff."))
    return found


def handoff_to_answer(user: User, pk: int) -> Handoff:
    """A handoff that ``user`` may answer: their own, or any for a sales manager."""
    found = handoff(user, pk)
    own = found.owner_id == user.pk and user.may(Capability.ANSWER_OWN_HANDOFF)
    if not own and not user.may(Capability.ANSWER_ANY_HANDOFF):
        raise NotYours(_("This lead was handed to another rep."))
    return found


def handoff_to_work(user: User, pk: int) -> Handoff:
    """A handoff that stands in ``user``'s queue, or any for a sales manager.

    An accepted lead that moved to another rep stands in the queue of whoever its clock runs for.
    """
    found = handoff(user, pk)
    theirs = queue.responsible(found)
    if theirs is not None and theirs.pk == user.pk and user.may(Capability.ANSWER_OWN_HANDOFF):
        return found
    return handoff_to_answer(user, pk)


def clock(user: User, pk: int) -> Clock:
    """A clock that ``user`` may see."""
    found = clocks.visible_to(user).filter(pk=pk).first() if 0 < pk <= BIGGEST_ID else None
    if found is None:
        raise ClockMissing(_("There is no such clock."))
    return found


def clock_to_hold(user: User, pk: int) -> Clock:
    """A clock that ``user`` may pause: their own, or any for a sales manager."""
    found = clock(user, pk)
    own = found.owner_id == user.pk and user.may(Capability.ANSWER_OWN_HANDOFF)
    if not own and not user.may(Capability.ANSWER_ANY_HANDOFF):
        raise NotYours(_("This clock is another rep's."))
    return found


def calendar(user: User, pk: int) -> Calendar:
    """A calendar; everybody may read them."""
    found = Calendar.objects.filter(pk=pk).first() if 0 < pk <= BIGGEST_ID else None
    if found is None or not user.may(Capability.VIEW):
        raise CalendarMissing(_("There is no such calendar."))
    return found


def person_of_calendar(user: User, pk: int, person_id: int) -> tuple[Calendar, User]:
    """A calendar and somebody whose promises are counted by it alone."""
    found = calendar(user, pk)
    person = next((entry.user for entry in hours.people_of(found) if entry.user_id == person_id), None)
    if person is None:
        raise CalendarMissing(_("Nobody of that number is counted by this calendar."))
    return found, person


def clause(user: User, pk: int) -> Clause:
    """A promise of a version that is or was in force."""
    found = (
        Clause.objects.filter(
            pk=pk, version__state__in=[AgreementState.IN_FORCE, AgreementState.RETIRED]
        ).first()
        if 0 < pk <= BIGGEST_ID
        else None
    )
    if found is None or not user.may(Capability.VIEW):
        raise ClauseMissing(_("There is no such promise."))
    return found


def meeting(user: User, pk: int) -> TeamMeeting:
    """A meeting of the two teams."""
    found = meetings.visible_to(user).filter(pk=pk).first() if 0 < pk <= BIGGEST_ID else None
    if found is None:
        raise MeetingMissing(_("There is no such meeting."))
    return found


def agreement_version(user: User, number: int) -> AgreementVersion:
    """A version of the agreement by its number; drafts only for those who may edit them."""
    found = agreements.versions().filter(number=number).first() if 0 < number < 2**31 else None
    hidden = found is not None and (
        found.state == AgreementState.DRAFT and not user.may(Capability.EDIT_AGREEMENT)
    )
    if found is None or hidden or not user.may(Capability.VIEW):
        raise VersionMissing(_("There is no such version."))
    return found
