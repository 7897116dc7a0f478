"""The KYC review before a person: documents one by one with the keyboard alone, and the pages that matter for every eye."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from console.demo import stories
from console.postgres import Embedded
from tests.demo.reviewing import YURI, House, opened

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.rotating


@pytest.fixture(scope="module")
def loaded_house(pg: Embedded, template: str, suite_folder: Path) -> Iterator[Callable[[], House]]:
    """Made once for this module."""
    with opened(pg, suite_folder) as houses:
        yield houses


@pytest.fixture
def house(loaded_house: Callable[[], House]) -> House:
    return loaded_house()


@pytest.fixture
def url(house: House) -> Iterator[str]:
    """Where the demo's console is served, on a free port of this machine."""
    from console.app import create_app

    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_documents_are_checked_with_the_keyboard_alone(screens: Callable[..., "Screen"], house: House) -> None:
    run_id = house.start(stories.PLAIN[0])
    count = house.walk(run_id, "check_docs")["current"]["progress"]["total"]
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    olivia.heading("Check each document")
    for done in range(count):
        page.wait_for_selector(f".items header:has-text('{done} of {count} done')")
        olivia.press("Control+Enter")
        page.wait_for_selector("[role=alert]")
        olivia.focus_on("f-document_status")
        olivia.press("A", "Control+Enter")
        page.wait_for_selector("text=Why was it accepted unopened?")
        olivia.focus_on("f-document_status_because")
        page.keyboard.type("Seen at the counter")
        olivia.press("Control+Enter")
    olivia.heading("Is the set complete?")
    assert house.sql("select count(*) from kyc_document where customer_id = %s and status = 'received'", stories.PLAIN[0]) == [(0,)]


def test_hits_and_the_decision_for_every_eye(screens: Callable[..., "Screen"], house: House) -> None:
    house.sql("update screening_hit set status = 'open', reason_code = null where id in (select hit_id from customer_hit where customer_id = %s)", YURI)  # fmt: skip
    at_hits, at_decision = house.start(YURI), house.start(stories.PLAIN[2])
    house.walk(at_hits, "hits")
    house.walk(at_decision, "decide")
    olivia = screens().enter("olivia")
    olivia.go(f"/runs/{at_hits}").wait_for_selector("td:has-text('Караваев Юрий Алексеевич')")
    assert olivia.faults() == []
    olivia.go(f"/runs/{at_decision}").wait_for_selector("h2:has-text('Decision')")
    assert olivia.faults() == []
