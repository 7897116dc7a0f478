"""Lists that are longer than what a step goes through: whoever decides afterwards is told."""

from console import runs, workflows
from tests.support.engine import step
from tests.views.conftest import Pages

NAMES = [{"name": f"Hit {number}"} for number in range(1, 6)]


def started(pages: Pages, limit: int) -> str:
    """A run that has gone through the first of five entries and stands at a decision."""
    items = {"entries": "variables.names", "key": "name", "limit": limit}
    go = {"form": [{"name": "verdict", "label": "Verdict", "type": "text"}], "items": items}
    options = {"options": [{"value": "yes", "label": "Approve"}, {"value": "no", "label": "Refuse"}]}
    steps = [
        step("start", "start", "names"),
        {**step("names", "loop", "decide", go), "title": "Names found"},
        step("decide", "decision", None, options) | {"next": {"yes": "end", "no": "end"}},
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "long",
        "title": "Long",
        "team": "operations",
        "settings": {"exclusive": False},
        "steps": steps,
    }
    workflows.import_file(document | {"variables": {"names": NAMES}}, publish=True)
    company = pages.company
    run = runs.start(company.olivia, "long", None, None, {})
    while (told := company.told(run))["current"]["step"] == "names":
        company.answer(run, told=told, item=told["current"]["progress"]["key"], verdict="other")
    return run


def test_a_decision_says_that_nobody_looked_at_the_rest(pages: Pages) -> None:
    run = started(pages, 2)
    page = pages.olivia.get(f"/runs/{run}")
    assert "Missing from Names found" in page.text
    assert "The list is longer: 2 were looked at, and nobody looked at the others." in page.text
    assert f"/runs/{run}/supply" not in page.html, "it is no text that somebody could supply"
    pages.olivia.send(page, "/complete", outcome="yes")
    assert any(
        "nobody looked at the others" in pages.olivia.get(f"/runs/{run}/replay?at={at}").text
        for at in (14, 15, 16)
    )
