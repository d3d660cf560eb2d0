"""The blind questionnaire in pages."""

from __future__ import annotations

from funnel.models import Questionnaire, QuestionnaireAnswer
from smarketing.users.models import User
from tests.funnel.views.conftest import SignedIn

URL = "/settings/questionnaires/"


def test_both_teams_answer_apart_and_then_see_where_they_differ(
    signed_in: SignedIn, sam: User, rita: User, mara: User, olga: User
) -> None:
    assert "Nobody was asked yet" in signed_in(sam).get(URL).content.decode()
    assert signed_in(rita).post(f"{URL}start/", {"quorum": "1"}).status_code == 403
    assert signed_in(sam).post(f"{URL}start/", {"quorum": "x"}).status_code == 422
    assert signed_in(sam).post(f"{URL}start/", {"quorum": "1"}).status_code == 303
    found = Questionnaire.objects.get()
    page = f"{URL}{found.pk}/"
    partly = signed_in(rita).post(f"{page}answer/", {"rating-fit.decides": "1", "words-definition": "Eager"})
    assert (partly.status_code, b"Eager" in partly.content, b"checked" in partly.content) == (422, True, True)
    assert not QuestionnaireAnswer.objects.exists()
    for user, rating in ((rita, "1"), (mara, "-1")):
        data = {f"rating-{item['key']}": rating for item in found.items} | {"words-definition": user.name}
        assert signed_in(user).post(f"{page}answer/", data).status_code == 303
        seen = signed_in(olga).get(page).content.decode()
        assert (user is rita) == ("Rita Rep" not in seen)
    text = signed_in(olga).get(page).content.decode()
    assert "Where the teams differ, widest first" in text
    assert "Draft what both agree on" not in text
    assert signed_in(olga).post(f"{page}answer/", {}).status_code == 403
    assert signed_in(sam).post(f"{page}draft/").status_code == 303
    assert "Revealed" in signed_in(sam).get(URL).content.decode()
