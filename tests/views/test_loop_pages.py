"""The page of a list: its items, and what was typed for one that is gone."""

from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from markupsafe import escape

from tests.runs.commands.test_loop import LOOP, begin, hand_in

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_the_list_and_the_item_at_hand_stand_on_the_page(pages: "Pages") -> None:
    company = pages.company
    company.sql("insert into account values ('<i>x</i>&?#', 1, 'open')")
    run_id = begin(company, {"items": {**LOOP["items"], "sort": "-iban"}})
    key = company.told(run_id)["current"]["progress"]["items"][-1]["key"]
    hand_in(company, run_id, key, verdict="good")
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "1 of 3 done" in page.html
    assert 'id="item-title"' in page.html
    assert "<i>x</i>" not in page.html
    assert f"item={quote_plus(key)}" in page.html
    turned = pages.olivia.client.get(f"/runs/{run_id}", query_string={"item": key})
    assert f'name="v.item" value="{escape(key)}"' in turned.text
    assert "&lt;i&gt;x&lt;/i&gt;&amp;?#</h3>" in turned.text
    assert pages.olivia.client.get(f"/runs/{run_id}?item=nowhere").status_code == 200
    assert pages.stan.client.get(f"/runs/{run_id}?item=1").status_code == 404


def test_what_was_typed_for_an_item_that_is_gone_is_not_put_into_another(pages: "Pages") -> None:
    company = pages.company
    run_id = begin(company)
    told = company.told(run_id)
    company.sql("delete from account where iban = 'LT459999900012345678'")
    sent = {
        "revision": told["revision"],
        "step": "check",
        "t.item": "text",
        "v.item": "LT459999900012345678",
        "t.verdict": "enum",
        "v.verdict": "good",
        "t.remark": "text",
        "v.remark": "Typed in vain",
        "csrf_token": pages.olivia.token,
    }
    answer = pages.olivia.client.post(
        f"/runs/{run_id}/complete", data=sent, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 422
    assert "is not in the list any more" in answer.text
    assert 'value="Typed in vain"' not in answer.text
    assert "Typed in vain" in answer.text, "it is shown, so that it is not lost"
