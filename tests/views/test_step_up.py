"""Confirm it’s you: what was asked for goes on after it, and one gets back to where one was."""

from tests.company import PASSWORD
from tests.views.conftest import Page, Pages
from tests.views.test_me_pages import house, long_ago, signed_in, usual

__all__ = ["house", "usual"]


def test_a_download_that_asks_again_leads_back_to_where_one_was(house: Pages) -> None:
    browser, there, came = (
        signed_in(house, "ada"),
        "/reports/what-was-decided.csv?days=7",
        "/reports/what-was-decided?days=7",
    )
    long_ago()
    asked = browser.client.get(there, headers={"Referer": f"http://localhost{came}"})
    assert asked.status_code == 403
    assert came in Page(asked.text).links, "Cancel leads back too"
    going_on = browser.send(
        browser.send(Page(asked.text), "/step-up", status=422, shown="no"),
        "/step-up",
        status=200,
        shown=PASSWORD,
    )
    assert browser.answer.headers["Refresh"] == f"0; url={there}"
    assert {came, there} <= set(going_on.links)
    for foreign in ("https://evil.example/step", "http://localhost/step-up?next=/c"):
        long_ago()
        asked = browser.client.get(there, headers={"Referer": foreign})
        fields = Page(asked.text).form("/step-up")["fields"]
        assert fields["came"] in ("/", "/step"), "always a page of ours, and never this one"
