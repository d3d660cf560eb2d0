"""Who is who: visitors become persons, and identified persons stay apart."""

from __future__ import annotations

from datetime import timedelta

from leads.models import (
    Event,
    IdentityClaim,
    IdentityConflict,
    Lead,
    Person,
    PersonEmail,
    PersonRef,
    Visitor,
    VisitorJoin,
)
from leads.services import merges, people, visitors
from tests.leads.tracking.conftest import START

NOON = START + timedelta(hours=3)


def owners() -> dict[str, str]:
    """URL of each event → the main address (or user id) of its person."""
    found = {}
    for event in Event.objects.exclude(url="").select_related("person"):
        found[event.url] = _called(event.person)
    return found


def _called(person: Person | None) -> str:
    if person is None:
        return ""
    main = person.emails.filter(is_primary=True).first()
    return main.email if main else person.refs.get().external_id


def test_a_visitor_is_nobody_until_named(say, told):
    told(say(anonymous="v1", url="https://x.example/"))
    assert owners() == {"https://x.example/": ""}
    assert Visitor.objects.get().anonymous_id == "v1"
    assert Person.objects.count() == 0


def test_history_joins_backwards_to_the_first_person(say, told):
    told(say(anonymous="v1", url="https://x.example/a"))
    told(say("identify", minute=5, anonymous="v1", user="u1", traits={"email": "Ada@X.example"}))
    told(say(anonymous="v1", minute=6, url="https://x.example/b"))
    assert owners() == {"https://x.example/a": "ada@x.example", "https://x.example/b": "ada@x.example"}
    assert Visitor.objects.get().person == Person.objects.get()


def test_a_second_person_on_the_machine_starts_at_their_own_instant(say, told):
    told(
        say(anonymous="v1", url="https://x.example/a"),
        say("identify", minute=5, anonymous="v1", user="a", traits={"email": "a@x.example"}),
        say(anonymous="v1", minute=6, url="https://x.example/b"),
        say("identify", minute=10, anonymous="v1", user="b", traits={"email": "b@x.example"}),
        say(anonymous="v1", minute=11, url="https://x.example/c"),
    )
    assert owners() == {
        "https://x.example/a": "a@x.example",
        "https://x.example/b": "a@x.example",
        "https://x.example/c": "b@x.example",
    }
    assert Person.objects.count() == 2


def test_a_call_that_names_two_persons_merges_nothing_and_counts_for_the_user_id(say, told):
    told(
        say("identify", user="a", traits={"email": "a@x.example"}),
        say("identify", minute=1, user="b", traits={"email": "b@x.example"}),
        say("identify", minute=2, user="a", traits={"email": "b@x.example"}, key="both", url="https://x/"),
    )
    a, b = (PersonEmail.objects.get(email=f"{n}@x.example").person for n in "ab")
    assert a != b
    assert Event.objects.get(url="https://x/").person == a
    conflict = IdentityConflict.objects.get()
    assert (conflict.person, conflict.other, conflict.email) == (a, b, "b@x.example")


def test_a_user_id_without_an_address_is_a_pseudonym_that_joins_the_address(say, told):
    told(say("track", user="u1", name="Signed In", url="https://x/1"))
    pseudonym = Person.objects.get()
    assert not pseudonym.emails.exists()
    told(say("identify", minute=1, anonymous="v", traits={"email": "a@x.example"}))
    assert Person.objects.count() == 2
    told(say("identify", minute=2, user="u1", traits={"email": "a@x.example"}))
    person = Person.objects.get()
    assert PersonRef.objects.get().person == person
    assert owners() == {"https://x/1": "a@x.example"}


def test_a_second_address_of_one_user_is_added(say, told):
    told(
        say("identify", user="u1", traits={"email": "new@x.example"}, minute=9),
        say("identify", user="u1", traits={"email": "old@x.example"}, minute=1),
    )
    emails = PersonEmail.objects.order_by("-is_primary").values_list("email", flat=True)
    assert list(emails) == ["old@x.example", "new@x.example"]
    assert Person.objects.count() == 1


def test_a_known_address_is_that_person_in_every_source(say, told, now):
    known = people.create(first_name="Ada", emails=["ada@x.example"], actor=None, now=now)
    told(say("identify", user="u1", traits={"email": "ada@x.example"}))
    assert Person.objects.get() == known
    assert PersonRef.objects.get().person == known


def test_a_pseudonym_that_a_colleague_has_worked_on_stays(say, told, now):
    told(say("track", user="u1", name="Signed In"))
    pseudonym = Person.objects.get()
    people.update(person=pseudonym, changes={"phones": ["+49 30 901820"]}, actor=None, now=now)
    people.create(first_name="Ada", emails=["ada@x.example"], actor=None, now=now)
    told(say("identify", minute=2, user="u1", traits={"email": "ada@x.example"}))
    assert Person.objects.count() == 2
    assert IdentityConflict.objects.get().person == pseudonym


