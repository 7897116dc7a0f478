"""Being away: said on one's own page or by who manages people, shown where work is handed out and where it is done; and the same by program."""

from datetime import timedelta
from typing import Any

from console import log
from console.auth.accounts import absences
from tests.support.four_eyes import asking
from tests.views.conftest import Pages
from tests.views.test_webhook_pages import key

OWN = "/settings/me/absences"


def days(**more: Any) -> dict[str, Any]:
    today = log.now().date()
    return {
        "first": str(today),
        "last": str(today + timedelta(days=3)),
        "substitute": "olivia@fernwick.example",
    } | more


def test_said_on_ones_own_page_wrong_days_keep_what_was_typed_and_it_is_ended_there(pages: Pages) -> None:
    ahead = pages.tom.post(
        OWN, days(first="9999-12-30", last="9999-12-31", csrf_token=pages.tom.token), status=422
    )
    assert "takes a day of the next 10 years" in ahead.text
    refused = pages.tom.post(OWN, days(last="2020-01-01", csrf_token=pages.tom.token), status=422)
    assert "takes today or a later day" in refused.text
    assert 'value="olivia@fernwick.example"' in refused.html
    pages.tom.post(OWN, days(csrf_token=pages.tom.token))
    page = pages.tom.get("/settings/me").text
    assert all(words in page for words in ("Away now", "Olivia stands in"))
    assert (
        "on one of these days"
        in pages.tom.post(OWN, days(csrf_token=pages.tom.token), status=409).text.lower()
    )
    (kept,) = absences.people_away().values()
    for who in ("olivia", "stan"):
        browser = getattr(pages, who)
        browser.post(f"{OWN}/{kept.id}/end", {"csrf_token": browser.token}, status=404)
        browser.post(
            f"/settings/people/{kept.person}/absences/{kept.id}/end",
            {"csrf_token": browser.token},
            status=403,
        )
    pages.ines.post(
        f"/settings/people/{kept.person}/absences/{kept.id}/end", {"csrf_token": pages.ines.token}
    )
    assert absences.people_away() == {}
    pages.ines.post(f"/settings/people/{kept.person}/absences", days(csrf_token=pages.ines.token))
    assert "Olivia stands in" in pages.ines.get(f"/settings/people/{kept.person}").text


def test_by_program_ones_own_alone_and_of_others_for_who_manages_people(pages: Pages) -> None:
    company, client = pages.company, pages.app.test_client()
    place = f"/api/v1/people/{company.tom.id}/absences"
    own = key(company.tom)
    made = client.post(place, json=days(), headers=own | {"X-Idempotency-Key": "once"})
    assert (made.status_code, made.get_json()["substitute"]) == (201, company.olivia.id)
    assert made.get_json()["undecidable"] == []
    assert (
        client.post(place, json=days(), headers=own | {"X-Idempotency-Key": "once"}).get_json()
        == made.get_json()
    )
    assert client.post(place, json=days(), headers=own).get_json()["code"] == "away_already"
    assert [one["id"] for one in client.get(place, headers=own).get_json()["data"]] == [made.get_json()["id"]]
    for who in ("olivia", "mona", "stan"):
        other = key(company.people[who])
        assert client.get(place, headers=other).status_code == 403
        assert client.post(place, json=days(), headers=other).status_code == 403
        assert client.delete(f"{place}/{made.get_json()['id']}", headers=other).status_code == 403
    admin = key(company.people["ines"])
    assert client.delete(f"{place}/{made.get_json()['id']}", headers=admin).status_code == 204
    asking(roles=["operations_lead"])
    made = client.post(
        f"/api/v1/people/{company.mona.id}/absences",
        json=days(substitute="tom@fernwick.example"),
        headers=key(company.mona),
    )
    assert made.get_json()["undecidable"] == ["Asking"], "what nobody approves meanwhile"
