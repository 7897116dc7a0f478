"""The running page of a workspace: who sees it, what a choice draws anew, what stands where a component fails, and hostile values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from console import workspaces
from console.auth import accounts
from console.authoring.versioned_documents import Draft
from console.core.actor import COMMAND_LINE
from console.core.documents.workspaces import check
from console.infra.db.engine import transaction
from console.records import catalogue
from console.sources import collections
from console.workspaces import workspace_list, workspace_publication, workspace_store
from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

DESK: dict[str, Any] = {
    "format": 1,
    "id": "desk",
    "title": "Customer desk",
    "teams": ["operations"],
    "components": [
        {"id": "find", "type": "search", "name": "q", "label": "Search customers"},
        {
            "id": "desks",
            "type": "dropdown",
            "name": "on",
            "label": "Desk",
            "options": [{"value": "retail", "label": "Retail"}, {"value": "corporate", "label": "Corporate"}],
        },
        {
            "id": "people",
            "type": "collection",
            "collection": "customer",
            "select": "customer",
            "search": "q",
            "where": ["record.desk == input.on"],
            "columns": ["display_name", "email"],
            "look": "list",
        },
        {
            "id": "who",
            "type": "fields",
            "of": "customer",
            "head": True,
            "fields": ["email", "desk", "tax_id", "balance"],
        },
        {"id": "accounts", "type": "related", "of": "customer", "relation": "account"},
        {"id": "start", "type": "workflow", "of": "customer"},
        {"id": "do", "type": "action", "of": "customer"},
        {"id": "hello", "type": "text", "text": "Good morning, {{ me.name }}."},
        {
            "id": "mine",
            "type": "text",
            "text": "**{{ selected.customer.title }}** has {{ selected.customer.balance }}.",
        },
        {"id": "more", "type": "link", "text": "All of it", "to": "/c/customer/{{ selected.customer.key }}"},
        {"id": "n", "type": "metric", "title": "Customers", "collection": "customer"},
        {
            "id": "shares",
            "type": "chart",
            "title": "By desk",
            "chart": "share",
            "collection": "customer",
            "by": "desk",
        },
    ],
}


def publish(document: dict[str, Any]) -> None:
    """The document as the command line publishes it."""
    assert check(document) == []
    made = workspaces.read(document)
    with transaction() as connection:
        workspace_store.DOCUMENTS.lock(connection, made.id)
        editing = workspace_publication.Editing(made.id, None, 0, Draft(None, 0))
        workspace_publication.publish_within(connection, editing, made, COMMAND_LINE, "file")
    workspace_list.forget()


@pytest.fixture
def desk(pages: Pages) -> Pages:
    """The company with the workspace `desk`."""
    publish(DESK)
    return pages


@contextmanager
def statements(collection_id: str = "customer") -> Iterator[list[str]]:
    """The SQL that goes to the source of the collection meanwhile."""
    engine, told = catalogue.engine_of(catalogue.collection(collection_id)), list[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def parts_of(html: str) -> set[str]:
    return set(re.findall(r'id="part-(\w+)"', html))


def test_only_its_teams_see_it_and_it_stands_on_home_in_the_rail_and_in_search(desk: Pages) -> None:
    assert "Customer desk" in desk.olivia.get("/w").text
    home = desk.olivia.get("/")
    assert {"/w", "/w/desk"} <= set(home.links)
    assert "/w/desk" in desk.olivia.get("/search?q=customer+desk").links
    assert "Customer desk" not in desk.stan.get("/w").text
    for path in ("/w/desk", "/w/desk/part/n", "/d/desk"):
        desk.stan.get(path, status=404)
        desk.olivia.get("/w/unknown" + path[7:], status=404)
    assert "/w/desk" not in desk.stan.get("/").links
    assert desk.olivia.get("/d/desk", status=303).html is not None
    desk.olivia.get("/w/desk/part/unknown", status=404)


def test_a_choice_in_the_address_drives_the_rest(desk: Pages) -> None:
    page = desk.olivia.get("/w/desk?customer=1")
    for words in (
        "adaeze@customers.example",
        "Retail" if "Retail" in page.text else "retail",
        "Adaeze Okonkwo-Bell has 12.50.",
        "LT45 9999 9000 1234 5678",
        "Start Care review",
    ):
        assert words in page.text, words
    assert "/c/customer/1" in page.links
    assert "IE123" not in page.text, "what is hidden from operators stays hidden"
    assert 'aria-current="true"' in page.html


def test_a_choice_draws_only_what_depends_on_it(desk: Pages) -> None:
    desk.olivia.get("/w/desk")
    headers = {"HX-Request": "true", "HX-Target": "desk-said", "HX-Current-URL": "http://localhost/w/desk"}
    html = desk.olivia.client.get("/w/desk?customer=1", headers=headers).text
    assert parts_of(html) == {"who", "accounts", "start", "do", "mine", "more"}
    assert html.count('hx-swap-oob="true"') == 6
    html = desk.olivia.client.get("/w/desk?on=corporate", headers=headers).text
    assert parts_of(html) == {"people"}
    assert "Halcyon" in html
    assert "Adaeze" not in html
    assert parts_of(desk.olivia.client.get("/w/desk?nonsense=1", headers=headers).text) == set()


def test_rows_fields_and_figures_are_the_readers_own(desk: Pages) -> None:
    assert "Halcyon" in desk.olivia.get("/w/desk").text
    assert "Halcyon" not in desk.tom.get("/w/desk").text, "Tom works at the retail desk alone"
    assert "outside what you may see" in desk.tom.get("/w/desk?customer=3").text
    assert "Halcyon" not in desk.tom.get("/w/desk?customer=3").text
    assert "Customers 4" in desk.olivia.get("/w/desk/part/n", htmx="part-n").text
    assert "Customers 3" in desk.tom.get("/w/desk/part/n", htmx="part-n").text
    shares = desk.tom.get("/w/desk/part/shares", htmx="part-shares")
    assert "orporate" not in shares.text


def test_a_filter_over_a_hidden_field_tells_nothing(pages: Pages) -> None:
    publish(
        {
            **DESK,
            "components": [
                {
                    "id": "l",
                    "type": "collection",
                    "collection": "customer",
                    "where": ["record.tax_id == 'IE123'"],
                },
                {
                    "id": "m",
                    "type": "metric",
                    "collection": "customer",
                    "measure": "distinct",
                    "field": "tax_id",
                },
            ],
        }
    )
    page = pages.olivia.get("/w/desk")
    assert "on which this depends" in page.text
    assert "Adaeze" not in page.text
    part = pages.olivia.get("/w/desk/part/m", htmx="part-m")
    assert "tax_id" in part.text
    assert not re.search(r'class="fig', part.html)


def test_a_tab_in_which_the_reader_may_see_nothing_is_not_there(pages: Pages) -> None:
    tabs = [
        {"id": "work", "title": "Tickets", "components": [{"id": "i", "type": "inbox", "inbox": "nowhere"}]},
        {
            "id": "all",
            "title": "Everybody",
            "components": [{"id": "l", "type": "collection", "collection": "customer"}],
        },
    ]
    publish({**DESK, "components": [{"id": "t", "type": "tabs", "name": "show", "tabs": tabs}]})
    opened = pages.olivia.get("/w/desk")
    assert "Everybody" in opened.text
    assert "Tickets" not in opened.text
    assert "Halcyon" in opened.text, "the tab that is left is open"
    publish(
        {**DESK, "id": "none", "components": [{"id": "t", "type": "tabs", "name": "show", "tabs": tabs[:1]}]}
    )
    assert "not yours to see" in pages.olivia.get("/w/none").text, "where nothing is left, the page says why"


def test_what_fails_says_so_in_its_place_and_the_rest_lives(pages: Pages) -> None:
    gone: list[dict[str, Any]] = [
        {"id": "a", "type": "collection", "collection": "nowhere"},
        {"id": "b", "type": "collection", "collection": "customer", "where": ["record.vanished > 1"]},
        {"id": "c", "type": "collection", "collection": "customer", "columns": ["vanished"]},
        {"id": "d", "type": "collection", "collection": "customer", "sort": "vanished"},
        {"id": "e", "type": "collection", "collection": "customer", "segment": "vanished"},
        {"id": "f", "type": "inbox", "inbox": "nowhere"},
        {"id": "g", "type": "collection", "collection": "customer", "select": "customer"},
        {"id": "h", "type": "related", "of": "customer", "relation": "vanished"},
        {"id": "i", "type": "fields", "of": "customer.vanished"},
        {"id": "j", "type": "fields", "of": "customer", "fields": ["email", "vanished"]},
        {"id": "k", "type": "text", "text": "Still here."},
    ]
    publish({**DESK, "components": gone})
    page = pages.olivia.get("/w/desk?customer=1")
    assert "Still here." in page.text
    assert "adaeze@customers.example" in page.text
    assert page.html.count('class="state gone"') >= 6
    assert page.html.count('class="state closed"') == 2
    assert len(workspaces.unknown_names(workspaces.read({**DESK, "components": gone}))) == 9
    for part in (
        {"chart": "time", "date": "vanished"},
        {"chart": "leaders", "by": "vanished"},
        {"chart": "share", "by": "desk", "measure": "sum", "field": "display_name"},
    ):
        publish_again = {
            **DESK,
            "id": "other",
            "components": [{"id": "x", "type": "chart", "collection": "customer", **part}],
        }
        with transaction() as connection:
            connection.execute(sa.text("delete from console.workspace where id = 'other'"))
        publish(publish_again)
        assert 'class="state gone"' in pages.olivia.get("/w/other/part/x", htmx="part-x").html, part


def test_a_source_that_is_down_takes_only_its_components(desk: Pages) -> None:
    desk.olivia.get("/w/desk")
    path = desk.company.path
    away = path.with_suffix(".away")
    path.rename(away)
    try:
        from console.records import connect

        connect.dispose("company")
        page = desk.olivia.get("/w/desk?customer=1")
        assert 'class="state down"' in page.html
        assert "Good morning, Olivia." in page.text
        assert 'class="state down"' in desk.olivia.get("/w/desk/part/n", htmx="part-n").html
    finally:
        away.rename(path)
        connect.dispose("company")


def test_hostile_values_stay_text_everywhere(pages: Pages) -> None:
    evil = "<script>alert(1)</script>"
    pages.company.sql("update customer set email = ? where id = 1", "javascript:alert(1)")
    publish(
        {
            **DESK,
            "title": evil,
            "components": [
                *DESK["components"],
                {
                    "id": "out",
                    "type": "link",
                    "text": "{{ selected.customer.title }}",
                    "to": "{{ selected.customer.email }}",
                },
                {
                    "id": "by",
                    "type": "chart",
                    "chart": "leaders",
                    "collection": "customer",
                    "by": "display_name",
                    "title": evil,
                },
            ],
        }
    )
    html = pages.olivia.get("/w/desk?customer=4&q=%3Cscript%3E&on=%22%3E%3Cscript%3E").html
    assert evil not in html
    html = pages.olivia.get("/w/desk?customer=4").html
    assert evil not in html
    assert "alert(1)&lt;/script&gt;" in html
    assert "This link leads to no page" in pages.olivia.get("/w/desk?customer=1").text
    assert evil not in pages.olivia.get("/w/desk/part/by", htmx="part-by").html
    assert evil not in pages.olivia.get("/w").html
    pages.olivia.get("/w/desk?customer=%00&q=%00&on=" + "x" * 5000)
    pages.olivia.get("/w/desk?people_after=nonsense")


def test_a_page_of_twelve_components_asks_little(desk: Pages) -> None:
    desk.olivia.get("/w/desk?customer=1")
    with statements() as told:
        desk.olivia.get("/w/desk?customer=1")
    assert len(told) <= 12, "\n".join(told)
    headers = {
        "HX-Request": "true",
        "HX-Target": "desk-said",
        "HX-Current-URL": "http://localhost/w/desk?customer=2",
    }
    with statements() as told:
        desk.olivia.client.get("/w/desk?customer=1", headers=headers)
    assert len(told) <= 9, "\n".join(told)


def test_programs_read_the_documents_that_their_person_sees(desk: Pages) -> None:
    def asked(who: str, path: str) -> Any:
        key = accounts.create_key("tests", getattr(desk.company, who).id).text
        return desk.app.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"})

    heads = asked("olivia", "/workspaces").json["data"]
    assert [(each["id"], each["teams"], each["dashboard"]) for each in heads] == [
        ("desk", ["operations"], False)
    ]
    assert asked("olivia", "/workspaces/desk").json["components"][0]["id"] == "find"
    assert asked("stan", "/workspaces").json["data"] == []
    assert asked("stan", "/workspaces/desk").status_code == 404


def test_a_segment_that_is_a_select_works_in_lists_and_figures(pages: Pages) -> None:
    ines = pages.company.ines
    document = collections.open_collection(ines, "customer").document.to_json()
    document["segments"] = [
        {"id": "rich", "label": "Rich", "sql": "select id from customer where balance > 100"}
    ]
    collections.publish(ines, "customer", collections.save(ines, "customer", 0, document))
    publish(
        {
            **DESK,
            "components": [
                {"id": "l", "type": "collection", "collection": "customer", "segment": "rich"},
                {"id": "m", "type": "metric", "collection": "customer", "segment": "rich"},
            ],
        }
    )
    page = pages.olivia.get("/w/desk")
    assert "Halcyon" in page.text
    assert "Adaeze" not in page.text
    assert pages.olivia.get("/w/desk/part/m", htmx="part-m").text == "Customers: Rich 1"
    assert "Halcyon" not in pages.tom.get("/w/desk").text


def test_ticked_rows_start_a_workflow_as_in_a_list_and_lead_back_here(desk: Pages) -> None:
    olivia, here, sent_from = (
        desk.olivia,
        "/w/desk?on=retail&customer=1",
        {"Referer": "http://localhost/w/desk?on=retail&customer=1"},
    )
    offered, page = r'<option value="(\w+:[\w.-]+)"', olivia.get(here)
    assert "start:care-review" in re.findall(offered, page.html)
    assert re.findall(offered, page.html) == re.findall(offered, olivia.get("/c/customer").html)
    assert re.findall(r'form="chosen-people"\s+name="key"\s+value="(\w+)"', page.html) == ["1", "2", "4"]
    bar = next(form for form in page.forms if form["action"] == "/bulk/of/customer")
    back = f'href="{here}"'.replace("&", "&amp;")
    chosen = bar["fields"] | {"key": ["1", "4"]}
    for action, where in (
        ("hand:change", "/bulk/of/customer"),
        ("", "/tags/of/customer"),
        ("start:care-review", "/bulk/of/customer"),
    ):
        asked = olivia.client.get(where, query_string=chosen | {"action": action}, headers=sent_from).text
        assert asked.count(back) == 2, f"the crumb and Not now of {where}"
    form = Page(asked).form("/bulk/of/customer")
    sent = form["fields"] | {"key": ["1", "4"], "t.why": "enum", "v.why": "periodic"}
    checked = olivia.post(form["action"], sent | {"look": "1"}, status=200).form(form["action"])["fields"][
        "checked"
    ]
    olivia.post(form["action"], sent | {"checked": checked, "go": "1"})
    progress, at = olivia.follow(), olivia.answer.request.path
    assert f"{back}>Back to Customer desk" in progress.html.replace("\n", "")
    desk.company.work()
    resume = next(form for form in olivia.get(at).forms if form["action"].endswith("/resume"))
    olivia.client.post(resume["action"], data=resume["fields"], headers={"Referer": f"http://localhost{at}"})
    run = resume["action"].removesuffix("/resume")
    abort = olivia.get(f"{run}/abort").form(f"{run}/abort")
    olivia.post(f"{run}/abort", abort["fields"] | {"reason": "Only looked."})
    assert f"{back}>Back to Customer desk" in olivia.get(run).html
    for stranger in ("http://elsewhere.example/w/desk", "//elsewhere.example/w/desk", "/w/unknown"):
        asked = olivia.post(
            "/bulk/of/customer", form["fields"] | {"key": ["1"], "from": stranger}, status=422
        ).html
        assert stranger not in asked


def test_a_percentage_counts_what_its_reader_sees_and_leads_to_the_part(pages: Pages) -> None:
    told = {
        "id": "m",
        "type": "metric",
        "title": "Low",
        "collection": "customer",
        "part": ["record.risk == 'low'"],
        "target": 90,
    }
    publish({**DESK, "components": [told]})
    pages.company.sql("update customer set risk = 'low' where id = 1")
    risks = [row[0] for row in pages.company.sql("select risk from customer")]
    percent = 100 * risks.count("low") / len(risks)
    olivia = pages.olivia.get("/w/desk/part/m", htmx="part-m")
    assert f"{risks.count('low')} of {len(risks)}" in olivia.text
    assert f"Objective 90 %: {round(90 - percent)} points below" in olivia.text
    (to,) = [href for href in olivia.links if href.startswith("/c/customer")]
    assert f"{risks.count('low')} record" in pages.olivia.get(to).text
    assert f"of {len(risks)}" not in pages.tom.get("/w/desk/part/m", htmx="part-m").text, "Tom sees fewer"
