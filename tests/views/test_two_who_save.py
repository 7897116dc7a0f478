"""Forms that are saved whole: whoever saves one that somebody else has saved meanwhile is told, with everything that they entered."""

from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.automation.webhooks import outgoing
from console.messaging.messages import channel_settings
from console.monitoring import alerts
from console.work import due_times
from console.workflows import Known

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

pytestmark = pytest.mark.lengthy

GATEWAY = "/settings/channels/sms/gateway"


def gateway_of(path: str) -> str:
    """A document of a gateway."""
    return (
        '{"request": {"url": "https://1.1.1.1/'
        + path
        + '", "body": {"to": "{{ input.to }}", "text": "{{ input.text }}"}}}'
    )


CHANNEL, DUE, ALERTS = (
    "/settings/channels/sms",
    "/workflows/care-review/due-time",
    "/workflows/care-review/configuration",
)
TOLD = "somebody else changed it after you opened it"


def known() -> Known:
    return next(one for one in workflows.all_known() if one.slug == "care-review")


def fields(page: "Page", action: str) -> dict[str, str]:
    return dict(page.form(action)["fields"])


def kept(page: "Page", action: str, **entered: str) -> dict[str, str]:
    """The form of a refused page, which has what was entered."""
    again = fields(page, action)
    assert TOLD in page.text
    assert {name: again.get(name) for name in entered} == entered
    return again


def test_a_channel(pages: "Pages") -> None:
    place = "/settings/channels"
    mine = fields(pages.ines.get(place), CHANNEL) | {"script": "failed 5", "sandbox": "on"}
    theirs = fields(pages.ines.get(place), CHANNEL) | {"script": "delivered 95"}
    pages.ines.post(CHANNEL, theirs, status=303)
    wrong = pages.ines.post(CHANNEL, mine | {"script": "perhaps 5"}, status=422)
    assert fields(wrong, CHANNEL)["sandbox"] == "on", (
        "a box that was ticked stays ticked when another one is wrong"
    )
    told = pages.ines.post(CHANNEL, fields(wrong, CHANNEL) | {"script": "failed 5"}, status=409)
    again = kept(told, CHANNEL, script="failed 5", sandbox="on")
    assert "“delivered 95”" in told.text
    assert channel_settings.state_of("sms").script == "delivered 95"
    pages.ines.post(CHANNEL, again, status=303)
    state = channel_settings.state_of("sms")
    assert (state.script, state.own_sandbox) == ("failed 5", True)


def test_the_sms_gateway(pages: "Pages") -> None:
    mine, theirs = (
        fields(pages.ines.get("/settings/channels"), GATEWAY),
        fields(pages.ines.get("/settings/channels"), GATEWAY),
    )
    pages.ines.post(GATEWAY, theirs | {"gateway": gateway_of("theirs")}, status=303)
    wrong = pages.ines.post(GATEWAY, mine | {"gateway": "{"}, status=422)
    told = pages.ines.post(GATEWAY, fields(wrong, GATEWAY) | {"gateway": gateway_of("mine")}, status=409)
    again = kept(told, GATEWAY, gateway=gateway_of("mine"))
    assert "https://1.1.1.1/theirs" in told.text
    pages.ines.post(GATEWAY, again, status=303)
    assert "https://1.1.1.1/mine" in fields(pages.ines.get("/settings/channels"), GATEWAY)["gateway"]


def test_an_outgoing_webhook(pages: "Pages") -> None:
    made, _ = outgoing.add(
        pages.company.ines, outgoing.Wanted(url="https://1.1.1.1/in", events=["run.started"])
    )
    action = f"/settings/webhooks/{made.id}/change"
    mine = fields(pages.ines.get(action), action) | {"url": "https://1.1.1.1/mine"}
    theirs = fields(pages.ines.get(action), action) | {"url": "https://1.0.0.1/theirs"}
    pages.ines.post(action, theirs, status=303)
    told = pages.ines.post(action, mine, status=409)
    again = kept(told, action, url="https://1.1.1.1/mine")
    assert "to 1.0.0.1 now, and is on" in told.text
    outgoing.change(
        pages.company.ines, made.id, {"enabled": True}
    )  # what changes nothing is no reason to ask
    pages.ines.post(action, again, status=303)
    assert outgoing.subscription(pages.company.ines, made.id).url == "https://1.1.1.1/mine"


