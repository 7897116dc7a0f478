"""Every named block of every template can be drawn alone: that is what htmx is sent, and a page that works says nothing about it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, g
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console import runs
from console.actions.many_changes import CHANGE, DELETE
from console.activity import sequencing
from console.auth import access
from console.core.errors import Conflict
from console.views import frame
from console.views.app import folder_of
from console.views.runs import effects
from tests.tables import cases
from tests.views.test_page_routes import furnished
from tests.views.test_second_factor import enrolled

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

TEMPLATES = folder_of("templates")
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
DOOR = {
    f"auth/{name}.html"
    for name in ("sign_in", "code", "out", "provider", "forgot", "new_password", "new_password_done", "go_on")
}
NEVER_ALONE = {
    "layouts/base.html",
    "layouts/page.html",
    "layouts/narrow.html",
    "settings/base.html",
    "layouts/plain.html",
    "layouts/outside.html",
    "requests/page.html",
    "records/frame.html",
    "runner/frame.html",
    *DOOR,
}  # no view answers with a part of them
OF_OTHERS = (
    "settings/",
    "approvals/publishing",
    "editor/",
    "enrolments/",
    "lists/board",
    "lists/file",
    "records/delete",
    "records/new",
    "lists/import",
    "outbox/",
    "records/explorer",
    "records/reaching",
    "records/write",
    "unsubscribe/",
    "workflows/",
    "invitations/",
    "auth/",
    "api/",
    "records/receipt",
    "records/report",
    "records/reveal",
    "runner/supply",
    "steps/",
)
"""Folders whose pages tests/views/test_source_pages.py, test_rights_pages.py, test_proposal_pages.py and the others of their rooms draw, whole and in part."""
Drawn = list[tuple[str, dict[str, Any], str | None]]


def parsed(name: str) -> nodes.Template:
    return Environment(autoescape=True, extensions=list[str | type[Extension]]()).parse(
        (TEMPLATES / name).read_text()
    )


def alone(name: str) -> set[str]:
    """Blocks that can be a part of a page: all but those that add to the same block of what the template extends."""
    return {
        block.name
        for block in parsed(name).find_all(nodes.Block)
        if not any(
            isinstance(call.node, nodes.Name) and call.node.name == "super"
            for call in block.find_all(nodes.Call)
        )
    }


def bound(found: Iterator[nodes.Node]) -> set[str]:
    """Names that imports, macros and assignments bind."""
    names: set[str] = set()
    for node in found:
        match node:
            case nodes.FromImport():
                names |= {one if isinstance(one, str) else one[1] for one in node.names}
            case nodes.Import():
                names.add(node.target)
            case nodes.Macro():
                names.add(node.name)
            case nodes.Assign() if isinstance(node.target, nodes.Name):
                names.add(node.target.name)
    return names


@cases("name", NAMES)
def test_a_block_uses_no_name_that_is_bound_outside_of_it(name: str) -> None:
    tree = parsed(name)
    outside = bound(iter(tree.body))
    for block in tree.find_all(nodes.Block):
        used = {one.name for one in block.find_all(nodes.Name) if one.ctx == "load"}
        assert not used & (outside - bound(block.find_all(nodes.Node))), f"block {block.name}"


@cases("name", NAMES)
def test_blocks_within_blocks_bind_their_own_names(name: str) -> None:
    for outer in parsed(name).find_all(nodes.Block):
        for inner in outer.find_all(nodes.Block):
            if inner is not outer:
                within = bound(inner.find_all(nodes.Node))
                around = bound(iter(outer.body)) - within
                used = {one.name for one in inner.find_all(nodes.Name) if one.ctx == "load"}
                assert not used & around, f"block {inner.name} in {outer.name}"


def test_components_are_there_for_every_template(app: Flask) -> None:
    files = {path.stem for path in (TEMPLATES / "components").glob("*.html")}
    assert files == set(frame.COMPONENTS)
    assert {name for macros in frame.COMPONENTS.values() for name in macros} <= set(app.jinja_env.globals)


@pytest.fixture
def drawn(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """(template, context, block) of whatever the pages draw from here on."""
    kept: Drawn = []
    render = frame.render

    def noting(template: str, context: Mapping[str, Any], block: str | None = None) -> str:
        kept.append((template, dict(context), block))
        return render(template, context, block)

    monkeypatch.setattr(frame, "render", noting)
    return kept


def emptied(context: Mapping[str, Any]) -> dict[str, Any]:
    """The same with nothing in its lists, its tables and its cells."""
    return {
        name: [] if isinstance(value, list | tuple) else Markup("") if isinstance(value, Markup) else value
        for name, value in context.items()
    }


def visited(pages: "Pages") -> None:
    """Every page there is, with much and with nothing on it."""
    company, olivia, ada = pages.company, pages.olivia, pages.ada
    house = furnished(pages)
    done, held = company.finished("2"), house.run
    saved = company.at("note", "4")
    runs.save(company.olivia, saved, revision=company.told(saved)["revision"])
    sequencing.catch_up()
    for path in (
        "/",
        "/c",
        "/settings/me",
        "/patterns",
        "/c/customer",
        "/c/customer?q=nobody",
        "/c/customer?segment=unrated&q=nobody",
        "/c/nothing",
        "/c/customer/1",
        "/c/customer/1?tab=details",
        "/c/customer/1?tab=activity",
        "/c/customer/3",
        "/c/customer/1/menu",
        "/c/customer/3/menu",
        "/c/customer/1/related/account",
        "/c/customer/2/related/account",
        "/c/customer/1/edit/email",
        "/c/customer/3/start/care-review",
        f"/runs/{held}",
        f"/runs/{held}?tab=related",
        f"/runs/{held}?tab=activity",
        f"/runs/{done}",
        f"/runs/{saved}",
        f"/runs/{held}/abort",
        f"/runs/{held}/leave",
        f"/runs/{held}/escalate",
        f"/runs/{held}/revise?step=note",
        f"/runs/{done}/replay",
        f"/runs/{done}/replay?at=7&since=1",
        f"/runs/{done}/abort",
        "/more",
        "/work",
        "/inbox/desk",
    ):
        for headers in ({}, {"HX-Request": "true", "HX-Target": "elsewhere"}):
            assert olivia.client.get(path, headers=headers).status_code in (200, 404), path
    for target in ("saving-sheet", "filter-sheet", "view-sheet"):
        assert (
            olivia.client.get(
                "/c/customer?q=o", headers={"HX-Request": "true", "HX-Target": target}
            ).status_code
            == 200
        )
    for headers in ({}, {"HX-Request": "true", "HX-Target": "elsewhere"}):
        assert olivia.client.get(f"/runs/{done}/checks", headers=headers).status_code == 409
    assert pages.app.test_client().get("/request/nothing").status_code == 404
    for who in (olivia, pages.mona):
        for _, path in house.all("GET"):
            for headers in ({}, {"HX-Request": "true", "HX-Target": "elsewhere"}):
                who.client.get(path, headers=headers)
    for path in ("/activity", "/activity?kind=policy_changed", "/activity?kind=nothing", "/activity/proof"):
        assert ada.client.get(path).status_code in (200, 400)
    assert pages.ines.client.get("/operations").status_code == 200
    for path in (f"/runs/{held}/assign", "/reports", "/reports/runs-by-workflow"):
        assert pages.mona.client.get(path).status_code == 200
    access.grant("operator", "collection:customer", ["update", "delete"], team="operations")
    for action in (CHANGE, DELETE):
        assert olivia.client.get(f"/bulk/of/customer?action={action}&key=1&field=risk").status_code == 200
    enrolled(pages.ines)
    for path in (
        "/settings/me",
        "/settings/me/second-factor",
        "/settings/sign-in",
        f"/settings/sign-in/of/{company.ines.id}",
        "/step-up",
    ):
        assert pages.ines.client.get(path).status_code == 200
    for key in ("1", "2", "3"):
        assert pages.ines.client.get(f"/c/customer/{key}/erase").status_code == 200
    pages.ines.send(pages.ines.get("/c/customer/2/erase"), "/erase", reason="Asked by letter.", word="ERASE")
    pages.ines.follow()
    token = olivia.token
    olivia.post("/pick", {"csrf_token": token, "collection": "customer", "q": "okonk"}, status=200)
    for path, status in (
        (f"/runs/{held}/abort", 422),
        (f"/runs/{held}/revise?step=note", 422),
        (f"/runs/{held}/complete", 409),
    ):
        olivia.post(path, {"csrf_token": token, "revision": "0", "step": "note"}, htmx="run", status=status)
    olivia.post("/c/customer/3/start/care-review", {"csrf_token": token}, htmx="dialog", status=422)
    olivia.post(
        "/c/customer/1/edit/risk",
        {"csrf_token": token, "old": "null", "t.risk": "enum", "v.risk": "low"},
        htmx="value-risk",
        status=200,
    )


def test_every_block_is_drawn_alone_with_much_and_with_nothing(pages: "Pages", drawn: Drawn) -> None:
    visited(pages)
    kept, done = list(drawn), set()
    in_part = {template for template, _, block in kept if block}
    assert not in_part & NEVER_ALONE, "drawn in part after all"
    run = next(context for template, context, _ in kept if template == "runner/abort.html")
    kept.append(
        (
            "runner/repeat.html",
            run
            | effects.repeat_context(Conflict("Done before.", code="already_done", effects=[]), MultiDict()),
            None,
        )
    )
    kept.append(("requests/gone.html", {"message": "Nothing here."}, None))
    ticket = {"inbox": {"id": "kyc", "title": "KYC"}, "ticket": {"id": "r:1", "title": "Ana"}}
    kept.append(("inbox/snooze.html", ticket | {"typed": {}, "wrong": {}}, None))
    parts = {"title": "Each", "words": "None yet", "lines": [], "more": 0, "step": "each", "live": False}
    kept.append(("runner/parts_page.html", run | {"parts": parts}, None))
    for template, context, block in kept:
        with pages.app.test_request_context("/c/customer?q=x"):
            g.actor = pages.company.olivia
            for name in [block] if block else alone(template):
                for given in (context, emptied(context)):
                    assert isinstance(frame.render(template, given, name), str)
                done.add((template, name))
    wanted = {
        (name, block)
        for name in NAMES
        for block in alone(name)
        if name not in NEVER_ALONE and not name.startswith(OF_OTHERS)
    }
    undrawn = sorted({name for name, _ in wanted - done})
    assert undrawn == [], " ".join(undrawn)
    assert {
        name
        for name in NAMES
        if not name.startswith(OF_OTHERS)
        and name.count("/") == 1
        and (TEMPLATES / name).read_text().startswith("{% extends")
    } - {name for name, _ in done} <= NEVER_ALONE


@pytest.mark.parametrize(
    "path",
    ["/c/customer?q=nobody", "/c/customer?segment=unrated&q=nobody", "/c/customer?filter=%7B%7D&q=%00"],
)
@pytest.mark.parametrize("target", ["list", "results", "count", "elsewhere", ""])
def test_a_list_without_a_row_is_no_fault_for_htmx(pages: "Pages", path: str, target: str) -> None:
    answer = pages.olivia.client.get(path, headers={"HX-Request": "true", "HX-Target": target})
    assert answer.status_code in (200, 400)
    assert answer.mimetype == "text/html"


def test_the_folder_of_templates_holds_nothing_else() -> None:
    assert {Path(name).suffix for name in NAMES} == {".html"}
