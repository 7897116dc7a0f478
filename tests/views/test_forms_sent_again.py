"""Forms that make something, sent twice because no answer came: done once, and the second leads to what the first made."""

from typing import TYPE_CHECKING, Any

import pytest

from console import workflows
from console.auth import access
from console.infra import jobs
from console.infra.db.engine import fetch
from tests.company import DOCUMENT
from tests.jobs import worked
from tests.support.acting import RATE, imported
from tests.support.engine import step

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

pytestmark = pytest.mark.lengthy

SHEET = "/c/customer/1/do/customer.rate"
SENT_BEFORE, BEGUN_BEFORE = (
    "This form was sent before, and what it asks for was done then.",
    "This form was sent before: this is what it began.",
)
EVERY_RUN = "select count(*) from /* every run */ console.run"


@pytest.fixture
def acting(pages: "Pages") -> "Pages":
    for role in ("operator", "lead"):
        access.grant(role, "collection:customer", ["act", "create", "update"], team="operations")
    imported(RATE)
    steps = [
        step("start", "start", "read"),
        step("read", "guidance", "end", {"text": "Read."}),
        step("end", "end", None),
    ]
    loose = {"settings": {"exclusive": False}, "steps": steps}
    workflows.import_file({**DOCUMENT, "slug": "often", "title": "Often", **loose}, publish=True)
    workflows.import_file(
        {"format": 1, "slug": "alone", "title": "Alone", "team": "operations", **loose}, publish=True
    )
    return pages


def counted(statement: str) -> int:
    return int(fetch(statement)[0][0])


def twice(who: "Browser", page: "Page", action: str, **values: Any) -> "Page":
    """Send the same form two times; the page to which the second leads."""
    who.send(page, action, **values)
    first = who.answer.headers["Location"]
    who.send(page, action, **values)
    assert who.answer.headers["Location"] == first or not first.startswith("/runs/")
    return who.follow()


@pytest.mark.parametrize(
    ("address", "values"),
    [(SHEET, {"v_risk": "high"}), ("/c/customer/1/start/often", {}), ("/workflows/alone/start", {})],
)
def test_a_run_is_begun_once_however_often_its_form_is_sent(
    acting: "Pages", address: str, values: dict[str, Any]
) -> None:
    assert BEGUN_BEFORE in twice(acting.olivia, acting.olivia.get(address), address, **values).text
    assert counted(EVERY_RUN) == 1
    acting.olivia.send(acting.olivia.get(address), address, **(values and {"v_risk": "low"}))
    assert counted(EVERY_RUN) == 2, "a form that was opened anew is another wish"


def test_a_note_and_a_record_are_added_once(acting: "Pages") -> None:
    page = acting.olivia.get("/c/customer/1/notes")
    twice(acting.olivia, page, "/c/customer/1/notes", text="Called.")
    assert counted("select count(*) from console.record_note") == 1
    before = acting.company.sql("select count(*) from customer")
    page = acting.mona.get("/new/c/customer")
    assert (
        SENT_BEFORE
        in twice(
            acting.mona,
            page,
            "/new/c/customer",
            v_display_name="Newcomer",
            v_email="new@customers.example",
            v_desk="retail",
        ).text
    )
    assert acting.company.sql("select count(*) from customer") == [(before[0][0] + 1,)]


def test_the_same_action_for_several_is_begun_once(acting: "Pages") -> None:
    chosen = "/bulk/of/customer?action=customer.rate&key=1&key=2"
    form = acting.olivia.get(chosen).form("/bulk/of/customer")["fields"] | {
        "key": ["1", "2"],
        "v.risk": "high",
        "t.risk": "enum",
    }
    form |= acting.olivia.post("/bulk/of/customer", form | {"look": "1"}, status=200).form(
        "/bulk/of/customer"
    )["fields"] | {"key": ["1", "2"]}
    sent = {**form, "go": "1"}
    led = set()
    for again in (False, True):
        if again:  # what it did must not look like a change of somebody else
            worked({jobs.BULK})
        acting.olivia.post("/bulk/of/customer", sent)
        led.add(acting.olivia.answer.headers["Location"])
    assert len(led) == 1
    assert counted("select count(*) from console.bulk") == 1


def test_who_presses_again_after_the_process_failed_with_the_run_begun_sees_that_it_was(
    acting: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    page = acting.olivia.get(SHEET)
    with monkeypatch.context() as failing:
        failing.setenv("HANDRAIL_FAULT", "runs.write.after=raise@1")
        acting.olivia.send(page, SHEET, status=500, v_risk="high")
    acting.olivia.send(page, SHEET, v_risk="high")
    done = acting.olivia.follow().text
    assert counted(EVERY_RUN) == 1
    assert BEGUN_BEFORE in done
    assert "is rated High" in done, "what was typed is handed in at the run that was begun for it"


def test_what_was_refused_is_no_first_time_and_somebody_elses_form_is_another(acting: "Pages") -> None:
    page = acting.olivia.get(SHEET)
    acting.olivia.send(page, SHEET, status=422)
    acting.olivia.send(page, SHEET, v_risk="high")
    form = {name: value for name, value in page.form(SHEET)["fields"].items() if name != "csrf_token"}
    acting.tom.post(SHEET, {**form, "csrf_token": acting.tom.token, "v.risk": "low"})
    assert counted(EVERY_RUN) == 2
