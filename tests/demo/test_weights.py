"""The page of a review with all that a model proposed weighs little more than an ordinary page may."""

import html
import re
from collections.abc import Callable

import pytest

from console.core.run.proposal import READY
from console.demo import stories
from tests.conftest import web_app
from tests.demo.reviewing import HALCYON, House, house, loaded_house
from tests.journeys.walking import GOOD, value
from tests.servers.model import Server
from tests.support.weights import MOST, weight
from tests.views import proposals
from tests.views.conftest import signed_in

__all__ = ["house", "loaded_house"]

pytestmark = pytest.mark.slow

CUSTOMER = stories.PLAIN[2]
WORDS = "This is the reason for what is proposed here, as long as a model usually gives one, with what speaks against it."


def reader() -> Callable[..., str]:
    """What Olivia's browser gets at an address."""
    browser = signed_in(web_app(), "olivia")
    return lambda path, **headers: browser.get(path, headers=list(headers.items())).text


@pytest.mark.parametrize(
    ("step", "customer"),
    [("check_docs", CUSTOMER), ("flags", CUSTOMER), ("decide", CUSTOMER), ("ownership", HALCYON)],
)
def test_a_page_with_all_that_was_proposed_weighs_hardly_more_than_an_ordinary_page_may(
    house: House, model: Server, step: str, customer: int
) -> None:
    run = house.start(customer)
    current = house.walk(run, step)["current"]
    sources = [
        proposals.source("s1", record=str(CUSTOMER)),
        proposals.source("s2", record=str(CUSTOMER), field="name"),
    ]
    asked = {field["name"]: field for field in current["form"]["fields"]}
    ways = [one["value"] for one in current["outcomes"]]
    choice = (
        {
            "choice": {
                "reasons": [{"text": WORDS, "sources": sources}] * 3,
                "confidence": "high",
                "sources": sources,
            }
        }
        if ways
        else {}
    )
    way = {"outcome": next(one for one in ways if one in GOOD)} if ways else {}
    told = [
        proposals.value(name, value(asked[name]), "high", WORDS, *sources)
        for name in current["proposal"]["asked"]
    ]
    proposals.arrives(house, run, *told, **way, **choice)  # type: ignore[arg-type]
    assert house.told(run)["current"]["proposal"]["status"] == READY
    get = reader()
    assert (
        max(weight(get, f"/runs/{run}"), weight(get, f"/runs/{run}/replay")) <= MOST * 1.05
    )  # the heaviest has 205,000 bytes
    if asked_later := re.search(r'id="docs"[^>]+hx-get="([^"]+)"', get(f"/runs/{run}")):
        listed = get(html.unescape(asked_later[1]), **{"HX-Request": "true", "HX-Target": "docs"})
        papers = listed[listed.index('id="docs"') :]
        papers = papers[: papers.index("</ul>")]
        assert papers.count("<li") > 5, "the long list comes when it is opened"
        assert papers.count('aria-current="true"') == 1, "with the paper that is open"
        assert "hx-get" not in papers, "and not again"
    else:
        assert step != "ownership"
