"""The page of notices: one line for what is of one kind, and older ones on further pages."""

from console import runs, workflows
from console.auth import notify
from console.infra.db.engine import fetch
from console.work import notices
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step
from tests.views.conftest import Browser, signed_in

TELLING = [f"tell{number}" for number in range(5)]


def told_by_a_workflow(company: Company) -> None:
    """Five notices for Tom from the steps of one run."""
    config = {"people": ["'tom@fernwick.example'"]}
    steps = [
        step("start", "start", TELLING[0]),
        *(
            step(name, "notify", after, config | {"text": f"Look {name}"})
            for name, after in zip(TELLING, [*TELLING[1:], "fine"], strict=True)
        ),
        step("fine", "guidance", "end", {"text": "Fine"}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "telling",
        "title": "Telling",
        "collection": "customer",
        "team": "operations",
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    runs.start(company.olivia, "telling", "customer", "1", {})


def test_what_is_of_one_kind_stands_in_one_line_and_hides_nothing_else(company: Company) -> None:
    notify.notify([company.tom.id], "note_mention", "who asks", by=company.mona.id)
    told_by_a_workflow(company)
    for number in range(2 * notices.SHOWN):
        notify.notify([company.tom.id], "alert_failed", f"failure {number}")
    fetch("update console.notice set at = at + interval '1 hour' where key = 'failure 0' returning 1")
    page = Browser(signed_in(web_app(), "tom")).get("/notices")
    assert f"look at the incidents of its workflow: {2 * notices.SHOWN} notices" in page.text
    assert ("Telling: 5 notices" in page.text, "5 new" in page.text, "named you in a note" in page.text) == (
        True,
        True,
        True,
    )
    assert [name for name in TELLING if f"Look {name}" not in page.text] == []
    assert [link for link in page.links if "before=" in link] == []


def test_what_is_older_is_a_page_further_and_only_ones_own(company: Company) -> None:
    for number in range(notices.SHOWN + 5):
        notify.notify([company.tom.id], "note_mention", f"note {number}", by=company.mona.id)
    notify.notify([company.mona.id], "note_mention", "hers", by=company.tom.id)
    tom = Browser(signed_in(web_app(), "tom"))
    page = tom.get("/notices")
    (older,) = [link for link in page.links if "before=" in link]
    rest = tom.get(older)
    assert (page.text.count("named you in a note"), rest.text.count("named you in a note")) == (
        notices.SHOWN,
        5,
    )
    assert [link for link in rest.links if "before=" in link] == []
    fetch(
        "update console.notice set read_at = now() where id in (select id from console.notice order by at desc limit %s) returning 1",
        (notices.SHOWN,),
    )
    assert "Mark all as read" in tom.get("/notices").text, "older ones are unread"
    (hers,) = notices.notices_of(company.mona)
    assert "named you in a note" not in tom.get(f"/notices?before={hers.id}").text
    tom.get("/notices?before=%00")