def test_an_alias_gives_the_visitors_past_to_the_user(say, told):
    told(
        say(anonymous="old-id", url="https://x/1"),
        say("alias", minute=1, user="u1", previous_id="old-id"),
        say("identify", minute=2, user="u1", traits={"email": "a@x.example"}),
    )
    assert owners() == {"https://x/1": "a@x.example"}


def test_a_user_id_written_as_an_address_is_that_address(say, told):
    told(say("track", user="Jen@Email.example", name="Signed In"))
    assert PersonEmail.objects.get().email == "jen@email.example"


def test_a_form_says_who_the_visitor_is(say, told, web, now):
    told(say(anonymous="v1", url="https://x/1"), say(anonymous="v1", minute=9, url="https://x/2"))
    ada = people.create(emails=["ada@x.example"], actor=None, now=now)
    visitors.join(source=web, anonymous_id="v1", person=ada, at=START + timedelta(minutes=5), now=NOON)
    assert owners() == {"https://x/1": "ada@x.example", "https://x/2": "ada@x.example"}


def test_a_form_before_the_first_event_counts_for_what_comes(say, told, web, now):
    ada = people.create(emails=["ada@x.example"], actor=None, now=now)
    visitors.join(source=web, anonymous_id="v1", person=ada, at=START, now=NOON)
    visitors.run_once(now=NOON, limit=10)
    told(say(anonymous="v1", minute=9, url="https://x/2"))
    assert owners() == {"https://x/2": "ada@x.example"}


def test_a_join_does_not_take_what_another_person_owned(say, told, web, now):
    told(
        say("identify", anonymous="v1", user="a", traits={"email": "a@x.example"}),
        say(anonymous="v1", minute=1, url="https://x/1"),
        say(anonymous="v1", minute=9, url="https://x/2"),
    )
    ada = people.create(emails=["ada@x.example"], actor=None, now=now)
    visitors.join(source=web, anonymous_id="v1", person=ada, at=START + timedelta(minutes=5), now=NOON)
    assert owners() == {"https://x/1": "a@x.example", "https://x/2": "ada@x.example"}


def test_a_join_that_was_left_for_later_is_carried_out_by_the_loop(say, told, web, now):
    told(say(anonymous="v1", url="https://x/1"))
    ada = people.create(emails=["ada@x.example"], actor=None, now=now)
    VisitorJoin.objects.create(source=web, anonymous_id="v1", person=ada, at=START)
    assert visitors.run_once(now=NOON, limit=10) == 1
    assert owners() == {"https://x/1": "ada@x.example"}
    assert visitors.run_once(now=NOON, limit=10) == 0


def test_the_earliest_claim_of_a_pair_is_kept(say, told):
    for minute in (5, 2, 9):
        told(say("identify", minute=minute, user="a", traits={"email": "a@x.example"}))
    claim = IdentityClaim.objects.get()
    assert claim.at == START + timedelta(minutes=2)
    assert claim.email_placed_on == claim.user_placed_on == Person.objects.get()


def test_what_colleagues_have_merged_no_later_claim_parts(say, told, mara, now):
    told(
        say("identify", user="a", traits={"email": "a@x.example"}),
        say("identify", minute=1, user="b", traits={"email": "b@x.example"}),
    )
    a, b = (PersonEmail.objects.get(email=f"{n}@x.example").person for n in "ab")
    merges.merge_records(kind="person", survivor_id=a.pk, merged_id=b.pk, actor=mara, now=now)
    told(
        say("identify", minute=5, user="b", traits={"email": "b2@x.example"}),
        say("track", minute=6, user="b", name="Signed In"),
    )
    assert set(a.emails.values_list("email", flat=True)) == {"a@x.example", "b@x.example", "b2@x.example"}
    assert not Event.objects.exclude(person=a).exists()


def test_a_source_of_customers_makes_no_leads(say, told, web):
    told(say("identify", user="a", traits={"email": "a@x.example"}))
    web.opens_laps = False
    web.save(update_fields=["opens_laps"])
    told(say("identify", minute=1, user="b", traits={"email": "b@x.example"}))
    assert [lead.person.emails.get().email for lead in Lead.objects.all()] == ["a@x.example"]


def test_a_new_lead_tells_the_visit_by_which_they_came(say, told):
    ad = {"utm_source": "google", "utm_medium": "cpc"}
    told(
        say(anonymous="v", url="https://x.example/lp", campaign=ad),
        say("identify", minute=2, anonymous="v", user="a", traits={"email": "a@x.example"}),
    )
    lead = Lead.objects.get()
    assert (lead.channel.code, lead.landing_page, lead.captured_at) == (
        "paid_search",
        "https://x.example/lp",
        START + timedelta(minutes=2),
    )
    assert [t.channel.code for t in lead.touchpoints.all()] == ["paid_search"]
