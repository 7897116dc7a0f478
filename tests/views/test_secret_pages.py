"""Settings → Secrets: set by who may, never shown again, and named where it is missing."""

from typing import Any

import pytest

from console import log, steps, workflows
from console.core.documents.workflow_check import check
from console.infra.db.engine import fetch
from console.infra.outbound import outgoing_secrets
from tests.support.engine import publish, step
from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

TEXT = "sk_live_9876543210"
URL = "/settings/secrets"
ASKING = [
    step("start", "start", "ask"),
    step(
        "ask", "action", "end", {"operation": "http", "url": "https://api.bank.example/x", "secret": "bank"}
    ),
    step("end", "end", None),
]


def post(browser: Any, data: dict[str, str], path: str = "", status: int = 303) -> str:
    return str(browser.post(f"{URL}{path}", data | {"csrf_token": browser.token}, status=status).text)


@pytest.mark.parametrize("who", ["olivia", "mona", "stan", "ada", "rosa"])
def test_who_may_not_manage_data_sources_gets_no_page_and_sets_none(pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    browser.get(URL, status=403)
    post(browser, {"name": "bank", "text": TEXT, "hosts": "api.bank.example"}, status=403)
    post(browser, {}, "/bank/remove", 403)
    assert outgoing_secrets.all_secrets() == []


def test_a_secret_is_set_never_shown_again_and_removed(pages: Pages) -> None:
    publish("asking", ASKING)
    assert "The secret bank is not there" in pages.ines.get(URL).text
    post(
        pages.ines, {"name": "bank", "text": TEXT, "hosts": "api.bank.example, api2.bank.example"}, status=303
    )
    page = pages.ines.get(f"{URL}?name=bank").text
    assert all(words in page for words in ("api.bank.example", "Used by Asking"))
    assert TEXT not in page
    assert "is not there" not in page
    assert outgoing_secrets.for_address("bank", "https://api.bank.example/v1") == TEXT
    post(pages.ines, {"name": "bank", "text": "", "hosts": "api.bank.example"}, status=303)
    assert outgoing_secrets.for_address("bank", "https://api.bank.example") == TEXT
    assert TEXT not in str([event.body for event in log.events_of("sys:config")]) + str(
        fetch("select * from console.outgoing_secret")
    )
    post(pages.ines, {}, "/bank/remove", 303)
    post(pages.ines, {}, "/bank/remove", 404)
    assert outgoing_secrets.all_secrets() == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "Bank 1"}, "A name begins with a small letter"),
        ({"text": "short"}, "8 to 4,000 plain characters"),
        ({"text": ""}, "Write the secret."),
        ({"hosts": ""}, "at least one host"),
        ({"hosts": "https://api.bank.example/x"}, "is no host"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_secret_is_not_repeated(
    pages: Pages, typed: dict[str, str], words: str
) -> None:
    told = {"name": "bank", "text": TEXT, "hosts": "api.bank.example"} | typed
    page = post(pages.ines, told, status=422)
    assert words in page
    assert TEXT not in page


def test_who_lets_it_go_elsewhere_has_to_know_it(pages: Pages) -> None:
    post(pages.ines, {"name": "bank", "text": TEXT, "hosts": "api.bank.example"}, status=303)
    page = post(
        pages.ines, {"name": "bank", "text": "", "hosts": "api.bank.example, mine.example"}, status=422
    )
    assert "once more to let it go to another host" in page


def test_the_check_names_a_secret_that_is_not_there(pages: Pages) -> None:
    document = {"format": 1, "slug": "asking", "title": "Asking", "team": "operations", "steps": ASKING}
    secret, key = check(document, steps.all_types(), workflows.validation_context())
    assert (secret.step, secret.field, secret.severity) == ("ask", "config.secret", "warning")
    assert "no secret bank" in secret.reason
    assert (key.field, key.severity) == ("config.idempotent", "warning")
