"""The funnel on its page and over HTTP, with what it costs; who may not edit the workflow or sees few contacts."""

from collections.abc import Iterator

import pytest

from console import access, monitoring, workflows
from console.access import policy_store
from console.db.engine import fetch, transaction
from console.forecasts import kept_funnels
from console.messages import channel_settings
from console.views import spend_words
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_until_idle
from tests.messages import reached
from tests.views.conftest import Pages
from tests.views.test_api_workflows import Program

URL = "/workflows/reaching/test/funnel"
TEXT = {
    "id": "text",
    "type": "sms",
    "config": {"text": "Hello"},
    "next": {"sent": "end", "skipped": "end", "failed": "end", "expired": "end"},
}


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    """The club, and a workflow that sends an SMS."""
    reached.founded(company)
    reached.workflow("reaching", [dict(TEXT)])
    with reached.clock(reached.NOON):
        yield company


def test_the_page_asks_for_a_funnel_follows_it_and_shows_it(club: Company) -> None:
    pages = Pages(club, web_app())
    page = pages.mona.get(URL)
    assert "Follow them" in page.text
    pages.mona.send(page, "/test/funnel", status=303, **{"chance.text.sent": "100", "chance.text.failed": "0"})
    assert "It goes on when you leave this page." in pages.mona.get(URL).text
    work_until_idle()
    told = pages.mona.get(URL).text
    for words in (
        "6 come here",
        "all of them; version 1, seed 1",
        "2 leave",
        "4 not sent: There is no telephone number.",
        "No price is set for 2 texts",
    ):
        assert words in told
    assert "/settings/channels" not in told, "no way to a page that would refuse her"
    assert "/settings/channels" not in pages.mona.get("/workflows/reaching/switch?to=active").text
    lacking = monitoring.activation(club.mona, "reaching").spend
    assert lacking is not None
    assert spend_words.unpriced(club.ines, lacking.spend) == [("2 texts", "/settings/channels#price-of-sms")]
    refused = pages.mona.send(pages.mona.get(URL), "/test/funnel", status=422, **{"chance.text.sent": "60", "chance.text.failed": "0"})
    assert "“Text”: the shares add up to 60, not to 100." in refused.text


def test_the_question_before_activation_says_the_same_spend_as_the_funnel(club: Company) -> None:
    price = {"price": "12.50", "currency": "EUR", "countries": "", "minutes": ""}
    channel_settings.save(club.ines, "sms", sandbox_on=True, script="", price=price)
    before = monitoring.activation(club.mona, "reaching").to_json()["spend"]
    assert (before["walked"], before["matching"], before["at_least"]) == (6, 6, False)
    assert before["spend"]["amounts"] == [{"amount": "25.00", "currency": "EUR"}]
    kept_funnels.ask(club.mona, "reaching", kept_funnels.Wanted("live"))
    work_until_idle()
    assert monitoring.activation(club.mona, "reaching").to_json()["spend"] == before
    pages = Pages(club, web_app())
    workflows.change(club.mona, "reaching", status="paused", reason="")
    assert "about €25.00 for 2 texts. For 6 who would be let in now." in pages.mona.get("/workflows/reaching/switch?to=active").text
    assert "about €25.00 for 2 texts" in pages.mona.get(URL).text
    channel_settings.save(club.ines, "sms", sandbox_on=True, script="", price=price | {"price": "25"})
    after = monitoring.activation(club.mona, "reaching").to_json()["spend"]
    assert after["spend"]["amounts"] == [{"amount": "50", "currency": "EUR"}], "by the price as it is now"


def test_steps_that_are_called_alike_are_told_apart(club: Company) -> None:
    first = TEXT | {"title": "Write", "next": dict.fromkeys(TEXT["next"], "again")}
    reached.workflow("reaching", [first, TEXT | {"id": "again", "title": "Write"}])
    kept_funnels.ask(club.mona, "reaching", kept_funnels.Wanted("live"))
    work_until_idle()
    told = Pages(club, web_app()).mona.get(URL).text
    assert ("Write, after Start" in told, "Write, after Write" in told) == (True, True)


def test_contacts_outside_the_scope_are_not_counted(club: Company) -> None:
    with transaction() as connection:
        rows = [
            access.Row("p", "role:operations_lead", "t:operations", "collection:contact", act, "deny", "record.id > 2")
            for act in ("browse", "read")
        ]
        policy_store.write(connection, added=rows)
    access.refresh()
    kept_funnels.ask(club.mona, "reaching", kept_funnels.Wanted("live"))
    work_until_idle()
    pages = Pages(club, web_app())
    assert "2 come here" in pages.mona.get(URL).text
    estimate = monitoring.activation(club.mona, "reaching").spend
    assert estimate is not None
    assert (estimate.walked, estimate.matching) == (2, 2)


def test_a_program_asks_follows_and_cancels_and_others_get_nothing(club: Company) -> None:
    web = web_app()
    mona, olivia, stan = (Program(web, getattr(club, name).id) for name in ("mona", "olivia", "stan"))
    address = "/workflows/reaching/funnels"
    asked = mona("POST", address, {"version": "live", "seed": 3}, 202)
    assert (asked["status"], asked["result"]) == ("waiting", None)
    work_until_idle()
    told = mona("GET", f"{address}/{asked['id']}")
    assert (told["status"], told["result"]["walked"], told["result"]["seed"]) == ("done", 6, 3)
    assert [step["reached"] for step in told["result"]["steps"]] == [6, 6, 6]
    other = mona("POST", address, {}, 202)
    assert mona("POST", f"{address}/{other['id']}/cancel", {})["status"] == "stopped"
    wrong = mona("POST", address, {"chances": {"text": {"sent": 1}}}, 422)
    assert wrong["details"][0]["field"] == "chances.text"
    for program, status in ((olivia, 403), (stan, 404)):
        program("POST", address, {}, status)
        program("GET", f"{address}/{asked['id']}", None, status)
        program("POST", f"{address}/{asked['id']}/cancel", {}, status)
    assert fetch("select count(*) from console.run") == [(0,)]


def test_a_wrong_price_is_shown_at_its_box_and_a_right_one_is_kept(club: Company) -> None:
    pages = Pages(club, web_app())
    url = "/settings/channels"
    wrong = pages.ines.send(pages.ines.get(url), "/channels/sms", status=422, price="cheap", currency="EUR")
    assert "Enter an amount such as 0.075, with at most 6 decimals." in wrong.text
    pages.ines.send(pages.ines.get(url), "/channels/sms", status=303, price="0.075", currency="eur", countries="lt 0.045")
    kept = channel_settings.price_of("sms")
    assert kept is not None
    assert kept.to_json() == {"amount": "0.075", "currency": "EUR", "by_country": {"LT": "0.045"}, "minutes": "2"}
    pages.mona.post(f"{url}/sms", {"csrf_token": pages.mona.token, "price": "1", "currency": "EUR"}, status=403)
