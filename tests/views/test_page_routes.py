"""Every HTML route in every circumstance: no session, no right, wrong method, foreign form, no token, a part for htmx or the whole page."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from console import log, runs, workflows, workspaces
from console.actions import bulk
from console.infra import files, subjects
from console.work import notices, questions, tasks
from tests.company import DOCUMENT
from tests.conftest import Companies, web_app
from tests.papers import CHECKED, at_note, pdf, workflow
from tests.support.acting import RATE, imported
from tests.support.engine import step
from tests.support.four_eyes import asking, requested
from tests.views.conftest import Browser, Pages
from tests.views.page_routes import NO_PAGES, ROUTES, Route

pytestmark = pytest.mark.lengthy

OURS = "http://localhost"
FOREIGN = (
    "https://evil.example",
    "http://localhost:81",
    "https://localhost",
    "http://localhost.evil.example",
    "null",
    "",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Wrong = list[tuple[object, ...]]


@dataclass
class House:
    """The company with a run that Olivia holds at "Rate the risk", and a request of hers for approval."""

    pages: Pages
    run: str
    checked: str
    approval: str
    bulk: str
    file: str

    task: str
    question: str
    notice: str

    def all(self, method: str | None = None) -> list[tuple[Route, str]]:
        named = ("run", "checked", "approval", "bulk", "file", "task", "question", "notice")
        ids = {name: getattr(self, name) for name in named}
        return [
            (route, route.path.format(**ids)) for route in ROUTES if method is None or method in route.methods
        ]

    def untouched(self) -> bool:
        told = self.pages.company.told(self.run)
        return (told["status"], told["current"]["step"], told["current"]["draft"]) == (
            "waiting_person",
            "rate",
            None,
        )


@pytest.fixture(scope="module")
def template_house(companies: Companies) -> House:
    with companies.furnished("page_routes") as company:
        return furnished(Pages(company, web_app()))


@pytest.fixture
def house(companies: Companies, template_house: House) -> Iterator[House]:
    with companies.lent("page_routes") as company:
        yield replace(template_house, pages=Pages(company, web_app()))


def furnished(pages: Pages) -> House:
    """Something behind every route."""
    asking()
    _, approval = requested(pages.company, slug="asking", record="3")
    imported(RATE)
    olivia = pages.company.olivia
    rate = next(action for action in bulk.offered(olivia, "customer") if action.id == RATE["id"])
    chosen = bulk.chosen(olivia, "customer", rate, ["1"], None)
    many = bulk.begin(olivia, "customer", rate, chosen, {"risk": "low"})
    run = pages.company.at("rate")
    kept = files.put(
        subjects.subject_of("customer", "1"), pdf(), "a.pdf", ["pdf"], run=run, slot="paper", now=log.now()
    )
    company = pages.company
    steps = [
        step("start", "start", "do"),
        step("do", "create_task", "ask", {"title": "Look", "assignee": "'olivia@fernwick.example'"}),
        step(
            "ask",
            "human_input",
            "end",
            {"to": {"people": ["'olivia@fernwick.example'"]}, "question": "Right?"},
        ),
        step("end", "end", None),
    ]
    workflows.import_file(
        {
            "format": 1,
            "slug": "questioning",
            "title": "Asking",
            "collection": "customer",
            "team": "operations",
            "steps": steps,
        },
        publish=True,
    )
    runs.start(company.mona, "questioning", "customer", "3", {})
    listed = [{"id": "people", "type": "collection", "collection": "customer"}]
    workspaces.create(
        company.ines, {"id": "desk", "title": "Desk", "teams": ["operations"], "components": listed}
    )
    workspaces.publish(company.ines, "desk", 1)
    told = notices.notices_of(company.olivia)[0].id
    checked = workflow("checked", CHECKED)
    return House(
        pages,
        run,
        at_note(company, checked, "4"),
        approval,
        many,
        kept.id,
        tasks.tasks_of(company.olivia)[0].id,
        questions.open_for(company.olivia)[0].id,
        told,
    )


def ask(browser: Browser, path: str, method: str, **headers: str) -> TestResponse:
    return browser.client.open(
        path, method=method, data={"csrf_token": browser.token} if method != "GET" else None, headers=headers
    )


def whole(answer: TestResponse) -> bool:
    return answer.text.lstrip().startswith("<!DOCTYPE html>") and answer.text.count("<h1") == 1


def test_the_table_has_every_page(house: House) -> None:
    there = {
        (rule.rule, method)
        for rule in house.pages.app.url_map.iter_rules()
        if not rule.rule.startswith("/api/") and rule.rule not in NO_PAGES
        for method in (rule.methods or set()) & set(METHODS)
    }
    assert there == {(route.rule, method) for route in ROUTES for method in route.methods}


def test_without_a_session_every_page_leads_to_signing_in_and_back(house: House) -> None:
    stranger, wrong = house.pages.app.test_client(), Wrong()
    for route, path in house.all("GET"):
        answer = stranger.get(path)
        back = "" if path == "/" else path
        led = unquote(answer.headers.get("Location", ""))
        good = (
            answer.status_code == 303
            and led == ("/sign-in?next=" + back if back else "/sign-in")
            and "Customer" not in answer.text
        )
        wrong += [] if good else [(route.rule, answer.status_code, led)]
        part = stranger.get(path, headers={"HX-Request": "true", "HX-Current-URL": f"{OURS}/c/customer?q=x"})
        good = (
            part.status_code == 401
            and part.headers["HX-Redirect"].startswith("/sign-in?next=/c/customer")
            and not part.data
        )
        wrong += [] if good else [(route.rule, "htmx", part.status_code)]
    assert wrong == []


def test_without_a_session_no_form_does_anything(house: House) -> None:
    stranger, wrong = house.pages.app.test_client(), Wrong()
    token = re.search(r'csrf_token" value="([^"]+)', stranger.get("/sign-in").text)
    for route, path in house.all("POST"):
        for data in ({}, {"csrf_token": token[1] if token else ""}):
            answer = stranger.post(path, data=data, headers={"Origin": OURS})
            good = (
                answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
                if data
                else answer.status_code == 403
            )
            wrong += [] if good else [(route.rule, bool(data), answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_who_has_no_right_is_told_nothing_and_changes_nothing(house: House) -> None:
    stan, wrong = house.pages.stan, Wrong()
    for route, path in house.all():
        for method in route.methods:
            answer = ask(stan, path, method)
            leaks = any(word in answer.text for word in ("Adaeze", "adaeze", "Care review", "Rate the risk"))
            wrong += (
                []
                if answer.status_code == route.stan and not leaks
                else [(method, route.rule, answer.status_code, leaks)]
            )
    assert wrong == []
    assert house.untouched()


def test_what_is_hidden_and_what_is_not_there_are_answered_alike(house: House) -> None:
    stan, wrong = house.pages.stan, Wrong()
    for route, path in house.all("GET"):
        if route.stan == 404:
            absent = path.replace("customer", "absent").replace(house.run, "run_absent")
            hidden, nothing = ask(stan, path, "GET"), ask(stan, absent, "GET")
            texts = [answer.text.replace(answer.headers["X-Request-Id"], "") for answer in (hidden, nothing)]
            wrong += (
                []
                if texts[0] == texts[1] and nothing.status_code == 404
                else [(route.rule, nothing.status_code)]
            )
    assert wrong == []


HERS = frozenset({"/notices/read", "/pick", "/pins", "/search", "/c/customer/view"})
"""What is sent and changes nothing but how its sender sees things."""


def test_a_reviewer_looks_and_does_not_touch(house: House) -> None:
    rosa, wrong = house.pages.rosa, Wrong()
    for path in (
        "/c/customer",
        "/c/customer/1",
        "/c/customer/1/menu",
        f"/runs/{house.run}",
        f"/runs/{house.run}/replay",
    ):
        page = rosa.get(path)
        forms = [
            form["action"] for form in page.forms if form["method"] == "post" and form["action"] not in HERS
        ]
        wrong += (
            [] if not forms and "/edit/" not in page.html and "/start/" not in page.html else [(path, forms)]
        )
    for route, path in house.all("POST"):
        if path.partition("?")[0] in HERS:
            continue
        answer = ask(rosa, path, "POST")
        wrong += [] if answer.status_code in (403, 404, 409, 422) else [(route.rule, answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_a_form_without_the_token_does_nothing(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in list(house.all("POST")):
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "forged"}, {"csrf_token": house.pages.tom.token}):
            answer = olivia.client.post(path, data=data | {"revision": "1", "step": "rate", "reason": "x"})
            good = answer.status_code == 403 and "too old to send anything" in answer.text and whole(answer)
            wrong += [] if good else [(route.rule, data, answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_a_nul_in_every_field_is_no_fault_of_ours(house: House) -> None:
    templates = (Path(__file__).parents[2] / "templates").rglob("*.html")
    names = {
        name
        for page in templates
        for found in re.findall(
            r'\bname="([a-z_][a-z_.-]*)"|choice_box\([^\n]*?, "([a-z_][a-z_.-]*)"',
            page.read_text(encoding="utf-8"),
        )
        for name in found
    } - {"csrf_token", ""}
    olivia, wrong = house.pages.olivia, Wrong()
    typed = dict.fromkeys(sorted(names), "1\x002")
    for route, path in list(house.all("POST")):
        for do in ({}, {"do": "unpin"}):
            answer = olivia.client.post(path, data={**typed, "csrf_token": olivia.token, **do})
            wrong += [] if answer.status_code < 500 else [(route.rule, do, answer.status_code)]
    assert wrong == []


def test_a_form_from_another_site_does_nothing_though_it_knows_the_token(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in list(house.all("POST")):
        for origin in FOREIGN:
            answer = ask(olivia, path, "POST", Origin=origin)
            wrong += (
                []
                if answer.status_code == 403 and "another site" in answer.text
                else [(route.rule, origin, answer.status_code)]
            )
        for site in ("cross-site", "same-site"):
            answer = ask(olivia, path, "POST", **{"Sec-Fetch-Site": site, "Origin": OURS})
            wrong += [] if answer.status_code == 403 else [(route.rule, site, answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_the_token_may_travel_in_a_header(house: House) -> None:
    olivia = house.pages.olivia
    revision = str(house.pages.company.told(house.run)["revision"])
    answer = olivia.client.post(
        f"/runs/{house.run}/save", data={"revision": revision}, headers={"X-CSRFToken": olivia.token}
    )
    assert answer.status_code == 303
    assert house.pages.company.told(house.run)["status"] == "saved"


def test_a_get_is_the_whole_page_and_htmx_gets_its_part(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in house.all("GET"):
        plain = ask(olivia, path, "GET")
        wrong += (
            []
            if plain.status_code == route.status and whole(plain)
            else [(route.rule, "plain", plain.status_code)]
        )
        told = {"HX-Request": "true", "HX-Target": route.target}
        part = ask(olivia, path, "GET", **told)
        if route.status != 200:
            good = (
                "<html" not in part.text
                and ("Nothing here" if route.status == 404 else "Not allowed") in part.text
            )
        else:
            good = (
                part.text.lstrip().startswith(route.part) and "<html" not in part.text
                if route.part
                else whole(part)
            )
        wrong += (
            []
            if good and part.status_code == route.status
            else [(route.rule, "part", part.status_code, part.text[:80])]
        )
        restored = ask(olivia, path, "GET", **told, **{"HX-History-Restore-Request": "true"})
        wrong += [] if whole(restored) else [(route.rule, "restored", restored.text[:80])]
        for answer in (plain, part, restored):
            kept = (
                answer.headers["Cache-Control"] == "no-store"
                and "HX-Request" in answer.headers["Vary"]
                and answer.mimetype == "text/html"
            )
            wrong += [] if kept else [(route.rule, dict(answer.headers))]
    assert wrong == []


def test_looking_with_head_starts_nothing_though_nothing_is_asked(house: House) -> None:
    silent = deepcopy(DOCUMENT) | {"slug": "silent-review", "title": "Silent review"}
    silent["steps"][0]["config"] = {}
    workflows.import_file(silent, publish=True)
    assert house.pages.olivia.client.head("/c/customer/2/start/silent-review").status_code == 200
    assert [head.workflow_title for head in runs.on_record(house.pages.company.olivia, "customer", "2")] == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"revision": ""},
        {"revision": "x"},
        {"revision": "-1"},
        {"revision": "9" * 40},
        {"revision": "1", "step": "\0"},
        {"step": "nothing"},
    ],
)
def test_forms_that_make_no_sense_are_refused_in_words(house: House, form: dict[str, str]) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in house.all("POST"):
        if route.rule.startswith("/runs/") and route.status == 200:
            for headers in ({}, {"HX-Request": "true", "HX-Target": "run"}):
                answer = olivia.client.post(path, data=form | {"csrf_token": olivia.token}, headers=headers)
                good = (
                    answer.status_code in (400, 404, 409, 422)
                    and answer.mimetype == "text/html"
                    and "Traceback" not in answer.text
                )
                wrong += [] if good else [(route.rule, headers, answer.status_code)]
    assert wrong == []
    assert house.untouched()


@pytest.mark.parametrize(
    "path",
    [
        "/c/customer/%00",
        "/c/%00",
        "/runs/%00",
        "/c/customer/" + "9" * 3000,
        "/c/customer/1/edit/%2e%2e",
        "/runs/run_%F0%9F%98%80",
        "/c/customer/1%0d%0aX-Evil:1",
        "/c/customer/1/related/%3Cscript%3E",
        "/c/customer/1/start/..%2f..",
        "/c//customer",
        "//evil.example/c",
        "/c/customer/",
    ],
)
def test_odd_addresses_are_not_there(house: House, path: str) -> None:
    answer = house.pages.olivia.client.get(path)
    assert answer.status_code in (301, 303, 308, 400, 404), path
    assert "X-Evil" not in answer.headers
    assert "<script>" not in answer.text
    assert "evil.example" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\t//evil.example",
        "/%0d%0aX: 1",
        "data:x",
    ],
)
def test_no_form_leads_away_from_here(house: House, to: str) -> None:
    company, olivia = house.pages.company, house.pages.olivia
    page = olivia.get(f"/runs/{house.run}/leave", status=200)
    assert olivia.client.get(f"/runs/{house.run}/leave", query_string={"to": to}).status_code == 200
    olivia.post(f"/runs/{house.run}/save", page.form("/save")["fields"] | {"to": to})
    led = olivia.answer.headers["Location"]
    assert led.startswith("/")
    assert not led.startswith(("//", "/\\"))
    assert "\n" not in led
    runs.resume(company.olivia, house.run, revision=company.told(house.run)["revision"])
    olivia.post(
        f"/runs/{house.run}/abort",
        {
            "csrf_token": olivia.token,
            "revision": str(company.told(house.run)["revision"]),
            "reason": "x",
            "to": to,
        },
    )
    assert olivia.answer.headers["Location"].startswith("/")
    assert "evil.example" not in olivia.answer.headers["Location"].split("?")[0].replace("/\\", "//")[:2]
