"""Whom a page names is believed as its source asks for proof; forged calls change nobody (T13, T26)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from leads.domain import proofs
from leads.models import Event, IdentitySecret, IntakeCount, Person, Source, Visitor, WriteKey
from leads.services import identity_secrets, inbox, people
from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.core.errors import Denied
from smarketing.users.models import User
from tests.leads.intake.conftest import Send
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
ANN = "ann@example.com"
Told = Callable[..., Any]


@pytest.fixture
def ann(now: datetime) -> Person:
    """Somebody who is known already."""
    return people.create(first_name="Ann", emails=[ANN], actor=None, now=now)


@pytest.fixture
def secret(site: Source, now: datetime) -> str:
    """The secret of the website, whose pages need a proof."""
    issued = identity_secrets.turn(source=site, actor=None, now=now)
    identity_secrets.demand(source=site, required=True, actor=None, now=now)
    return issued.secret


@pytest.fixture
def told(send: Send) -> Told:
    """Send a call of a page and apply it."""

    def say(type: str, *, proof: Any = "", messages: str = "1", **call: Any) -> Any:
        body = {"messageId": f"m-{messages}", "anonymousId": "a-1", **call}
        if proof:
            body["context"] = {"proof": proof}
        answer = send(f"/v1/{type}", body).json()
        inbox.run_once(now=clock.now(), limit=100)
        return answer

    return say


def written_by_hand(secret: str, *parts: str, expires: int = 0) -> str:
    """What the guide tells others to write."""
    text = "\n".join([str(expires), *parts])
    return f"v1.{expires}." + hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def state() -> list[Any]:
    """All that tracking might have done to persons."""
    return [
        list(Person.objects.order_by("pk").values("pk", "first_name", "title", "version")),
        sorted(Event.objects.exclude(person=None).values_list("name", "person")),
        sorted(Visitor.objects.exclude(person=None).values_list("anonymous_id", "person")),
    ]


def counted(outcome: str) -> int:
    return sum(IntakeCount.objects.filter(outcome=outcome).values_list("events", flat=True))


def test_a_proven_call_names_the_person_and_what_follows_is_theirs(
    told: Told, ann: Person, secret: str, now: datetime
) -> None:
    expires = int(now.timestamp()) + 10**9
    told(
        "identify",
        userId="42",
        traits={"email": " Ann@Example.com", "title": "Head of Ops"},
        proof=written_by_hand(secret, "42", ANN, expires=expires),
    )
    told("page", messages="2", properties={"url": "https://x.example/pricing"})
    ann.refresh_from_db()
    assert ann.title == "Head of Ops"
    assert Visitor.objects.get().person == ann
    assert set(Event.objects.values_list("person", flat=True)) == {ann.pk}
    assert counted("unproven") == 0


FORGED: list[tuple[str, dict[str, Any], Callable[[str], Any]]] = [
    ("none", {"userId": "42", "traits": {"email": ANN}}, lambda s: ""),
    ("no address", {"traits": {"email": ANN}}, lambda s: ""),
    ("a user id that is an address", {"userId": ANN}, lambda s: ""),
    ("garbage", {"traits": {"email": ANN}}, lambda s: "v1.0." + "0" * 64),
    ("no text", {"traits": {"email": ANN}}, lambda s: {"v1": 1}),
    ("another secret", {"traits": {"email": ANN}}, lambda s: proofs.sign("ids_other", email=ANN)),
    ("somebody else", {"traits": {"email": ANN}}, lambda s: proofs.sign(s, email="me@example.com")),
    ("the id alone", {"userId": "7", "traits": {"email": ANN}}, lambda s: proofs.sign(s, user_id="7")),
    ("parts moved", {"userId": f"7\n{ANN}"}, lambda s: proofs.sign(s, user_id="7", email=ANN)),
    ("nothing", {"traits": {"title": "Owned"}}, lambda s: proofs.sign(s)),
    ("expired", {"traits": {"email": ANN}}, lambda s: proofs.sign(s, email=ANN, expires=1)),
    ("other digits", {"traits": {"email": ANN}}, lambda s: proofs.sign(s, email=ANN).replace("0", "٠", 1)),
    ("written large", {"traits": {"email": ANN}}, lambda s: proofs.sign(s, email=ANN).upper()),
]


@pytest.mark.parametrize(("call", "forge"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
def test_a_forged_call_attaches_to_nobody_and_overwrites_nothing(
    told: Told, ann: Person, secret: str, call: dict[str, Any], forge: Callable[[str], Any]
) -> None:
    before = state()
    traits = {**call.get("traits", {}), "title": "Owned", "firstName": "Mallory", "phone": "+1 202 555 0100"}
    told("identify", **{**call, "traits": traits}, proof=forge(secret))
    told("track", messages="2", event="Signed Up", userId=call.get("userId", "42"))
    assert state() == before
    assert Visitor.objects.get().person is None
    assert Event.objects.count() == 2  # kept, as what a visitor did
    assert counted("unproven") + counted("wrong_proof") == 1


def test_a_forged_call_of_a_proven_visitor_leaves_their_traits(told: Told, ann: Person, secret: str) -> None:
    told("identify", traits={"email": ANN, "title": "Head"}, proof=proofs.sign(secret, email=ANN))
    told("identify", messages="2", traits={"email": "boss@example.com", "title": "Owned"})
    told("identify", messages="3", traits={"title": "Owned too"})
    ann.refresh_from_db()
    assert ann.title == "Head"
    assert Visitor.objects.get().person == ann
    assert Person.objects.count() == 1


def test_a_proven_alias_joins_this_browser_and_no_other_name(told: Told, ann: Person, secret: str) -> None:
    told("identify", userId="victim", proof=proofs.sign(secret, user_id="victim"), anonymousId="a-9")
    told("alias", messages="2", userId="me", previousId="victim", proof=proofs.sign(secret, user_id="me"))
    owners = set(Visitor.objects.values_list("anonymous_id", "person__refs__external_id"))
    assert owners == {("a-9", "victim"), ("a-1", "me"), ("a-1", "a-1")}


def test_without_person_and_visitor_nothing_is_taken(told: Told, secret: str) -> None:
    answer = told("identify", anonymousId="", userId="42", traits={"email": ANN})
    assert answer["refused"][0]["code"] == "no_proof"
    assert answer["refused"][0]["field"] == "context.proof"
    assert not Event.objects.exists()


def test_while_a_proof_is_optional_only_a_wrong_one_is_not_believed(
    told: Told, ann: Person, secret: str, site: Source, now: datetime
) -> None:
    identity_secrets.demand(source=site, required=False, actor=None, now=now)
    told("identify", traits={"email": "new@example.com"}, proof="v1.0." + "f" * 64)
    assert (Person.objects.count(), counted("wrong_proof")) == (1, 1)
    told("identify", messages="2", traits={"email": "new@example.com"})
    assert (Person.objects.count(), counted("unsigned")) == (2, 1)


def test_a_server_is_believed_and_the_former_secret_for_a_day(
    send: Send, told: Told, ann: Person, secret: str, site: Source, server_key: str, now: datetime
) -> None:
    send("/v1/identify", {"messageId": "s", "userId": "42", "traits": {"email": ANN}}, key=server_key)
    inbox.run_once(now=clock.now(), limit=10)
    assert ann.refs.get().external_id == "42"
    identity_secrets.turn(source=site, actor=None, now=clock.now())
    told("identify", userId="42", proof=proofs.sign(secret, user_id="42"))
    assert Visitor.objects.get().person == ann
    IdentitySecret.objects.update(former_until=clock.now() - timedelta(seconds=1))
    told("identify", messages="2", anonymousId="a-2", userId="42", proof=proofs.sign(secret, user_id="42"))
    assert Visitor.objects.get(anonymous_id="a-2").person is None


def test_a_secret_no_key_opens_believes_nobody(told: Told, ann: Person, secret: str) -> None:
    IdentitySecret.objects.update(secret="of another installation")
    before = state()
    told("identify", traits={"email": ANN}, proof=proofs.sign(secret, email=ANN))
    told("identify", messages="2", traits={"email": ANN}, proof=proofs.sign("", email=ANN))
    assert state() == before


def test_a_picture_needs_its_proof_too(
    client: Client, ann: Person, secret: str, browser_key: WriteKey
) -> None:
    query = {"writeKey": browser_key.public_key, "messageId": "p", "anonymousId": "a-1", "traits.email": ANN}
    client.get("/v1/pixel/identify", query)
    good = {**query, "messageId": "q", "anonymousId": "a-2"}
    client.get("/v1/pixel/identify", good | {"context.proof": proofs.sign(secret, email=ANN)})
    inbox.run_once(now=clock.now(), limit=10)
    assert dict(Visitor.objects.values_list("anonymous_id", "person")) == {"a-1": None, "a-2": ann.pk}


def test_the_secret_is_shown_once_turned_required_and_given_up(
    client: Client, adam: User, browser_key: WriteKey, told: Told, now: datetime
) -> None:
    client.force_login(adam)
    home = f"/settings/tracking/{browser_key.pk}/"
    assert "Make an identity secret?" in client.get(f"{home}secret/").content.decode()
    page = client.post(f"{home}secret/").content.decode()
    text = next(word.split('"')[0] for word in page.split('value="') if word.startswith("ids_"))
    kept = IdentitySecret.objects.get()
    assert text not in kept.secret
    client.post(f"{home}proof/", {"on": "1"})
    told("identify", traits={"email": ANN})
    page = client.get(home).content.decode()
    assert text not in page
    assert kept.secret not in page
    assert "Need a proof" in page
    assert "<dd>1</dd>" in page  # calls without proof
    client.post(f"{home}secret/give-up/")
    assert not IdentitySecret.objects.exists()
    assert "Believed" in client.get(home).content.decode()
    entries = AuditEntry.objects.filter(action__startswith="identity_")
    assert entries.count() == 3
    assert text not in str(list(entries.values()))


def test_the_same_over_rest_for_admins_only(site: Source, adam: User, rita: User, now: datetime) -> None:
    path, api = f"/api/v1/sources/{site.pk}", client_for(adam)
    for action in ("turn-identity-secret", "require-proof", "give-up-identity-secret"):
        assert_problem(client_for(rita).post(f"{path}/{action}", {}, format="json"), 403, "denied")
    assert not IdentitySecret.objects.exists()
    body = {"required": True}
    assert_problem(api.post(f"{path}/require-proof", body, format="json"), 422, "no_identity_secret")
    made = api.post(f"{path}/turn-identity-secret").json()
    assert (made["source"]["proof"], made["secret"][:4]) == ("optional", "ids_")
    assert api.post(f"{path}/require-proof", body, format="json").json()["proof"] == "required"
    assert made["secret"] not in api.get(path).content.decode()
    assert api.post(f"{path}/give-up-identity-secret").json()["proof"] == "none"
    with pytest.raises(Denied):
        identity_secrets.turn(source=site, actor=rita, now=now)
