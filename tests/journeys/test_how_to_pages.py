"""The pages of the how-tos, in a browser: each way through the settings that they name leads there, for whom they name; what they say to press is there."""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys import test_walks_of_rights, test_walks_of_settings, test_walks_of_work
from tests.journeys.conftest import Demo
from tests.journeys.documents import ROOT, Passage, blocks, passages, words
from tests.journeys.screens import Open, Screen, opening, walked
from tests.journeys.shells import Shell, beginnings

pytestmark = pytest.mark.slow

CHARGE = "ch_SofiaAlmeida1890"
"""Small enough that nobody else has to agree, within 14 days of its delivery; no other journey names it."""
HOW_TOS = sorted(path.stem for path in (ROOT / "docs/how-to").glob("*.md"))


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """Screens before the demo."""
    with opening(chromium, demo) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def shell(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell beside the demo."""
    return beginnings(demo, tmp_path_factory.mktemp("pages"))


def ways(name: str) -> list[tuple[str, ...]]:
    """The ways through the settings that a how-to names: `Settings, People and teams, People, Invite`."""
    return [
        tuple(said.split(", "))
        for said in dict.fromkeys(words(f"docs/how-to/{name}.md", "strong", "em"))
        if said.startswith("Settings, ")
    ]


AS: dict[tuple[str, ...], str] = {("Settings", "AI", "Calls"): "ada"}
"""Who goes there, where it is not the admin."""
ELSEWHERE = {
    (
        "Settings",
        "You",
        "Company account",
    ): "only where an identity provider is connected: tests/views/test_oidc*.py and tests/browser/test_signing_in.py"
}


NOT_WALKED = {
    "refund-a-charge": "walked below",
    "send-an-e-mail": "walked below, with refund-a-charge",
    "use-a-second-factor": "walked below",
    "ask-for-documents": "a run that waits for somebody outside: tests/browser/test_documents.py",
    "back-up-and-restore": "typed in test_how_tos.py; it names no page",
    "build-a-workspace": "walked from nothing to published in tests/views/test_workspace_builder.py and tests/browser/test_workspaces.py",
    "choose-whose-a-workflow-is": "walked in tests/views/test_whose_pages.py",
    "edit-a-workflow": "walked in tests/browser/test_workflow_editor.py, test_test_panel.py and test_ask.py",
    "enrol-people": "walked in tests/views/test_enrolment_pages.py",
    "reach-people-outside": "its pages are walked in tests/views/test_outbox_pages.py, its ways out in tests/messaging/messages",
    "run-workflows": "walked in tests/views/test_workflow_pages.py and test_configuration_pages.py",
    "set-up-an-sms-gateway": "walked in tests/views/test_sms_gateway_form.py",
    "work-with-contacts": "walked in tests/views/test_contact_import.py, test_boards.py and test_record_tags.py",
    "install": "walked in tests/release/test_install.py; it names no page",
    "run-on-several-machines": "walked in tests/release/test_failover.py; it names no page",
    "connect-a-system": "walked to the letter in tests/browser/test_connectors.py",
    "let-a-program-ask-people": "a program's: its lines run in tests/journeys/test_python_client.py; it names a workflow, no button",
    "call-a-tool": "walked to the letter in tests/browser/test_mcp_task.py",
    "let-an-assistant-in": "its commands are typed in test_how_tos.py; what such a key may and may not is in tests/views/test_mcp.py",
    "restore-after-a-crash": "typed in test_how_tos.py; what it names is seen of a broken log alone: tests/views/test_proof_pages.py",
    "run-in-production": "typed in test_how_tos.py; the one page that it names is opened in tests/browser/test_every_page.py",
    "separate-duties": "a file of a workflow; it names one button, walked in work-with-inboxes",
    "write-an-action": "typed in test_how_tos.py; it names one button of a list: tests/views/test_acting_pages.py",
}
"""How-tos that set words off and have no table of a walk, and why."""


def test_every_how_to_that_names_something_is_walked() -> None:
    tables = [test_walks_of_rights.WALKS, test_walks_of_work.WALKS, test_walks_of_settings.WALKS]
    walked_ = [name for table in tables for name in table]
    assert len(walked_) == len(set(walked_))
    assert {*walked_, *NOT_WALKED} == {
        name for name in HOW_TOS if words(f"docs/how-to/{name}.md", "strong", "em", "lead")
    }
    assert not {*walked_} & {*NOT_WALKED}


def test_how_tos_lead_through_the_settings(screens: Open) -> None:
    said = {way for name in HOW_TOS for way in ways(name)}
    assert said >= {*AS, *ELSEWHERE}
    people = {name: screens(name) for name in {"admin", *AS.values()}}
    wrong, walked = list[str](), 0
    for way in sorted(said - {*ELSEWHERE}):
        screen = people[AS.get(way, "admin")].go("/")
        for words_ in way:
            if screen.offers(words_):
                screen.press(words_)
            elif not screen.page.evaluate(
                "(words) => shown(words)", words_
            ):  # a heading over what comes next, or of what was looked for
                wrong.append(f"{', '.join(way)}: nothing is called {words_!r} on {screen.page.url}")
        walked += 1
    assert not wrong, "\n".join(wrong)
    assert walked >= 12


def part(name: str, title: str, number: int = 0) -> Passage:
    """A passage of a how-to by its heading, and by its number where it is numbered."""
    return next(
        one for one in passages(f"docs/how-to/{name}.md") if one.title == title and one.number == number
    )


def code_of(secret: str) -> str:
    """What an app for one-time codes shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(
        base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8)),
        counter,
        hashlib.sha1,
    )
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def test_a_second_factor_is_set_up_and_reset_as_the_page_says(screens: Open, shell: Shell) -> None:
    name, gita = "use-a-second-factor", screens("gita")
    with walked(part(name, "Set it up", 1), gita) as first:
        first.named("Settings, You, Second factor")
        gita.go(first.typed("/settings/me/second-factor"))
    secret = gita.page.inner_text("#secret")
    with walked(part(name, "Set it up", 3), gita) as third:
        gita.fill("Code", code_of(secret))
        third.press("Turn on")
    gita.see("Keep these recovery codes")
    assert gita.page.locator("#recovery-codes code").count() == 10
    block = blocks(f"docs/how-to/{name}.md", "sh")[0]
    said = Shell(shell.demo, shell.folder, {"ana@example.com": shell.demo.people["gita"]["email"]}).type(
        block.text
    )
    assert said.code == 0, said.err
    gita.page.goto(f"{gita.demo.url}/settings/me")
    assert "/sign-in" in gita.page.url, "signed out everywhere"


