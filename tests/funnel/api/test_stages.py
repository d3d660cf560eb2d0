"""Stages and transitions over the REST interface."""

from __future__ import annotations

import pytest

from funnel.models import Stage
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db


def test_managers_set_stages_up_and_others_read_them(sam, rita, olga):
    body = {"name": "Engaged", "role": "main", "after": "lead", "owner_side": "marketing",
            "rule": [{"path": "score.interest", "operator": "at_least", "value": 10}]}  # fmt: skip
    for user in (rita, olga):
        assert client_for(user).post("/api/v1/stages", body, format="json").status_code == 403
    made = client_for(sam).post("/api/v1/stages", body, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["code"], told["counts_as"], told["position"], told["rule"]) == (
        "engaged",
        "lead",
        2,
        body["rule"],
    )
    path = f"/api/v1/stages/{told['id']}"
    assert client_for(olga).get(path).json() == told
    wrong = client_for(sam).patch(path, {"rule": [{"path": "x.y", "operator": "known"}]},
                                  format="json", headers={"If-Match": made["ETag"]})  # fmt: skip
    assert_problem(wrong, 422, "bad_stage")
    changed = client_for(sam).patch(
        path, {"meaning": "They answered."}, format="json", headers={"If-Match": made["ETag"]}
    )
    assert (changed.json()["meaning"], changed.json()["version"]) == ("They answered.", 2)
    stale = client_for(sam).patch(path, {"name": "X"}, format="json", headers={"If-Match": made["ETag"]})
    assert stale.status_code == 412
    versions = client_for(rita).get(f"{path}/versions").json()["results"]
    assert [(v["version"], v["document"]["meaning"]) for v in versions] == [(2, "They answered."), (1, "")]
    assert client_for(rita).post(f"{path}/retire").status_code == 403
    assert client_for(sam).post(f"{path}/retire").json()["is_active"] is False
    assert client_for(sam).post(f"{path}/restore").json()["is_active"] is True
    mql = Stage.objects.get(code="mql")
    assert_problem(client_for(sam).post(f"/api/v1/stages/{mql.pk}/retire"), 409, "stage_in_use")
