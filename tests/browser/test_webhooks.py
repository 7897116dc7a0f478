"""The pages of outgoing webhooks in a browser: no fault in either size and scheme, and one made by keyboard alone."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from console.activity import sequencing
from console.automation.webhooks import outgoing
from console.automation.webhooks.outgoing import Wanted
from tests.company import Company
from tests.jobs import work_until_idle
from tests.servers import outside
from tests.servers.outside import Receiver

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.fixture
def receiver(given_settings: Callable[..., None]) -> Iterator[Receiver]:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with outside.http() as made:
        yield made


def test_the_pages_have_no_fault(
    screens: Callable[..., "Screen"], company: Company, receiver: Receiver
) -> None:
    webhook, _ = outgoing.add(
        company.ines,
        Wanted(f"{receiver.url}/in", ["run.completed", "tag.added", "record.updated", "step.completed"]),
    )
    company.finished("1")
    receiver.answer = lambda told: (
        (200, b"", {}) if b"step.completed" in told.body else (500, b"An answer of some length " * 20, {})
    )
    outgoing.send_test(company.ines, webhook.id)
    sequencing.catch_up()
    outgoing.take_in()
    outgoing.pick_up()
    work_until_idle()
    ines = screens().enter("ines")
    faults: list[str] = []
    for path in (
        "/settings/webhooks",
        "/settings/webhooks/new",
        f"/settings/webhooks/{webhook.id}",
        f"/settings/webhooks/{webhook.id}/change",
    ):
        ines.go(path)
        faults += ines.faults()
    assert faults == []


def test_one_is_made_by_keyboard(screens: Callable[..., "Screen"], receiver: Receiver) -> None:
    page = screens().enter("ines").go("/settings/webhooks")
    page.get_by_role("link", name="New webhook").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/webhooks/new")
    page.focus("#url")
    page.keyboard.type(f"{receiver.url}/in")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Make the webhook").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#secret")
    assert page.input_value("#secret").startswith("whsec_")