def _send_letter(olivia: Screen) -> None:
    """What `send-an-e-mail` says, up to the button that sends it."""
    seen = {1: ("To", "Language"), 2: ("Subject", "Text"), 3: ("Why",), 4: ("Add a paragraph",)}
    for number, words_seen in seen.items():
        with walked(part("send-an-e-mail", "Send an e-mail that you have read", number), olivia) as step:
            step.see(*words_seen)
    olivia.reads("18[.,]90")
    with walked(part("send-an-e-mail", "Send an e-mail that you have read", 5), olivia) as five:
        five.press("Send me a copy")
        olivia.reads("A copy is on its way to")
    with walked(part("send-an-e-mail", "Send an e-mail that you have read", 7), olivia) as seven:
        seven.see("Do not send")
    with walked(part("send-an-e-mail", "Send an e-mail that you have read", 6), olivia) as six:
        six.see("Send")


def test_a_charge_is_refunded_as_the_page_says(screens: Open, demo: Demo) -> None:
    name, olivia = "refund-a-charge", screens("olivia")
    with walked(part(name, "Refund a charge", 1), olivia) as one:
        olivia.go("/work")
        one.see("Refund requests")
        olivia.go(f"/c/charge/{CHARGE}")
        one.press("Start Customer refund")
    if olivia.offers("Start refund"):
        olivia.press("Start refund")
    olivia.page.wait_for_url("**/runs/run_*")
    with walked(part(name, "Refund a charge", 3), olivia) as three:
        three.see("What do we do?")
        olivia.reads("Within 14 days of delivery")
        olivia.press("Done")
        olivia.was_answered(422)
        olivia.reads("No choice was made: choose one of “Full refund”, “Partial refund”")
        olivia.press("Full refund")
        olivia.press("Withdrawal")
        olivia.page.click("#done")
    with walked(part(name, "Refund a charge", 4), olivia) as four:
        four.see("Send the refund")
        olivia.reads("card ••[0-9]{4}, and nowhere else")
        olivia.press("Send €18.90")
    with walked(part(name, "Refund a charge", 5), olivia) as five:
        five.see("E-mail: refunded")
        _send_letter(olivia)
        five.see("Send")
        olivia.page.click("#done")
    olivia.reads("Customer refund is done")
    olivia.go(f"/c/charge/{CHARGE}").reads(r"€18\.90\s+EUR\s+Succeeded\s+Withdrawal")
