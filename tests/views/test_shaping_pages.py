"""Shaping a collection by page: layout, segments, relations and forms, seen as a role sees them; two editors of one layout."""

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from console import records
from console.sources import collections

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

HERE = "/settings/collections/customer"


def arranged(page: "Page", path: str) -> dict[str, Any]:
    """What the form of an arrangement would send."""
    told: dict[str, Any] = dict(page.form(path)["fields"])
    lists: dict[str, list[str]] = {}
    for tag, given in page.attributes:
        ticked = given.get("type") == "checkbox" and "checked" in given
        if tag == "input" and (given.get("name") in ("place", "related", "segment") or ticked):
            lists.setdefault(given["name"], []).append(given["value"])
    return {name: value for name, value in told.items() if name != "do"} | lists


def said(pages: "Pages") -> dict[str, Any]:
    """The document of the draft."""
    return collections.open_collection(pages.company.ines, "customer").document.to_json()


def publish(pages: "Pages") -> None:
    """Publish the draft."""
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="publish")


FILLED_BY_ITSELF = """
pragma writable_schema = on;
pragma schema_version = 1000;
update sqlite_schema set sql = replace(sql, 'desk text not null', 'desk text not null default ' || quote('retail')) where name = 'customer';
"""


def test_the_summary_has_groups_with_headings_related_lists_and_a_badge(pages: "Pages") -> None:
    path = f"{HERE}/layout/summary"
    sent = arranged(pages.ines.get(path), path)
    page = pages.ines.post(path, sent | {"do": "add"}, status=200)
    drawn = arranged(page, path)
    fresh = next(entry for entry in drawn["place"] if entry.startswith("g:") and entry != "g:rest")
    others = [
        entry for entry in sent["place"] if entry.startswith("f:") and entry not in ("f:email", "f:tax_id")
    ]
    moved = [fresh, "f:email", "f:tax_id", "g:rest", *others]
    named = drawn | {f"label.place.{fresh[2:]}": "How to reach them", "place": moved, "badge": "risk"}
    named["related"] = ["g:0", "f:account", "g:rest"]
    refused = pages.ines.post(path, named | {f"label.place.{fresh[2:]}": ""}, status=422)
    assert "A group has no heading" in refused.text
    shown = pages.ines.post(path, named | {"do": "preview"}, htmx="preview", status=200)
    assert "How to reach them" in shown.text
    pages.ines.post(path, named)
    summary = said(pages)["summary"]
    assert summary["sections"] == [{"label": "How to reach them", "fields": ["email", "tax_id"]}]
    assert (summary["badge"], summary["related"][0]["relation"]) == ("risk", "account")
    publish(pages)
    assert "How to reach them" in pages.olivia.get("/c/customer/1").text


def test_the_form_of_a_new_record_has_its_own_fields_and_beginnings(pages: "Pages") -> None:
    path = f"{HERE}/layout/new"
    sent = arranged(pages.ines.get(path), path)
    needed = re.compile(r'name="required\.desk"\s+value="yes"( checked)?( disabled)?')
    assert needed.findall(pages.ines.get(path).html) == [(" checked", " disabled")]
    with closing(sqlite3.connect(pages.company.path)) as connection:
        connection.executescript(FILLED_BY_ITSELF)
    assert needed.findall(pages.ines.get(path).html) == [("", "")]
    fields = [entry for entry in sent["place"] if entry.startswith("f:")]
    chosen = [
        "g:0",
        "f:email",
        "f:display_name",
        "g:rest",
        *[entry for entry in fields if entry not in ("f:email", "f:display_name")],
    ]
    given = sent | {"place": chosen, "default.email": "{{ $currentUser.email }}", "required.email": "yes"}
    shown = pages.ines.post(path, given | {"do": "preview"}, htmx="preview", status=200)
    assert pages.company.ines.email in shown.html
    assert "no" in pages.ines.post(path, given | {"default.email": "{{ record.email }}"}, status=422).text
    pages.ines.post(path, given)
    assert said(pages)["new"] == ["email", "display_name"]
    assert said(pages)["fields"]["email"] == {
        "type": "email",
        "required": True,
        "default": "{{ $currentUser.email }}",
    }
    publish(pages)
    made = records.collection("customer")
    assert made.new == ("email", "display_name")
    assert made.begins_with({"currentUser": {"email": "a@b.example"}}) == {"email": "a@b.example"}


