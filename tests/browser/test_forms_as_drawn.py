"""Every form of every page as it is drawn: a browser finds no value in it that it would refuse to send."""

from dataclasses import replace

from playwright.sync_api import Browser

from console.browse import list_views
from tests.browser.conftest import REFUSED, Screen, served
from tests.views.test_page_routes import House, house, template_house

__all__ = ["house", "template_house"]

DRAWN = f"""async (paths) => {{
    const found = [];
    for (const path of paths) {{
        const answer = await fetch(path), text = await answer.text();
        const parsed = new DOMParser().parseFromString(text, "text/html");
        found.push(...({REFUSED})(parsed).map((words) => `${{path}}: ${{words}}`));
    }}
    return found;
}}"""


def test_no_form_holds_a_value_that_its_browser_refuses(house: House, chromium: Browser) -> None:
    paths = ["/c/customer?view=1", *(path for _, path in house.all("GET"))]
    company = house.pages.company
    for person in (company.olivia, company.ines):
        kept = list_views.view_of(person, "customer")
        widths = {"risk": 137, "email": 61, "desk": 899}
        list_views.keep(person, "customer", replace(kept, widths=widths))
    with served() as url:
        for who in ("olivia", "ines"):
            context = chromium.new_context()
            screen = Screen(context, url).enter(who)
            assert screen.go("/c/customer").evaluate(DRAWN, paths) == [], who
            context.close()
