"""The builder of workspaces: by page from nothing to published, two editors at once, and who gets in."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from console import workspaces
from console.core.errors import Invalid, NotAllowed
from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

EDIT = "/w/morning/edit"


def made(pages: Pages) -> Page:
    """A new workspace as the builder shows it."""
    pages.ines.send(pages.ines.get("/w/new"), "/w/new", title="Morning", id="")
    return pages.ines.follow()


def add(pages: Pages, kind: str, status: int = 303, **values: Any) -> Page:
    """The answer to a component that is added with these values."""
    return pages.ines.send(pages.ines.get(f"{EDIT}/add?type={kind}"), f"{EDIT}/add", status=status, **values)


def test_from_nothing_to_what_a_team_opens(pages: Pages) -> None:
    assert "Nothing is here yet" in made(pages).text
    add(pages, "search", label="Find somebody", name="q")
    add(pages, "collection", collection="customer", select="customer", search="q", limit="3", title="People")
    add(pages, "fields", of="customer", head="1")
    add(pages, "chart", collection="customer", chart="share", by="desk", title="By desk")
    form = pages.ines.get(f"{EDIT}/add?type=divider")
    pages.ines.post(
        f"{EDIT}/add", {**form.form(f"{EDIT}/add")["fields"], "type": "divider"}, htmx="builder", status=200
    )
    assert pages.ines.answer.headers["HX-Replace-Url"] == f"{EDIT}?part=divider", (
        "reloading shows it, and no form of another one"
    )
    revision = pages.ines.get(EDIT).form(EDIT)["fields"]["revision"]
    about = {
        "csrf_token": pages.ines.token,
        "revision": revision,
        "do": "texts",
        "title": "Every morning",
        "help": "Who came.",
        "teams": "operations",
        "icon": "users",
    }
    pages.ines.post(EDIT, about)
    assert "/w/morning" not in pages.olivia.get("/w").links, "a draft counts for nobody"
    pages.olivia.get("/w/morning", status=404)
    page = pages.ines.get("/w/morning/changes")
    assert "collection: collection" not in page.text
    assert "Label: Find somebody" in page.text, "a new component in words"
    assert '{"' not in page.text, "no JSON"
    pages.ines.send(page, "/changes", do="publish")
    assert "Version 1 is published." in pages.ines.follow().html
    shown = pages.olivia.get("/w/morning?customer=1")
    assert "Adaeze Okonkwo-Bell" in shown.text
    assert ("h1", "Every morning") in shown.headings
    assert "Every morning" not in pages.stan.get("/w").text
    document = workspaces.workspace(pages.company.olivia, "morning")
    assert [item.id for item in document.every] == ["search", "collection", "fields", "chart", "divider"]


def test_components_are_moved_resized_copied_and_removed_without_a_mouse(pages: Pages) -> None:
    made(pages)
    for words in ("One", "Two", "Three"):
        add(pages, "text", text=words)
    add(pages, "section", title="Group")

    def order() -> list[str]:
        return re.findall(r'data-part="(\w+)"', pages.ines.get(EDIT).html)

    def do(part: str, act: str, **more: str) -> None:
        page = pages.ines.get(EDIT)
        data = {
            "csrf_token": pages.ines.token,
            "revision": page.form(EDIT)["fields"]["revision"],
            "part": part,
            "do": act,
            **more,
        }
        pages.ines.post(EDIT, data)

    assert order() == ["text", "text_2", "text_3", "section"]
    do("text", "down")
    assert order() == ["text_2", "text", "text_3", "section"]
    do("text", "move", place="section", number="0")
    assert order() == ["text_2", "text_3", "section", "text"]
    do("text_3", "narrower")
    assert workspaces.open_workspace(pages.company.ines, "morning").document.component("text_3").width == 11  # type: ignore[union-attr]
    do("section", "copy")
    assert order() == ["text_2", "text_3", "section", "text", "section_2", "text_4"]
    do("section", "remove")
    assert order() == ["text_2", "text_3", "section_2", "text_4"]
    pages.ines.send(pages.ines.get("/w/morning/changes"), "/changes", do="undo")
    assert "text" in order()
    pages.ines.post(
        EDIT, {"csrf_token": pages.ines.token, "revision": "1", "part": "gone", "do": "up"}, status=404
    )


def test_what_is_wrong_stands_at_its_box_and_nothing_typed_is_lost(pages: Pages) -> None:
    made(pages)
    page = add(
        pages, "collection", status=422, collection="", title="People", where="record.desk == input.nothing"
    )
    assert "Records of: " in page.text
    assert page.form("/add")["fields"]["title"] == "People"
    page = add(pages, "text", status=422, text="{{ selected.person.name }}")
    assert page.text.count("Nothing selects person") == 2, "at the head and at its box, no third time"
    assert page.form("/add")["fields"]["text"] == "{{ selected.person.name }}"
    page = add(pages, "metric", status=422, sql="delete from customer", source="")
    assert "SELECT needs the data source" in page.text
    asked = (
        add(pages, "chart", status=422, sql="select 1", source="", chart="leaders")
        .form("/add")["fields"]
        .keys()
    )
    assert asked & {"sql", "period", "last", "by", "limit", "date"} == {"sql"}, (
        "what a SELECT answers by itself is not asked"
    )
    for measure, offered in (("sum", []), ("distinct", ["iban", "customer_id", "status"])):
        page = add(pages, "chart", status=422, collection="account", measure=measure)
        measured = page.html[page.html.index('name="field"') :].split("</select>")[0]
        assert re.findall('<option value="([^"]+)"', measured) == offered, (
            "what cannot be added up is not offered: texts, keys, states"
        )
    page = pages.ines.send(pages.ines.get("/w/new"), "/w/new", status=422, title="Morning", id="morning")
    assert "There is a workspace called morning already" in page.text
    for title, address in (
        ("Morning", "morning-2"),
        ("朝の仕事", "workspace"),
        ("Утро", "workspace-2"),
        ("New", "new-2"),
    ):
        pages.ines.send(pages.ines.get("/w/new"), "/w/new", title=title, id="")
        assert pages.ines.answer.headers["Location"] == f"/w/{address}/edit", (
            "an address made of a title is numbered"
        )


def test_who_comes_second_sees_both_and_can_keep_theirs(pages: Pages) -> None:
    made(pages)
    add(pages, "text", text="First words")
    mine = pages.ines.get(f"{EDIT}?part=text")
    editing = workspaces.open_workspace(pages.company.ines, "morning")
    theirs = editing.document.to_json()
    theirs["components"][0]["text"] = "Their words"
    workspaces.save(pages.company.ines, "morning", editing.draft.revision, theirs)
    page = pages.ines.send(mine, f"{EDIT}/text", status=409, text="My words")
    assert "You changed this draft in the meantime, in another tab or window" in page.text
    assert "Text: Words: Their words" in page.text, (
        "the component, its setting as the form calls it, and what they say"
    )
    assert page.form(f"{EDIT}/text")["fields"]["text"] == "My words"
    pages.ines.send(page, f"{EDIT}/text")
    assert (
        workspaces.open_workspace(pages.company.ines, "morning").document.component("text").text == "My words"  # type: ignore[union-attr]
    )
    mine = pages.ines.get(f"{EDIT}?part=text")
    both = pages.ines.get(EDIT)
    pages.ines.send(
        both, EDIT, do="texts", part=None, title="Morning", help="Their sentence", teams="operations"
    )
    page = pages.ines.send(
        both, EDIT, status=409, do="texts", part=None, title="Morning", help="My sentence", teams="operations"
    )
    assert "Their sentence" in page.text
    assert 'value="My sentence"' in page.html, "what was typed of the workspace itself stands in its form too"
    pages.ines.send(page, EDIT, do="texts", part=None, title="Morning", help="", teams="operations")
    hers = pages.mona.get(f"{EDIT}?part=text")
    pages.ines.send(mine, f"{EDIT}/text", title="Heading")
    page = pages.mona.send(hers, f"{EDIT}/text", htmx="builder", status=200, text="Mona's words")
    assert "Ines changes this draft too. Yours is saved beside it." in page.text
    item = workspaces.open_workspace(pages.company.ines, "morning").document.component("text")
    assert (item.text, item.title) == ("Mona's words", "Heading"), "what each of them changed"  # type: ignore[union-attr]
    pages.ines.send(mine, EDIT, do="remove", part="text", status=409)
    pages.mona.send(pages.mona.get(EDIT), EDIT, do="remove", part="text")
    page = pages.ines.send(mine, f"{EDIT}/text", status=409, text="Late words")
    assert "Text was removed by somebody else" in page.text
    assert page.form("/add")["fields"]["text"] == "Late words"
    stale = pages.ines.get("/w/morning/changes")
    assert "Mona changed it" in stale.text, "whose changes discarding the draft loses"
    add(pages, "divider")
    for do in ("publish", "discard", "undo"):
        pages.ines.send(stale, "/changes", status=409, do=do)


def test_a_former_version_comes_back_and_a_workspace_is_deleted(pages: Pages) -> None:
    made(pages)
    add(pages, "text", text="One")
    pages.ines.send(pages.ines.get("/w/morning/changes"), "/changes", do="publish")
    pages.ines.send(pages.ines.get(f"{EDIT}?part=text"), f"{EDIT}/text", text="Two")
    pages.ines.send(pages.ines.get("/w/morning/changes"), "/changes", do="publish")
    assert "Two" in pages.olivia.get("/w/morning").text
    pages.ines.send(pages.ines.get("/w/morning/versions"), "/versions", number="1")
    assert (
        "textOne" in pages.ines.get("/w/morning/changes").text.replace(" ", "")
        or "One" in pages.ines.get("/w/morning/changes").text
    )
    pages.ines.send(pages.ines.get("/w/morning/changes"), "/changes", do="publish")
    assert "One" in pages.olivia.get("/w/morning").text
    pages.ines.send(pages.ines.get("/w/morning/changes"), "/changes", do="delete")
    pages.olivia.get("/w/morning", status=404)


def test_a_preview_as_a_role_only_takes_away(pages: Pages) -> None:
    made(pages)
    add(pages, "collection", collection="account", title="Accounts")
    told = {role: pages.ines.get(f"/w/morning/preview?as={role}").text for role in ("developer", "operator")}
    assert "Developer may not see these records." in told["developer"]
    assert "LT45" not in told["developer"]
    assert "Operator may not see these records." not in told["operator"], (
        "whom the rights let in, in whatever team"
    )
    assert "LT45" in told["operator"]


@pytest.mark.parametrize("who", ["olivia", "ada", "stan"])
def test_nobody_else_builds(pages: Pages, who: str) -> None:
    made(pages)
    browser = getattr(pages, who)
    for path in (
        "/w/new",
        EDIT,
        f"{EDIT}/add?type=text",
        f"{EDIT}/text",
        "/w/morning/preview",
        "/w/morning/changes",
        "/w/morning/versions",
    ):
        browser.get(path, status=403)
    for path in ("/w/new", EDIT, f"{EDIT}/add", f"{EDIT}/text", "/w/morning/changes", "/w/morning/versions"):
        browser.post(
            path,
            {"csrf_token": browser.token, "revision": "1", "do": "publish", "type": "text", "title": "X"},
            status=403,
        )
    with pytest.raises(NotAllowed):
        workspaces.publish(getattr(pages.company, who), "morning", 1)


def test_who_shapes_collections_builds_workspaces_of_their_own_team_without_a_select(pages: Pages) -> None:
    mona, company = pages.mona, pages.company
    mona.send(mona.get("/w/new"), "/w/new", title="Morning", id="")
    page = mona.follow()
    assert [told["value"] for told in page.with_attribute("value") if told.get("name") == "teams"] == [
        "operations"
    ]
    mona.send(
        mona.get(f"{EDIT}/add?type=collection"), f"{EDIT}/add", collection="customer", select="customer"
    )
    chart = {
        "chart": "share",
        "title": "Everything",
        "source": "company",
        "sql": "select desk as label, count(*) as value from customer group by desk",
    }
    refused = mona.send(mona.get(f"{EDIT}/add?type=chart"), f"{EDIT}/add", status=422, **chart)
    assert "A SELECT is written by who manages data sources" in refused.text
    mona.send(mona.get("/w/morning/changes"), "/changes", do="publish")
    assert "/w/morning/edit" in mona.get("/w/morning").links
    assert "/w/morning/edit" not in pages.olivia.get("/w/morning").links
    pages.olivia.get(EDIT, status=403)
    document = workspaces.workspace(company.olivia, "morning").to_json()
    for teams in ([], ["operations", "audit"]):
        with pytest.raises(Invalid, match="Tick one of the teams"):
            workspaces.save(company.people["mona"], "morning", 2, document | {"teams": teams})
    workspaces.create(company.ines, document | {"id": "theirs", "teams": ["audit"]})
    mona.get("/w/theirs/edit", status=403)
    with pytest.raises(NotAllowed):
        workspaces.save(company.people["mona"], "theirs", 1, document | {"id": "theirs"})
    assert "/w/theirs/edit" not in mona.get("/w").links


def test_conditions_are_built_as_rows_and_stay_expressions(pages: Pages) -> None:
    made(pages)
    new = f"{EDIT}/add"
    page = pages.ines.send(
        pages.ines.get(f"{new}?type=collection"),
        new,
        status=200,
        collection="customer",
        title="People",
        do="where.add",
    )
    assert page.form("/add")["fields"]["title"] == "People", "nothing typed is lost"
    rows: dict[str, Any] = {"where.0.field": "desk", "where.0.comparison": "==", "where.0.value": ""}
    page = pages.ines.send(page, new, status=422, **rows)
    assert re.search(
        r'id="f-where-0-value"[^>]*aria-invalid="true"[^>]*aria-describedby="f-where-0-error"', page.html
    ), "the box is named"
    assert page.form("/add")["fields"]["where.0.field"] == "desk"
    written = {"where.1.field": "=", "where.1.value": 'record.desk == "a" || record.desk == "b"'}
    pages.ines.send(page, new, **rows | written | {"where.0.value": "north"})
    stored = ['record.desk == "north"', written["where.1.value"]]

    def where() -> list[str]:
        return list(
            workspaces.open_workspace(pages.company.ines, "morning").document.to_json()["components"][0][
                "where"
            ]
        )

    assert where() == stored
    page = pages.ines.get(f"{EDIT}?part=collection")
    fields = page.form("/edit/collection")["fields"]
    assert [fields[f"where.{n}.field"] for n in (0, 1)] == ["desk", "="]
    drawn = pages.ines.get(f"{EDIT}/collection?{urlencode(fields | {'where.0.field': '='})}")
    assert stored[0] in drawn.text, "a row that becomes one of text begins as its expression"
    page = pages.ines.send(page, "/edit/collection", status=200, do="where.without.0")
    assert where() == stored, "drawing the form anew saves nothing"
    pages.ines.send(page, "/edit/collection")
    assert where() == stored[1:]
    typed = {
        "where.0.field": "desk",
        "where.0.comparison": "contains",
        "where.0.value": "no",
        "where.0.source": "me.name",
        "collection": "account",
        "width": "12",
        "title": "X",
    }
    page = pages.ines.get(f"{EDIT}/collection?{urlencode(typed)}")
    kept = page.form("/edit/collection")["fields"]
    assert {name: kept[name] for name in typed} == typed, "also where the other collection has no such field"