def due(browser: "Browser", **more: str) -> dict[str, str]:
    return fields(browser.get(DUE), DUE) | {"hours": "16", "remind": "on"} | more


def test_the_due_time(pages: "Pages") -> None:
    workflow = known()
    mine, theirs = due(pages.mona), due(pages.mona, hours="8", opens="08:00")
    pages.mona.post(DUE, theirs, status=303)
    wrong = pages.mona.post(DUE, mine | {"hours": "many"}, status=422)
    told = pages.mona.post(DUE, fields(wrong, DUE) | {"hours": "16"}, status=409)
    again = kept(told, DUE, hours="16")
    assert "8 hours of work, 08:00 to 17:00" in told.text
    pages.mona.post(DUE, again, status=303)
    rule = due_times.rule_of_workflow(workflow.id)
    assert rule is not None
    assert rule.minutes == 16 * 60


def test_a_due_time_that_was_taken_away_is_set_again_on_purpose_alone(pages: "Pages") -> None:
    workflow = known()
    pages.mona.post(DUE, due(pages.mona), status=303)
    mine, theirs = due(pages.mona, hours="20"), due(pages.mona)
    pages.mona.post(DUE, theirs | {"remove": "1"}, status=303)
    told = pages.mona.post(DUE, mine, status=409)
    assert "There is none now." in told.text
    assert due_times.rule_of_workflow(workflow.id) is None
    pages.mona.post(DUE, kept(told, DUE, hours="20"), status=303)
    assert due_times.rule_of_workflow(workflow.id) is not None


def test_what_both_saved_alike_is_no_conflict(pages: "Pages") -> None:
    mine, theirs = due(pages.mona), due(pages.mona)
    pages.mona.post(DUE, theirs, status=303)
    pages.mona.post(DUE, mine, status=303)


@pytest.fixture
def alert(pages: "Pages") -> str:
    workflow = known()
    return alerts.add(pages.company.mona, workflow, kind="failed", people=["mona@fernwick.example"]).id


def opened(browser: "Browser", alert: str) -> dict[str, str]:
    return fields(browser.get(f"{ALERTS}?alert={alert}"), f"/workflows/care-review/alerts/{alert}")


def test_an_alert(pages: "Pages", alert: str) -> None:
    action = f"/workflows/care-review/alerts/{alert}"
    mine = opened(pages.mona, alert) | {"kind": "error", "pattern": "*timeout*"}
    theirs = opened(pages.mona, alert) | {"kind": "slow", "minutes": "30"}
    pages.mona.post(action, theirs, status=303)
    told = pages.mona.post(action, mine, status=409)
    again = kept(told, action, pattern="*timeout*")
    pages.mona.post(action, again, status=303)
    [rule] = alerts.rules_of(known())
    assert (rule.kind, rule.pattern) == ("error", "*timeout*")


def test_an_alert_that_was_removed_meanwhile_is_there_to_be_set_as_a_new_one(
    pages: "Pages", alert: str
) -> None:
    workflow = known()
    mine = opened(pages.mona, alert) | {"kind": "error", "pattern": "*timeout*"}
    alerts.remove(pages.company.mona, workflow, alert)
    told = pages.mona.post(f"/workflows/care-review/alerts/{alert}", mine, status=404)
    assert "to be set as a new one" in told.text
    again = fields(told, "/workflows/care-review/alerts")
    assert again["pattern"] == "*timeout*"
    pages.mona.post("/workflows/care-review/alerts", again, status=303)
    assert [rule.pattern for rule in alerts.rules_of(known())] == ["*timeout*"]
