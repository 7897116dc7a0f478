"""Connectors, against servers on this machine that answer as those systems do: what leaves, what a yes and a no is, once and not twice, and no secret anywhere."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import g

from console import connectors, log, runs, workflows
from console.actions import connection_settings
from console.activity import sequencing
from console.auth import accounts
from console.core import expressions
from console.core.actor import COMMAND_LINE
from console.core.connectors import CONNECTORS, Operation
from console.core.effect_kinds import Connector, text_of
from console.core.mcp_tools import required
from console.demo import ledger, provider
from console.infra import settings
from console.infra.db.engine import fetch
from console.monitoring import reports
from console.views.runs import case_file
from tests.company import Company
from tests.conftest import web_app
from tests.runs.commands.test_midway import failing
from tests.runs.simulation.test_dry_runs import trial
from tests.servers import apis
from tests.servers.apis import Rest, Slack, Zendesk
from tests.support.engine import publish, step, whole
from tests.views.conftest import Pages

EVERY = [(each, name) for each, connector in CONNECTORS.items() for name in connector.operations]
SECRETS = (apis.SLACK_TOKEN, apis.ZENDESK_TOKEN, apis.CLIENT_SECRET, "at_", provider.KEY)


@pytest.fixture
def own_network(company: Company, given_settings: Callable[..., None]) -> None:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")


@pytest.fixture
def slack(own_network: None) -> Iterator[Slack]:
    with apis.slack() as made:
        connect("slack", made.url, {"kind": "key"}, apis.SLACK_TOKEN)
        yield made


@pytest.fixture
def zendesk(own_network: None) -> Iterator[Zendesk]:
    with apis.zendesk() as made:
        connect("zendesk", made.url, {"kind": "basic", "user": apis.ZENDESK_USER}, apis.ZENDESK_TOKEN)
        yield made


@pytest.fixture
def rest(own_network: None) -> Iterator[Rest]:
    with apis.rest() as made:
        auth = {"kind": "oauth", "client_id": apis.CLIENT, "token_url": f"{made.url}/token"}
        connect("rest", made.url, auth, apis.CLIENT_SECRET)
        yield made


@pytest.fixture
def stripe(own_network: None, tmp_path: Path) -> Iterator[provider.Provider]:
    with ExitStack() as stack:
        made = stack.enter_context(provider.Provider(tmp_path, pace=0.02))
        with ledger.opened(tmp_path) as db:
            for way in ("ok", *sorted(provider.WAYS)):
                db.execute(
                    "insert or replace into charge values (?, 5000, 'eur', ?)",
                    (f"ch_{way}", json.dumps({"simulate": way})),
                )
        serving = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        stack.callback(serving.join)
        stack.callback(made.shutdown)
        connect("stripe", made.url, {"kind": "key"}, provider.KEY)
        yield made


def connect(connector: str, url: str, auth: dict[str, str], secret: str) -> None:
    made = connection_settings.connect(COMMAND_LINE, connector, connector, url=url, auth=auth, secret=secret)
    assert made.problem == ""


def asked(
    company: Company, connector: str, call: str, values: dict[str, str], **more: Any
) -> tuple[str, dict[str, Any]]:
    """A run that asks once: its id, and the run as its person sees it."""
    config = {"operation": "connector", "connector": connector, "call": call, "values": values, **more}
    steps = [
        step("start", "start", "ask"),
        step("ask", "action", "after", config),
        step("after", "output", "end", {"values": {"came": "steps.ask.result"}}),
        step("end", "end", None),
    ]
    publish("asking", steps, collection="customer", exclusive=False)
    run_id = runs.start(company.olivia, "asking", "customer", "1")
    company.work()
    return run_id, company.told(run_id)


def came(told: dict[str, Any]) -> Any:
    assert told["status"] == "completed", told["current"]
    return told["context"]["after"]["came"]


def asks(told: dict[str, Any]) -> tuple[str, str]:
    """(type of the step that a person is asked by, code of what went wrong)."""
    here = told["current"]
    return here["type"], (here.get("take_over") or {}).get("code") or here["effect"]["status"]


def written(run_id: str) -> str:
    """What the log and the tables say of the run, and of the connections."""
    rows = [
        *fetch("select request, result from console.effect"),
        *fetch("select name, address, auth, problem from console.connection"),
        *fetch("select body::text from console.event"),
    ]
    return str([*log.events_of(run_id), *rows])


# ------------------------------------------------------------------------------------------------------------------ the files


@pytest.mark.parametrize(("connector", "name"), EVERY)
def test_an_operation_is_a_request_that_can_be_read_and_that_a_person_can_settle(
    connector: str, name: str
) -> None:
    operation: Operation = CONNECTORS[connector].operations[name]
    made = Connector.model_validate(
        {
            "kind": "connector",
            "name": "x",
            "summary": "x",
            "connector": connector,
            "operation": name,
            "values": dict.fromkeys(required(operation.form), "1"),
            **({} if operation.path else {"path": "/x"}),
        }
    )
    for text, template in text_of(made.http):
        for expression in expressions.templates(text.text) if template else [expressions.parse(text.text)]:
            for path in expressions.paths(expression):
                assert path[0] in ("input", "key", "run", "answer", "item")
                assert path[0] != "input" or path[1] in operation.form["properties"], path
    assert operation.consequence.endswith(".")


# ------------------------------------------------------------------------------------------------------------------ stripe


def test_a_charge_is_looked_up_and_refunded(company: Company, stripe: provider.Provider) -> None:
    found = came(asked(company, "stripe", "get_charge", {"charge": '"ch_ok"'})[1])
    assert (found["amount"], found["currency"], found["amount_refunded"]) == (5000, "eur", 0)
    values = {"charge": '"ch_ok"', "amount": "1200", "currency": '"EUR"', "metadata.order": "record.id"}
    run_id, told = asked(company, "stripe", "refund", values)
    assert came(told)["status"] == "succeeded"
    with ledger.opened(stripe.data_dir) as db:
        (refund,) = ledger.refunds(db, "ch_ok")
    assert (refund["amount"], refund["metadata"]["run"], refund["metadata"]["order"]) == (1200, run_id, "1")
    assert provider.KEY not in written(run_id)
    found = came(asked(company, "stripe", "get_charge", {"charge": '"ch_ok"'})[1])
    assert found["amount_refunded"] == 1200


@pytest.mark.parametrize(
    ("way", "status", "refunds"),
    [
        ("timeout_after_commit", "completed", 1),
        ("timeout_before", "waiting_person", 0),
        ("charge_disputed", "waiting_person", 0),
        ("http_500_once", "waiting_time", 0),
    ],
)
def test_a_refund_is_made_once_whatever_stripe_does(
    company: Company, stripe: provider.Provider, way: str, status: str, refunds: int
) -> None:
    values = {"charge": f'"ch_{way}"', "amount": "100"}
    _, told = asked(company, "stripe", "refund", values, timeout_s=1)
    assert told["status"] == status, told["current"]
    with ledger.opened(stripe.data_dir) as db:
        assert len(ledger.refunds(db, f"ch_{way}")) == refunds


def test_values_that_do_not_fit_are_not_sent(company: Company, stripe: provider.Provider) -> None:
    for values in ({"charge": '"ch_ok"', "amount": "0"}, {"charge": '"ch_ok"', "reason": '"because"'}):
        assert asked(company, "stripe", "refund", values)[1]["status"] == "waiting_person"
    with ledger.opened(stripe.data_dir) as db:
        assert ledger.refunds(db, "ch_ok") == []
    wrong = {"kind": "connector", "name": "x", "summary": "x", "connector": "stripe", "operation": "refund"}
    for values, words in (
        ({}, "it needs charge"),
        ({"charge": "1", "colour": "1"}, "it has no field colour"),
    ):
        with pytest.raises(ValueError, match=words):
            Connector.model_validate({**wrong, "values": values})
    with pytest.raises(ValueError, match="there is no connector paypal"):
        Connector.model_validate({**wrong, "connector": "paypal"})
    with pytest.raises(ValueError, match="has no operation"):
        Connector.model_validate({**wrong, "operation": "charge"})


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["effects.perform.before", "effects.perform.after", "effects.report.before", "log.write.after@3"]
)
@pytest.mark.parametrize(("resend", "call"), [(True, "refund"), (False, "send_message")])
def test_a_process_that_dies_around_a_call_makes_it_once(
    company: Company,
    stripe: provider.Provider,
    slack: Slack,
    point: str,
    call: str,
    resend: bool,
) -> None:
    connector = "stripe" if resend else "slack"
    values = {"charge": '"ch_ok"', "amount": "100"} if resend else {"channel": '"C1"', "text": '"Hello"'}
    place, _, number = point.partition("@")
    with failing(f"{place}=raise" + (f"@{number}" if number else "")):
        try:
            run_id, _ = asked(company, connector, call, values)
        except Exception:  # noqa: BLE001 (wherever it died)
            run_id = fetch("select id from console.run order by id desc limit 1")[0][0]
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()

    def made() -> int:
        with ledger.opened(stripe.data_dir) as db:
            return len(ledger.refunds(db, "ch_ok")) + len(slack.done)

    told, before = company.told(run_id), made()
    assert before <= 1
    if told["status"] != "completed":
        assert (told["current"]["type"], told["current"]["effect"]["status"]) == ("settle", "unknown")
        effect = told["current"]["effect"]["id"]
        runs.settle(
            company.olivia, run_id, revision=None, effect=effect, done=before == 1, reason="I looked."
        )
        company.work()
    assert (company.told(run_id)["status"], made()) == ("completed", 1), "once, whatever died where"


# ------------------------------------------------------------------------------------------------------------------ rest


def test_a_token_that_ends_in_mid_run_is_renewed_once_and_stands_nowhere(
    company: Company, rest: Rest
) -> None:
    rest.leaks, rest.left = True, 1
    run_id, told = asked(
        company,
        "rest",
        "post",
        {"body.name": "record.display_name", "body.tags.0": '"new"'},
        path="/c/{{ record.id }}",
    )
    assert came(told)["id"] == 1
    run_id, told = asked(company, "rest", "get", {}, path="/c/{{ record.display_name }}?x={{ record.id }}")
    assert came(told)["path"] == "/c/Adaeze%20Okonkwo-Bell?x=1"
    assert (json.loads(rest.done[0]["body"]), rest.done[0]["path"]) == (
        {"name": "Adaeze Okonkwo-Bell", "tags": ["new"]},
        "/c/1",
    )
    assert len(rest.tokens) == 2, "one for each token that ended"
    whole = written(run_id)
    assert "[secret]" in whole
    assert not [each for each in (apis.CLIENT_SECRET, *rest.tokens) if each in whole]


def test_a_token_that_is_refused_at_once_is_renewed_once_and_not_for_ever(
    company: Company, rest: Rest
) -> None:
    rest.left = 0
    before = len(rest.receiver.received)
    _, told = asked(company, "rest", "post", {"body.a": "1"}, path="/c")
    assert told["status"] == "waiting_person"
    paths = [each.path for each in rest.receiver.received[before:]]
    assert (paths.count("/c"), rest.done) == (2, [])


@pytest.mark.parametrize(
    ("mood", "step_type", "done"),
    [
        ("mute", "settle", 1),
        ("deaf", "settle", 0),
        ("elsewhere", "settle", 0),
        ("page", "settle", 0),
    ],
)
def test_what_gives_no_clear_answer_is_unknown_and_not_sent_again(
    company: Company, rest: Rest, mood: str, step_type: str, done: int
) -> None:
    rest.mood = mood
    _, told = asked(company, "rest", "post", {"body.a": "1"}, path="/c", timeout_s=1)
    assert told["current"]["type"] == step_type, told["current"]
    assert len(rest.done) == done
    assert [each.path for each in rest.receiver.received].count("/c") == 1
    assert not [each for each in rest.receiver.received if each.path == "/elsewhere"]


def test_what_is_deleted_already_counts_as_deleted(company: Company, rest: Rest) -> None:
    assert came(asked(company, "rest", "delete", {}, path="/c/1")[1])["id"] == 1


def test_an_address_of_ones_own_network_is_not_asked(
    company: Company, rest: Rest, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_PRIVATE_HOSTS="")
    before = len(rest.receiver.received)
    _, told = asked(company, "rest", "get", {}, path="/c")
    assert asks(told)[1] in ("not_https", "private_address")
    assert len(rest.receiver.received) == before


def test_a_path_cannot_leave_the_address(company: Company, rest: Rest) -> None:
    values = {"path": "/c/{{ record.display_name }}/../{{ record.id }}"}
    fetch("update console.run set active_at = active_at returning 1")
    before = len(rest.receiver.received)
    asked(company, "rest", "get", {}, **values)
    assert all(each.path.startswith(("/c/", "/token")) for each in rest.receiver.received[before:])


# ------------------------------------------------------------------------------------------------------------------ slack


def test_a_message_is_sent_as_plain_text_with_the_key_by_which_it_is_found(
    company: Company, slack: Slack
) -> None:
    _, told = asked(company, "slack", "send_message", {"channel": '"C1"', "text": '"Hi <!channel>"'})
    assert came(told)["ts"] == slack.done[0]["ts"]
    assert "text" not in slack.done[0]
    assert slack.done[0]["blocks"] == [
        {"type": "section", "text": {"type": "plain_text", "text": "Hi <!channel>"}}
    ]
    assert slack.done[0]["metadata"]["event_payload"]["key"]


@pytest.mark.parametrize(
    ("error", "step_type", "code"),
    [("channel_not_found", "action", "refused"), ("fatal_error", "settle", "contradiction")],
)
def test_a_no_of_slack_with_status_200_is_no_yes(
    company: Company, slack: Slack, error: str, step_type: str, code: str
) -> None:
    slack.error = error
    _, told = asked(company, "slack", "send_message", {"channel": '"C1"', "text": '"Hi"'})
    assert told["status"] == "waiting_person"
    assert asks(told) == (step_type, code), told["current"]


def test_a_message_that_nobody_confirmed_is_found_and_not_sent_again(company: Company, slack: Slack) -> None:
    slack.mood = "mute"
    run_id, told = asked(company, "slack", "send_message", {"channel": '"C1"', "text": '"Hi"'})
    assert told["current"]["type"] == "settle"
    runs.check(company.olivia, run_id, revision=None, effect=told["current"]["effect"]["id"])
    company.work()
    assert came(company.told(run_id))["ts"] == slack.done[0]["ts"]
    assert len(slack.done) == 1


def test_a_person_is_found_by_e_mail(company: Company, slack: Slack) -> None:
    assert came(asked(company, "slack", "find_person", {"email": '"mona@example.com"'})[1])["id"] == "U1"
    assert (
        asked(company, "slack", "find_person", {"email": '"nobody@example.com"'})[1]["status"] != "completed"
    )


# ------------------------------------------------------------------------------------------------------------------ zendesk


def test_a_ticket_is_found_commented_updated_and_closed(company: Company, zendesk: Zendesk) -> None:
    found = came(asked(company, "zendesk", "find_tickets", {"query": '"status:open"'})[1])
    assert (found["count"], found["first"]) == (1, 7)
    values = {"ticket": "7", "text": '"We look into it"'}
    assert came(asked(company, "zendesk", "comment", values)[1])["status"] == "open"
    assert zendesk.done[-1]["comment"] == {"body": "We look into it", "public": False}
    came(
        asked(
            company, "zendesk", "update_ticket", {"ticket": "7", "priority": '"high"', "tags": '["a", "b"]'}
        )[1]
    )
    assert (zendesk.tickets[7]["priority"], zendesk.tickets[7]["tags"]) == ("high", ["a", "b"])
    assert came(asked(company, "zendesk", "close_ticket", {"ticket": "7"})[1])["status"] == "solved"
    assert came(asked(company, "zendesk", "get_ticket", {"ticket": "7"})[1])["status"] == "solved"
    zendesk.tickets[7]["status"] = "closed"
    run_id, told = asked(company, "zendesk", "comment", values)
    assert asks(told) == ("action", "refused")
    assert apis.ZENDESK_TOKEN not in written(run_id)


@pytest.mark.parametrize("mood", ["mute", "slow", "broken"])
def test_a_change_that_nobody_confirmed_is_looked_up_by_its_key(
    company: Company, zendesk: Zendesk, mood: str
) -> None:
    zendesk.mood = mood
    run_id, told = asked(company, "zendesk", "comment", {"ticket": "7", "text": '"Once"'}, timeout_s=1)
    assert told["current"]["type"] == "settle"
    zendesk.mood = "good"
    runs.check(company.olivia, run_id, revision=None, effect=told["current"]["effect"]["id"])
    company.work()
    assert came(company.told(run_id))["ticket"] == 7
    assert len(zendesk.done) == 1, "found, or sent now where it was not done"


# ------------------------------------------------------------------------------------------------------------------ connections


def test_a_connection_that_is_gone_or_of_another_system_asks_a_person(
    company: Company, slack: Slack, zendesk: Zendesk
) -> None:
    _, told = asked(
        company, "slack", "send_message", {"channel": '"C1"', "text": '"x"'}, connection="zendesk"
    )
    assert asks(told) == ("action", "no_connection")
    connection_settings.remove(COMMAND_LINE, "slack", connector=True)
    _, told = asked(company, "slack", "send_message", {"channel": '"C1"', "text": '"x"'})
    assert asks(told) == ("action", "no_connection")
    assert "Settings, Connections" in str(told["current"])
    assert slack.done == []


def test_settings_may_name_a_connection(
    company: Company, slack: Slack, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_HTTP_TARGETS=f"chat={slack.url}", CONSOLE_HTTP_SECRETS=f"chat={apis.SLACK_TOKEN}")
    _, told = asked(company, "slack", "send_message", {"channel": '"C1"', "text": '"x"'}, connection="chat")
    assert came(told)["ts"]


def test_a_test_says_what_is_wrong(company: Company, slack: Slack, zendesk: Zendesk, rest: Rest) -> None:
    wrong = [
        ("slack", slack.url, {"kind": "key"}, "does not answer as it should"),
        ("slack", f"{slack.url}/nowhere", {"kind": "key"}, "does not answer as it should"),
        ("zendesk", zendesk.url, {"kind": "basic", "user": "someone"}, "refuses the credentials"),
        (
            "rest",
            rest.url,
            {"kind": "oauth", "client_id": "x", "token_url": f"{rest.url}/token"},
            "gave no token",
        ),
    ]
    for connector, url, auth, words in wrong:
        made = connection_settings.connect(
            COMMAND_LINE, "trial", connector, url=url, auth=auth, secret="wrong_9876543210"
        )
        assert words in made.problem
        assert "wrong_9876543210" not in made.problem
        connection_settings.remove(COMMAND_LINE, "trial", connector=True)
    assert connectors.every() == {}, "no connection is an MCP server"
    assert settings.current().private_hosts


def test_in_the_sandbox_nothing_that_changes_something_leaves(
    company: Company, slack: Slack, given_settings: Callable[..., None]
) -> None:
    fetch("""update console.connection set address = '{"url": "https://127.0.0.1:1"}' returning 1""")
    connectors.forget()
    given_settings(CONSOLE_PRIVATE_HOSTS="", CONSOLE_SANDBOX="true")
    values = {"channel": '"C1"', "text": '"x"'}
    sent = came(asked(company, "slack", "send_message", values)[1])
    assert (sent["simulated"], sent["channel"], bool(sent["ts"])) == (True, "C1", True)
    given_settings(CONSOLE_SANDBOX="false")
    assert asks(asked(company, "slack", "send_message", values)[1])[1] == "private_address"
    given_settings(CONSOLE_SANDBOX="true")
    assert asked(company, "slack", "find_person", {"email": '"a@example.com"'})[1]["status"] != "completed"


@pytest.mark.parametrize("point", ["effects.perform.after", "effects.report.before"])
def test_what_died_before_the_sandbox_was_switched_on_is_never_taken_for_simulated(
    company: Company, slack: Slack, given_settings: Callable[..., None], point: str
) -> None:
    values = {"channel": '"C1"', "text": '"x"'}
    with failing(f"{point}=raise"), pytest.raises(Exception, match=point):
        asked(company, "slack", "send_message", values)
    assert len(slack.done) == 1
    fetch("""update console.connection set address = '{"url": "https://slack.example"}' returning 1""")
    connectors.forget()
    given_settings(CONSOLE_PRIVATE_HOSTS="", CONSOLE_SANDBOX="on")
    [(run_id,)] = fetch("update console.run set active_at = now() - interval '1 minute' returning id")
    company.work()
    told = company.told(run_id)
    assert (told["current"]["type"], told["current"]["effect"]["status"]) == ("settle", "unknown")
    assert told["simulated"] is False
    effect = told["current"]["effect"]["id"]
    runs.settle(company.olivia, run_id, revision=None, effect=effect, done=True, reason="It is there.")
    company.work()
    assert (company.told(run_id)["status"], company.told(run_id)["simulated"]) == ("completed", False)


def test_a_run_says_that_something_in_it_was_simulated_wherever_it_is_read(
    company: Company, slack: Slack, given_settings: Callable[..., None]
) -> None:
    values = {"channel": '"C1"', "text": '"x"'}
    real, _ = asked(company, "slack", "send_message", values)
    fetch("""update console.connection set address = '{"url": "https://slack.example"}' returning 1""")
    connectors.forget()
    given_settings(CONSOLE_PRIVATE_HOSTS="", CONSOLE_SANDBOX="on")
    held, told = asked(company, "slack", "send_message", values)
    assert told["status"] == "completed"
    sequencing.catch_up()
    pages = Pages(company, web_app())
    headers = {"Authorization": f"Bearer {accounts.create_key('a', company.olivia.id).text}"}
    for run_id, says in ((real, False), (held, True)):
        assert (
            pages.app.test_client().get(f"/api/v1/runs/{run_id}", headers=headers).get_json()["simulated"]
            is says
        )
        for page in ("", f"/replay?at={company.told(run_id)['last_event']}"):
            assert pages.olivia.get(f"/runs/{run_id}{page}").html.count("was really sent") == says, page
        with pages.app.test_request_context():
            g.actor = company.rosa
            paper = case_file.html(
                reports.case_file(company.rosa, run_id, "pdf", ready=lambda: None), company.rosa
            )
        assert paper.count("was really sent") == says
        whole(run_id)


def test_a_test_of_a_workflow_sends_nothing_and_goes_on_with_examples(company: Company, slack: Slack) -> None:
    asked(company, "slack", "send_message", {"channel": '"C1"', "text": '"x"'})
    before = len(slack.receiver.received)
    tried = trial(company, workflows.live("asking").document.to_json())
    assert len(slack.receiver.received) == before
    found = {each.step: each.output or {} for each in tried.path}["ask"]["result"]
    assert (found["simulated"], bool(found["ts"])) == (True, True)