def test_the_preview_is_what_a_role_sees(pages: "Pages") -> None:
    path = f"{HERE}/layout/summary"
    sent = arranged(pages.ines.get(path), path)
    mine = pages.ines.post(path, sent | {"do": "preview"}, htmx="preview", status=200)
    assert "Adaeze" in mine.text
    other = pages.ines.post(path, sent | {"do": "preview", "as": "auditor"}, htmx="preview", status=200)
    assert "People with the role auditor may not browse" in other.text
    edit = f"{HERE}/layout/edit"
    form = arranged(pages.ines.get(edit), edit)
    assert (
        "may not change these records"
        in pages.ines.post(edit, form | {"do": "preview", "as": "reviewer"}, htmx="preview", status=200).text
    )


def segment(**values: Any) -> dict[str, Any]:
    """A sent form of a segment; `field`, `comparison` and `value` are those of its rows in order."""
    rows = {"field": ["risk"], "comparison": ["=="], "value": ["high"]} | {
        name: values.pop(name) for name in ("field", "comparison", "value") if name in values
    }
    sent = {
        f"rows.{number}.{name}": value for name, each in rows.items() for number, value in enumerate(each)
    }
    return {
        "label": "High risk",
        "kind": "conditions",
        "rows.joined": values.pop("joined", "all"),
        **sent,
        "enabled": "yes",
    } | values


def test_a_segment_is_made_of_conditions(pages: "Pages") -> None:
    new = f"{HERE}/new-segment"
    base = {"csrf_token": pages.ines.token, "revision": "0"}
    pages.ines.get(new)
    base["csrf_token"] = pages.ines.get(new).form(new)["fields"]["csrf_token"]
    more = pages.ines.post(new, base | segment(do="rows.add"), status=200)
    assert [f'name="rows.{number}.field"' in more.html for number in range(3)] == [True, True, False]
    wrong = pages.ines.post(new, base | segment(field=["balance"], value=["much"], label=""), status=422)
    assert "is a number: much is none" in wrong.text
    assert "A segment needs a name" in wrong.text
    tried = pages.ines.post(new, base | segment(do="try"), status=200)
    assert "It finds" in tried.text
    pages.ines.post(
        new,
        base
        | segment(
            field=["risk", "balance"],
            comparison=["in", ">="],
            value=["high, medium", "5"],
            joined="any",
            sort="-id",
        ),
    )
    (made,) = said(pages)["segments"][-1:]
    filter_ = 'record.risk in ["high", "medium"] || record.balance >= 5'
    assert made == {"id": "high-risk", "label": "High risk", "filter": filter_, "sort": "-id"}
    listed = pages.ines.get(f"{HERE}/segments")
    assert "is at least 5" in listed.text
    place = f"{HERE}/segments/high-risk"
    again = pages.ines.get(place)
    ticked = [
        given["value"] for given in again.with_attribute("checked") if given.get("name") == "rows.0.value"
    ]
    assert set(ticked) == {"high", "medium"}, "values to choose from are ticked"
    assert again.form(place)["fields"]["sort"] == "-id"
    assert "order of records: ID, last first" in pages.ines.get(f"{HERE}/changes").text
    publish(pages)
    shown = pages.ines.get("/c/customer?segment=high-risk")
    assert "High risk" in shown.text
    found = [int(given["data-record"]) for _, given in shown.attributes if "data-record" in given]
    assert len(found) > 1
    assert found == sorted(found, reverse=True)


SELECT = (
    "select c.id from customer c join account a on a.customer_id = c.id group by c.id having count(*) > 0"
)
REFUSED = (
    ("delete from customer", "Write a SELECT"),
    ("select id from customer; drop table customer", "one SELECT"),
    ("with gone as (delete from customer returning id) select id from gone", "not allowed"),
    ("select id from customer for update", "not allowed"),
    ("select id into elsewhere from customer", "not allowed"),
    ("select id from customer where pg_sleep(9) is null", "pg_sleep is not allowed"),
    ("select id from customer, generate_series(1, 1000000000)", "not allowed"),
    ("select generate_series(1, 9) as id", "The function generate_series is not allowed"),
    ("select id from customer limit", "cannot be read near “limit” in line 1"),
    ("select id from pg_catalog.pg_shadow", "no table pg_catalog.pg_shadow"),
    ("select id from console.person", "no table console.person"),
    ("select id, email from customer", "must give the key, id, and nothing else"),
    ("select email from customer", "must give the key"),
    ("select id from customer where absent = 1", "does not take this SELECT"),
    ("select id from (", "cannot be read"),
)


