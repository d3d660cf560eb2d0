"""The kernel of the API, driven through a resource like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import override_settings
from rest_framework.test import APIClient

from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import ApiToken, IdempotentRequest, User
from tests.rest import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.rest.conftest")]


def reps() -> list[str]:
    return sorted(User.objects.get_queryset().filter(role=Role.REP).values_list("name", flat=True))


def test_without_a_token_the_answer_is_401(client: Any) -> None:
    response = client.get("/api/v1/people")
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "token", ["", "x", "sm_short_x", "sm_AAAAAAAA_" + "a" * 43, "sm_\x00AAAAAAA_" + "a" * 43]
)
def test_a_wrong_token_is_401(client: Any, token: str) -> None:
    assert_problem(
        client.get("/api/v1/people", headers={"Authorization": f"Bearer {token}"}), 401, "bad_token"
    )


def test_an_expired_a_revoked_and_a_leavers_token_are_401(admin: APIClient) -> None:
    assert admin.get("/api/v1/people").status_code == 200
    ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert_problem(admin.get("/api/v1/people"), 401, "bad_token")
    ApiToken.objects.update(expires_at=None, revoked_at=clock.now())
    assert_problem(admin.get("/api/v1/people"), 401, "bad_token")
    ApiToken.objects.update(revoked_at=None)
    User.objects.get_queryset().update(is_active=False)
    assert_problem(admin.get("/api/v1/people"), 401, "bad_token")


def test_a_program_with_a_token_gets_no_session(admin: APIClient) -> None:
    response = admin.get("/api/v1/people")
    assert (response.status_code, response.cookies.keys()) == (200, set())
    assert Session.objects.count() == 0


def test_a_read_token_can_not_write(
    make_user: Callable[..., User], client_of: Callable[..., APIClient]
) -> None:
    reader = client_of(make_user(Role.ADMIN), "read")
    assert reader.get("/api/v1/people").status_code == 200
    assert_problem(reader.post("/api/v1/people", {"name": "Ann"}, format="json"), 403, "scope_missing")
    assert reps() == []


def test_a_role_without_the_capability_is_refused_and_nothing_changes(
    make_user: Callable[..., User], client_of: Callable[..., APIClient]
) -> None:
    rep = make_user(Role.REP)
    client = client_of(rep)
    assert client.get("/api/v1/people").status_code == 200
    assert_problem(client.post("/api/v1/people", {"name": "Ann"}, format="json"), 403, "denied")
    assert_problem(
        client.patch(f"/api/v1/people/{rep.pk}", {"name": "Ann"}, format="json", HTTP_IF_MATCH="*"),
        403,
        "denied",
    )
    assert reps() == [rep.name]


def test_an_undeclared_method_is_405(admin: APIClient) -> None:
    response = admin.delete("/api/v1/people")
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_create_answers_201_with_location_and_etag(admin: APIClient) -> None:
    response = admin.post("/api/v1/people", {"name": "Ann"}, format="json")
    assert response.status_code == 201
    made = User.objects.get(name="Ann")
    assert response["Location"] == f"/api/v1/people/{made.pk}"
    assert response["ETag"] == '"1"'
    assert response.json() == {"id": made.pk, "name": "Ann", "region": "", "version": 1}
    assert admin.get(response["Location"])["ETag"] == '"1"'


def test_errors_point_at_the_members(admin: APIClient) -> None:
    body = assert_problem(admin.post("/api/v1/people", {"region": "x" * 21}, format="json"), 422, "invalid")
    assert {(e["pointer"], e["code"]) for e in body["errors"]} == {
        ("/name", "required"),
        ("/region", "max_length"),
    }
    body = assert_problem(
        admin.post("/api/v1/people", {"name": "Ann", "role": "admin", "id": 7}, format="json"), 422, "invalid"
    )
    assert [e["pointer"] for e in body["errors"]] == ["/id", "/role"]
    assert reps() == []


def test_an_edit_needs_the_version_it_read(admin: APIClient) -> None:
    path = admin.post("/api/v1/people", {"name": "Ann"}, format="json")["Location"]
    assert_problem(admin.patch(path, {"name": "Bea"}, format="json"), 428, "precondition_required")
    stale = admin.patch(path, {"name": "Bea"}, format="json", HTTP_IF_MATCH='"9"')
    assert_problem(stale, 412, "stale")
    assert reps() == ["Ann"]
    done = admin.patch(path, {"name": "Bea"}, format="json", HTTP_IF_MATCH='"1"')
    assert (done.status_code, done["ETag"]) == (200, '"2"')
    assert reps() == ["Bea"]


def test_an_error_after_a_write_rolls_the_write_back(admin: APIClient) -> None:
    assert_problem(admin.post("/api/v1/people", {"name": "explode"}, format="json"), 422, "invalid")
    assert reps() == []


def test_a_repeated_post_with_the_same_key_happens_once(admin: APIClient) -> None:
    first = admin.post("/api/v1/people", {"name": "Ann"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    again = admin.post("/api/v1/people", {"name": "Ann"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert (again.status_code, again.content, again["Location"]) == (201, first.content, first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert reps() == ["Ann"]
    other = admin.post("/api/v1/people", {"name": "Bea"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert_problem(other, 422, "idempotency_key_reused")
    assert reps() == ["Ann"]


def test_a_refused_post_does_not_use_up_its_key(admin: APIClient) -> None:
    assert admin.post("/api/v1/people", {}, format="json", HTTP_IDEMPOTENCY_KEY="k1").status_code == 422
    assert IdempotentRequest.objects.count() == 0
    assert (
        admin.post("/api/v1/people", {"name": "Ann"}, format="json", HTTP_IDEMPOTENCY_KEY="k1").status_code
        == 201
    )


def test_lists_are_paged_by_links(admin: APIClient) -> None:
    for name in "EDCBA":
        admin.post("/api/v1/people", {"name": name}, format="json")
    page = admin.get("/api/v1/people?limit=2")
    seen = [[row["name"] for row in page.json()["results"]]]
    assert page.json()["previous"] is None
    assert page["Link"] == f'<{page.json()["next"]}>; rel="next"'
    while page.json()["next"]:
        page = admin.get(page.json()["next"].split(":8000")[1])
        seen.append([row["name"] for row in page.json()["results"]])
    assert seen == [["A", "B"], ["C", "D"], ["E"]]
    back = admin.get(page.json()["previous"].split(":8000")[1])
    assert [row["name"] for row in back.json()["results"]] == ["C", "D"]


@override_settings(SITE_URL="https://crm.example.com", ALLOWED_HOSTS=["*"])
def test_links_ignore_the_host_header(admin: APIClient) -> None:
    for name in "AB":
        admin.post("/api/v1/people", {"name": name}, format="json")
    page = admin.get("/api/v1/people?limit=1", HTTP_HOST="evil.example")
    assert page.json()["next"].startswith("https://crm.example.com/api/v1/people?limit=1&cursor=")


@pytest.mark.parametrize(
    "query",
    [
        "color=red", "limit=0", "limit=201", "limit=x", "limit=%D9%A1", "cursor=x",
        "ordering=password", "ordering=name;drop", "ordering=-", "ordering=name,,", "ordering=user__password",
        "cursor=e30", "search=a", "name=a", "password__startswith=a", "_connector=OR",
        "format=xml",
    ],
)  # fmt: skip
def test_unknown_or_wrong_parameters_are_400(admin: APIClient, query: str) -> None:
    response = admin.get(f"/api/v1/people?{query}")
    assert response.status_code == 400, response.content
    assert response.json()["type"] in (
        "urn:smarketing:problem:bad_parameter",
        "urn:smarketing:problem:bad_cursor",
    )


def test_nul_in_the_address_is_400(admin: APIClient) -> None:
    for path in ("/api/v1/people?cursor=%00", "/api/v1/people/%00"):
        assert_problem(admin.get(path), 400, "bad_request")


def test_an_unknown_parameter_is_told_the_allowed_ones(admin: APIClient) -> None:
    body = assert_problem(admin.get("/api/v1/people?colour=red"), 400, "bad_parameter")
    assert body["errors"] == [
        {"pointer": "/colour", "code": "unknown", "detail": "Allowed here: cursor, limit, ordering."}
    ]


@pytest.mark.parametrize(
    "path", ["/api/v1/people/99999999999999999999", "/api/v1/people/x", "/api/v1/people/0"]
)
def test_no_such_object_is_404(admin: APIClient, path: str) -> None:
    assert admin.get(path).status_code == 404


HOSTILE: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 422),
    "deep list": (b"[" * 100_000, 400),
    "deep closed": (b"[" * 5000 + b"]" * 5000, 400),
    "deep dicts": (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
    "21 levels": (b'{"name":' + b"[" * 20 + b"]" * 20 + b"}", 400),
    "nul value": (b'{"name":"a\\u0000"}', 400),
    "nul key": (b'{"na\\u0000me":"a"}', 400),
    "surrogate": (b'{"name":"\\ud800"}', 400),
    "surrogate key": (b'{"\\udfff\\ud800":"a"}', 400),
    "NaN": (b'{"name":NaN}', 400),
    "Infinity": (b'{"name":-Infinity}', 400),
    "1e400": (b'{"name":1e400}', 400),
    "long int": (b'{"name":' + b"9" * 4000 + b"}", 400),
    "5000 digits": (b'{"name":' + b"9" * 5000 + b"}", 400),
    "2**63": (b'{"name":9223372036854775808}', 400),
    "twice": (b'{"name":"a","name":"b"}', 400),
    "bom": (b'\xef\xbb\xbf{"name":"a"}', 400),
    "utf-16": ('{"name":"a"}'.encode("utf-16"), 400),
    "latin-1": (b'{"name":"\xe9"}', 400),
    "trailing": (b'{"name":"a"} x', 400),
    "comment": (b'{"name":"a"/*x*/}', 400),
    "list": (b"[1,2]", 422),
    "scalar": (b"7", 422),
    "null": (b"null", 422),
    "many": (json.dumps({"name": list(range(2000))}).encode(), 400),
    "big": (b'{"name":"' + b"a" * 1_100_000 + b'"}', 413),
    "long key": (b'{"' + b"k" * 900_000 + b'":1}', 422),
    "nested name": (b'{"name":{"a":1}}', 422),
    "boolean name": (b'{"name":true}', 422),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_json_is_refused_and_changes_nothing(admin: APIClient, case: str) -> None:
    body, status = HOSTILE[case]
    response = admin.post("/api/v1/people", body, content_type="application/json")
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/problem+json"
    assert reps() == []


def test_json_cut_at_every_byte_is_400(admin: APIClient) -> None:
    whole = '{"name": "Ünn", "region": "x"}'.encode()
    for end in range(1, len(whole)):
        assert admin.post("/api/v1/people", whole[:end], content_type="application/json").status_code == 400
    assert reps() == []


def test_other_media_types_and_encodings_are_415(admin: APIClient) -> None:
    assert_problem(
        admin.post("/api/v1/people", "a=1", content_type="text/plain"), 415, "unsupported_media_type"
    )
    packed = admin.post("/api/v1/people", b"x", content_type="application/json", HTTP_CONTENT_ENCODING="gzip")
    assert_problem(packed, 415, "unsupported_media_type")


def test_a_session_needs_the_csrf_token(make_user: Callable[..., User]) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user(Role.ADMIN), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/api/v1/people").status_code == 200
    assert_problem(client.post("/api/v1/people", {"name": "Ann"}, format="json"), 403, "permission_denied")
    assert reps() == []
