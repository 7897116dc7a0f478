"""Changes outside as people see them: tried again, unknown and checked, kept or made again, taken back before a revision and an end. The API says the same."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from console import runs
from tests.support.paying import PAY, Provider, at_pay, paying, providing
from tests.views.conftest import Page
from tests.views.test_api_runs import Caller

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def handed_in(
    pages: "Pages", amount: str = "5", htmx: str | None = None, status: int = 303, **more: str
) -> tuple[str, Page]:
    """(run, the page after the payment was handed in)."""
    run = at_pay(pages.company)
    page = pages.olivia.get(f"/runs/{run}")
    return run, pages.olivia.send(page, "/complete", htmx, status, v_amount=amount, **more)


def again(pages: "Pages", run: str, htmx: str | None = None, amount: str = "5", status: int = 409) -> Page:
    """Sent back to the payment and handed in once more: the question that is asked."""
    runs.revise(pages.company.olivia, run, revision=None, step="pay", attempt=None, reason="again")
    return pages.olivia.send(pages.olivia.get(f"/runs/{run}"), "/complete", htmx, status, v_amount=amount)


def test_an_unknown_change_shows_what_was_sent_and_is_checked(pages: "Pages", provider: Provider) -> None:
    paying()
    provider.mood = "mute"
    run, _ = handed_in(pages)
    page = pages.olivia.get(f"/runs/{run}")
    for words in (
        "Nobody knows whether it happened",
        provider.asked()[0],
        "Sent toprovider",
        "Amount5",
        "Check again",
        "if not, it is sent once more under the same key",
    ):
        assert words in page.text, words
    check = page.with_attribute("formaction")
    assert [told["formaction"] for told in check].count(f"/runs/{run}/check") == 1
    assert "Leave it as it is" not in page.text
    provider.receiver.raw, kept = (lambda handler: handler.connection.close()), provider.receiver.raw
    form = page.form("/settle")["fields"]
    drawn = pages.olivia.post(f"/runs/{run}/check", form, htmx="run", status=200)
    assert "It still cannot be told" in drawn.text
    provider.receiver.raw = kept
    pages.olivia.post(f"/runs/{run}/check", form, status=303)
    assert pages.company.told(run)["current"]["step"] == "after"
    assert provider.payments == [5]


@pytest.mark.parametrize("htmx", [None, "run"])
def test_a_change_that_was_made_before_asks_in_a_dialog_and_is_kept(
    pages: "Pages", provider: Provider, htmx: str | None
) -> None:
    paying()
    run, _ = handed_in(pages)
    asked = again(pages, run, htmx)
    assert pages.olivia.answer.headers.get("HX-Retarget") == ("#dialog" if htmx else None)
    assert ("h2", "This was done already") in asked.headings
    assert "Pay through the provider" in asked.text
    form = asked.form("/complete")
    assert (form["fields"]["v.amount"], form["fields"]["step"], form["fields"].get("repeat")) == (
        "5",
        "pay",
        None,
    )
    assert [told["value"] for told in asked.with_attribute("required") if told.get("name") == "repeat"] == [
        "keep",
        "again",
        "compensate",
    ]
    pages.olivia.send(asked, "/complete", htmx, 200 if htmx else 303, repeat="keep")
    assert (pages.company.told(run)["current"]["step"], provider.payments) == ("after", [5])


@pytest.mark.parametrize("dialog", ["revise?step=look", "abort"])
def test_going_back_and_breaking_off_offer_to_take_back(
    pages: "Pages", provider: Provider, dialog: str
) -> None:
    ticked = dialog == "abort"  # what the action says of its compensation
    paying(document=PAY | {"compensation": PAY["compensation"] | {"ticked": ticked}})
    run, _ = handed_in(pages)
    asked = pages.olivia.get(f"/runs/{run}/{dialog}", htmx="dialog")
    boxes = [told for told in asked.with_attribute("value") if told.get("name") == "compensate"]
    assert len(boxes) == 1
    assert ("checked" in boxes[0]) == ticked
    assert "Take back: Recall the payment" in asked.text
    action = "/revise" if dialog.startswith("revise") else "/abort"
    without = pages.olivia.send(asked, action, "dialog", 422, compensate=boxes[0]["value"])
    assert [told for told in without.with_attribute("checked") if told.get("name") == "compensate"], (
        "the tick stays"
    )
    pages.olivia.send(without, action, "run", 200, reason="Not wanted")
    assert provider.recalls == ["pay_1"]
    told = pages.company.told(run)
    assert (told["status"], (told["current"] or {}).get("step")) == (
        ("waiting_person", "look") if action == "/revise" else ("aborted", None)
    )


@pytest.mark.parametrize("command", ["check", "stop-trying"])
def test_strangers_neither_check_nor_stop(pages: "Pages", provider: Provider, command: str) -> None:
    paying()
    provider.mood = "mute" if command == "check" else "busy"
    run, _ = handed_in(pages)
    told = pages.company.told(run)
    form = {"revision": str(told["revision"]), "effect": told["current"]["effect"]["id"]}
    for browser, status in ((pages.stan, 404), (pages.tom, 409)):
        browser.post(f"/runs/{run}/{command}", form | {"csrf_token": browser.token}, status=status)
    assert pages.company.told(run)["status"] == told["status"]


# ------------------------------------------------------------------------------------------------------------------- API


@pytest.fixture
def olivia(pages: "Pages") -> Caller:
    return Caller(pages.app, pages.company.olivia.id)


def test_the_api_keeps_does_again_and_takes_back(pages: "Pages", provider: Provider, olivia: Caller) -> None:
    paying()
    run, _ = handed_in(pages)
    effect = olivia.get(f"/runs/{run}/abort-preview").get_json()["effects_done"][0]
    assert effect["compensation"] == {
        "action": "customer.recall",
        "label": "Recall the payment",
        "ticked": False,
    }
    assert olivia.get(f"/runs/{run}/revise-preview?step=pay").get_json()["effects_done"] == [effect]

    def post(verb: str, status: int, **sent: Any) -> dict[str, Any]:
        revision = pages.company.told(run)["revision"]
        answer = olivia.post(f"/runs/{run}/{verb}", {"revision": revision} | sent)
        assert answer.status_code == status, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        return found

    post("revise", 200, step="pay", reason="again")
    asked = post("complete", 409, step="pay", values={"amount": 5})
    assert (asked["code"], [each["value"] for each in asked["details"]]) == (
        "already_done",
        ["keep", "again", "compensate"],
    )
    assert asked["effects"] == [{"id": effect["id"], "kind": "http", "summary": "Pay through the provider"}]
    assert (
        post("complete", 422, step="pay", values={"amount": 5}, repeat="again")["details"][0]["field"]
        == "reason"
    )
    assert (
        post("complete", 422, step="pay", values={"amount": 5}, repeat="twice")["details"][0]["field"]
        == "repeat"
    )
    assert (
        post("complete", 200, step="pay", values={"amount": 5}, repeat="keep")["attempts"][-2]["effects"][0][
            "keeps"
        ]
        == effect["id"]
    )
    assert (
        post("revise", 422, step="look", reason="back", compensate="eff")["details"][0]["field"]
        == "compensate"
    )
    assert (
        post("revise", 422, step="look", reason="back", compensate=["eff_no"])["details"][0]["effect"]
        == "eff_no"
    )
    assert (
        post("revise", 200, step="look", reason="back", compensate=[effect["id"]])["current"]["step"]
        == "look"
    )
    assert (provider.payments, provider.recalls) == ([5], ["pay_1"])


def test_the_api_checks_and_stops(pages: "Pages", provider: Provider, olivia: Caller) -> None:
    paying()
    provider.mood = "busy"
    run, _ = handed_in(pages)
    told = olivia.get(f"/runs/{run}").get_json()
    assert {name: told["current"]["waiting"][name] for name in ("for", "tries", "code")} == {
        "for": "retry",
        "tries": 1,
        "code": "busy",
    }
    stopped = olivia.post(f"/runs/{run}/stop-trying", {"revision": told["revision"]}).get_json()
    assert (stopped["status"], stopped["current"]["waiting"], stopped["current"]["effect"]) == (
        "waiting_person",
        None,
        None,
    )
    provider.mood = "mute"
    answer = olivia.post(
        f"/runs/{run}/complete", {"revision": stopped["revision"], "step": "pay", "values": {"amount": 5}}
    ).get_json()
    effect = answer["current"]["effect"]
    assert (answer["current"]["type"], effect["key"], effect["values"]) == (
        "settle",
        provider.asked()[-1],
        {"amount": 5},
    )
    assert olivia.post(f"/runs/{run}/check", {"revision": answer["revision"]}).status_code == 422
    found = olivia.post(
        f"/runs/{run}/check", {"revision": answer["revision"], "effect": effect["id"]}
    ).get_json()
    assert (found["checked"], found["current"]["step"]) == ("done", "after")