def test_a_select_only_reads_what_its_reader_may_see(pages: "Pages") -> None:
    new = f"{HERE}/new-segment"
    token = {"csrf_token": pages.ines.get(new).form(new)["fields"]["csrf_token"], "revision": "0"}
    for sql, words in REFUSED:
        page = pages.ines.post(new, token | segment(kind="sql", sql=sql), status=422)
        assert words in page.text, (sql, page.text)
        assert sql in page.form(new)["fields"]["sql"].replace("&gt;", ">"), "nothing typed is lost"
    pages.ines.post(new, token | segment(kind="sql", sql=SELECT, label="With accounts"))
    publish(pages)
    shown = pages.olivia.get("/c/customer?segment=with-accounts")
    assert "With accounts" in shown.text
    everything = pages.olivia.get("/c/customer?segment=")
    keys = {link for link in shown.links if link.startswith("/c/customer/")}
    assert keys <= {link for link in everything.links if link.startswith("/c/customer/")}, (
        "her scope still holds"
    )


def test_a_select_that_joins_the_world_is_stopped(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.records.sql_segments.SECONDS", 0.2)
    world = "with recursive t as (select 1 as n union all select n + 1 from t) select c.id from customer c join t on t.n = -c.id"
    new = f"{HERE}/new-segment"
    token = {"csrf_token": pages.ines.get(new).form(new)["fields"]["csrf_token"], "revision": "0"}
    page = pages.ines.post(new, token | segment(kind="sql", sql=world), status=422)
    assert "took too long" in page.text


def test_a_relation_is_said_renamed_and_removed(pages: "Pages") -> None:
    path = f"{HERE}/relations"
    assert "Foreign key" in pages.ines.get(path).text
    assert "Leads to records of" in pages.ines.get(f"{HERE}/new-relation").text
    new = f"{HERE}/new-relation?with=account"
    token = {
        "csrf_token": pages.ines.get(new).form("/new-relation")["fields"]["csrf_token"],
        "revision": "0",
        "with": "account",
    }
    refused = pages.ines.post(
        f"{HERE}/new-relation", token | {"label": "Other", "kind": "to_many"}, status=422
    )
    assert "Choose the column" in refused.text
    pages.ines.post(
        f"{path}/account",
        token
        | {"label": "Their accounts", "kind": "to_many", "via.to_many": "customer_id", "to.to_many": ""},
    )
    assert {
        "name": "account",
        "label": "Their accounts",
        "collection": "account",
        "kind": "to_many",
        "via": "customer_id",
    } in said(pages)["relations"]
    assert "Their accounts" in pages.ines.get(path).text
    pages.ines.post(f"{path}/account", token | {"revision": "1", "do": "remove"})
    assert "Their accounts" not in pages.ines.get(path).text


def test_two_editors_see_both_changes_and_lose_nothing(pages: "Pages") -> None:
    path = f"{HERE}/layout/list"
    mine = arranged(pages.ines.get(path), path)
    theirs = said(pages) | {"columns": ["id", "email"], "help": "Theirs."}
    collections.save(pages.company.ines, "customer", 0, theirs)
    order = [entry for entry in mine["place"] if entry != "f:tax_id"]
    page = pages.ines.post(path, mine | {"place": ["g:0", "f:tax_id", *order[1:]]}, status=409)
    for words in ("Columns of the list", "Theirs.", "take this"):
        assert words in page.text, words
    assert said(pages)["columns"] == ["id", "email"]
    late = page.form("/merge")["fields"]
    collections.save(pages.company.ines, "customer", 1, theirs | {"label": "Patrons"})
    again = pages.ines.post(f"{HERE}/merge", late | {"mine_wins": "columns"}, status=409)
    assert "Patrons" in again.text
    pages.ines.post(f"{HERE}/merge", again.form("/merge")["fields"] | {"mine_wins": "columns"})
    both = said(pages)
    assert (both["columns"][0], both["help"], both["label"]) == ("tax_id", "Theirs.", "Patrons")
    mine = again.form("/merge")["fields"] | {
        "revision": str(collections.open_collection(pages.company.ines, "customer").draft.revision)
    }
    mine.pop("mine_wins", None)
    pages.ines.post(f"{HERE}/merge", mine)
    assert said(pages)["columns"][0] == "tax_id", "without a tick theirs stays, which is what was saved last"
    pages.ines.post(f"{HERE}/merge", mine | {"base": "{"}, status=400)
