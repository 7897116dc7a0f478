"""The KYC review before a person: documents one by one with the keyboard alone, and the pages that matter for every eye."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console.demo import stories
from tests.browser.conftest import served
from tests.demo.reviewing import YURI, House, house, loaded_house

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

__all__ = ["house", "loaded_house"]

pytestmark = pytest.mark.slow


@pytest.fixture
def url(house: House) -> Iterator[str]:
    """Where the demo's console is served, in place of the small company's."""
    with served() as address:
        yield address


def test_documents_are_checked_with_the_keyboard_alone(
    screens: Callable[..., "Screen"], house: House
) -> None:
    run_id = house.start(stories.PLAIN[0])
    count = house.walk(run_id, "check_docs")["current"]["progress"]["total"]
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    olivia.heading("Check each document")
    page.get_by_role("button", name="Reject").click()
    olivia.focus_on("f-because")
    assert page.locator("#done").inner_text().startswith("Reject")
    assert not page.locator(".error").count()
    page.reload()
    page.get_by_role("button", name="Accept").click()
    for done in range(count):
        page.wait_for_selector(f".items header:has-text('{done} of {count} done')")
        if done:
            olivia.press("Control+Enter")
        page.wait_for_selector("text=Why was it accepted unopened?")
        olivia.focus_on("f-document_status_because")
        page.keyboard.type("Seen at the counter")
        olivia.press("Control+Enter")
    page.wait_for_function(
        "() => document.getElementById('step-title').textContent !== 'Check each document'"
    )
    assert house.sql(
        "select count(*) from kyc_document where customer_id = %s and status = 'received'", stories.PLAIN[0]
    ) == [(0,)]


def test_hits_and_the_decision_for_every_eye(screens: Callable[..., "Screen"], house: House) -> None:
    house.sql(
        "update screening_hit set status = 'open', reason_code = null where id in (select hit_id from customer_hit where customer_id = %s)",
        YURI,
    )
    at_hits, at_decision = house.start(YURI), house.start(stories.PLAIN[2])
    house.walk(at_hits, "hits")
    house.walk(at_decision, "decide")
    olivia = screens().enter("olivia")
    olivia.go(f"/runs/{at_hits}").wait_for_selector("td:has-text('Караваев Юрий Алексеевич')")
    assert olivia.faults() == []
    page = olivia.go(f"/runs/{at_decision}")
    page.wait_for_selector("h2:has-text('Decision')")
    for place, revisable in ((f"/runs/{at_decision}", True), (f"/runs/{at_decision}/replay", False)):
        page = olivia.go(place)
        if not revisable:  # a replay opens at its first event
            said = page.locator("[data-announce^='Event ']").first.get_attribute("data-announce") or ""
            page = olivia.go(f"{place}?at={said.split('.')[0].split()[-1]}")
        page.click(".phase.done summary:has-text('Documents')")  # its steps come when it is opened
        documents = page.locator(
            ".phase:has(summary:has-text('Documents')) .step", has_text="Check each document"
        )
        expect(documents).to_be_visible()
        assert documents.locator(".revise").count() == revisable
        assert olivia.faults() == []
    assert page.locator("a:has-text('All steps')").count() > 0, "without script it is a link"


def test_a_record_is_edited_by_keyboard_its_address_part_by_part_and_countries_by_name(
    screens: Callable[..., "Screen"], house: House
) -> None:
    number = stories.PLAIN[3]
    house.sql(
        "update customer set nationalities = '{LV}', address = address || '{\"floor\": 3}' where id = %s",
        number,
    )
    olivia = screens().enter("olivia")
    page = olivia.go(f"/c/customer/{number}/edit")
    box = page.get_by_role("combobox", name="Nationalities")
    box.focus()
    page.keyboard.type("eston")
    page.get_by_role("listbox", name="Nationalities").get_by_role("option", name="Estonia").wait_for()
    assert olivia.faults() == []
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take away Estonia").wait_for()
    page.keyboard.type("nowhere")
    page.get_by_text("Nothing in the list has this name").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert box.input_value() == "", "what is not in the list is not chosen"
    page.get_by_role("combobox", name="Country of residence").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Estonia")
    page.get_by_role("listbox", name="Records").get_by_role("option", name="Estonia").wait_for()
    page.keyboard.press("Enter")
    page.get_by_label("City").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Liepāja")
    assert "{" not in page.inner_text("form.card"), "nobody edits JSON"
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/c/customer/{number}")
    [(address, nationalities, residence)] = house.sql(
        "select address, nationalities::text[], residence_country::text from customer where id = %s", number
    )
    assert (address["city"], address["floor"], sorted(nationalities), residence) == (
        "Liepāja",
        3,
        ["EE", "LV"],
        "EE",
    )
