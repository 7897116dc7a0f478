"""No answer of any address holds what was made of a field that its reader may not read; whoever may read the field still reads it everywhere."""

import io
import re
import zipfile
from typing import Any

import pytest
from flask import Flask

from console import runs
from console.auth import access, accounts
from console.auth.access import policy_store
from console.infra.db import transaction
from console.views.runs import pane
from console.views.work import tasks as pages_of_tasks
from console.work import approvals, notices, questions, tasks
from tests.company import Company
from tests.conftest import web_app
from tests.support import masked
from tests.support.masked import FIGURE, MARK, RELATED
from tests.views.conftest import signed_in

pytestmark = pytest.mark.lengthy

SECRETS = re.compile("|".join(map(re.escape, (MARK, RELATED, FIGURE))), re.IGNORECASE)
AROUND = 80
TABS_OF_RUN = ("source", *pane.TABS)
TABS = {
    "/runs/": ("record", *TABS_OF_RUN),
    "/c/": ("summary", "details", "activity"),
    "/tasks": tuple(name for name, _ in pages_of_tasks.TABS),
}
"""By how a page's address begins."""
LINKED = re.compile(r"\"(/(?:runs/|c/|tasks\?))[^\"]*?tab=([a-z_]+)")
"""A link to a tab, as pages have it."""


def addresses(app: Flask, ids: dict[str, str]) -> list[str]:
    """Every address that can be asked for with these names, the parts of the URL map that none of them fills left out."""
    found = []
    for rule in app.url_map.iter_rules():
        if (
            "GET" not in (rule.methods or ())
            or rule.arguments - ids.keys()
            or rule.rule.startswith(("/static", "/sign-in"))
        ):
            continue
        found.append(re.sub(r"<(?:[^:>]+:)?([a-z_]+)>", lambda match: ids[match[1]], rule.rule))
    return sorted(found)


def leaks(
    client: Any, address: str, headers: dict[str, str], secrets: re.Pattern[str]
) -> list[tuple[str, str]]:
    answer = client.get(address, headers=headers)
    text = said(answer.data)
    strange = {(page, tab) for page, tab in LINKED.findall(text) if tab not in TABS[page.rstrip("?")]}
    assert not strange, f"{address} leads to tabs that are not walked: {strange}"
    assert answer.status_code < 500 or (address, answer.status_code) == ("/health", 503), (
        address,
        answer.status_code,
        text[-600:],
    )
    return [
        (address, text[max(0, found.start() - AROUND) : found.end() + AROUND])
        for found in secrets.finditer(text)
    ]


def said(content: bytes) -> str:
    """What an answer says, an archive by what is in it."""
    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return "\n".join(opened.read(name).decode("utf-8", "replace") for name in opened.namelist())


class Reader:
    """A person with a browser and a key."""

    def __init__(self, company: Company, app: Flask, name: str) -> None:
        self.name, self.browser, self.program = name, signed_in(app, name), app.test_client()
        self.key = {"Authorization": f"Bearer {accounts.create_key('tests', company.people[name].id).text}"}

    def leaks(self, address: str, secrets: re.Pattern[str] = SECRETS) -> list[tuple[str, ...]]:
        program = address.startswith("/api/")
        found = leaks(
            self.program if program else self.browser, address, self.key if program else {}, secrets
        )
        return [(self.name, *one) for one in found]


def of_run(run: str, last: int | None = None) -> list[str]:
    api, page = f"/api/v1/runs/{run}", f"/runs/{run}"
    tabs = [f"{page}?tab={tab}" for tab in TABS_OF_RUN]
    looked_back = [f"{page}/replay?at={last}&{more}" for more in ("tab=documents", "tab=context", "since=1")]
    at = [f"{api}/replay?at={last}", f"{page}/replay?at={last}", *looked_back] if last else []
    return [
        api,
        f"{api}/events?limit=100",
        f"{api}/events?limit=100&after=90",
        f"{api}/replay",
        f"{api}/checks",
        f"{page}/checks",
        page,
        *tabs,
        f"{page}/replay",
        *at,
    ]


def test_nothing_that_was_computed_tells_what_its_reader_may_not_read(company: Company) -> None:
    masked.furnish(company)
    app = web_app()
    blind = [Reader(company, app, name) for name in ("olivia", "rosa")]
    worker = blind[0]
    wrong: list[tuple[str, ...]] = []
    places: set[str] = set()
    run = ""
    for run in masked.walk(company):
        told = company.told(run, "mona")
        places.add((told["current"] or {}).get("step", "end"))
        some = [
            *of_run(run, told["last_event"]),
            "/",
            "/notices",
            "/tasks",
            "/approvals",
            "/inbox/desk",
            "/api/v1/inboxes/desk/tickets",
        ]
        some += [f"/answers/{one.id}" for one in questions.open_for(company.olivia)]
        some += [f"/approvals/{one.id}" for one in approvals.find(company.mona).lines]
        wrong += [leak for address in some for leak in worker.leaks(address)]
    assert len(places) >= 13
    ids = {
        "run_id": run,
        "run": run,
        "collection": "customer",
        "key": "1",
        "part": "1",
        "slug": "masked",
        "workflow_id": "masked",
        "name": "desk",
        "approval_id": approvals.find(company.mona).lines[0].id,
        "relation": "account",
        "path": "1",
        "step": "decide",
        "n": "1",
        "number": "1",
        "notice_id": notices.notices_of(company.olivia)[0].id,
        "task_id": tasks.tasks_of(company.olivia)[0].id,
    }
    every = addresses(app, ids)
    every += [
        f"{page}?tab={tab}"
        for page in ("/c/customer/1", "/tasks")
        for tab in TABS[page[:3] if page[:3] == "/c/" else page]
    ]
    every += [
        f"/api/v1/runs/{run}/replay?at={at}" for at in range(1, company.told(run, "mona")["last_event"] + 1)
    ]
    wrong += [leak for reader in blind for address in every for leak in reader.leaks(address)]
    assert not wrong, "\n".join(" ".join(leak) for leak in wrong)


def test_whoever_may_read_the_field_still_reads_what_was_made_of_it(company: Company) -> None:
    masked.furnish(company)
    mona = Reader(company, web_app(), "mona")
    told: dict[str, Any] = {}
    for run in masked.walk(company):
        told = company.told(run, "mona")
        here = told["current"]
        if here and here["form"]:
            assert mona.leaks(f"/api/v1/runs/{run}"), here["step"]
            assert mona.leaks(f"/runs/{run}"), here["step"]
    run = told["id"]
    for address in (
        f"/api/v1/runs/{run}",
        f"/api/v1/runs/{run}/events?limit=100",
        f"/api/v1/runs/{run}/replay",
        f"/runs/{run}?tab=context",
    ):
        assert mona.leaks(address), address
    made = {step for step, output in told["context"].items() if SECRETS.search(str(output))}
    assert made >= {
        "load",
        "change",
        "rule",
        "decide",
        "each",
        "find",
        "ask_model",
        "tell",
        "todo",
        "ask",
        "agree",
        "act",
        "out",
        "papers",
        "hand",
    }
    assert runs.replay(company.mona, run).json["masked"] == []


def test_what_is_left_out_is_null_and_named(company: Company) -> None:
    masked.furnish(company)
    for run in masked.walk(company):
        if (company.told(run, "mona")["current"] or {}).get("step") == "decide":
            break
    told = runs.replay(company.rosa, run).json
    assert told["run"]["context"]["rule"]["compared"] == {
        "steps.load.record.tax_id": None,
        "record.tax_id": None,
        "input.first": None,
        "steps.load.newest": None,
    }
    assert "run.context.rule.compared.record.tax_id" in told["masked"]
    assert told["run"]["context"]["change"]["given"] is None
    assert "run.context.change.given" in told["masked"]
    events, _ = runs.events(company.rosa, run, limit=100)
    shown = next(each for each in events if each["kind"] == "step_shown" and each["step"] == "say")
    assert shown["data"]["screen"]["text"] is None
    assert "data.screen.text" in shown["masked"]
    mine = company.told(run, "mona")
    runs.save(company.mona, run, revision=mine["revision"])
    runs.resume(company.olivia, run, revision=company.told(run, "olivia")["revision"])
    view = runs.get(company.olivia, run)
    assert view.screen is not None
    assert view.screen["text"].startswith("Of •••••• and ")
    runs.complete(
        company.olivia,
        run,
        runs.Submission(step="decide", revision=view.json["revision"], values={"given": ""}, outcome="yes"),
    )
    assert company.told(run, "mona")["context"]["decide"]["given"] == MARK


def test_a_title_that_is_made_of_a_hidden_field_is_told_nowhere(company: Company) -> None:
    run = company.finished()
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[
                access.Row(
                    "p", "role:reviewer", "t:operations", "field:customer/display_name", "read", "deny", ""
                )
            ],
        )
    access.refresh()
    rosa, mona = (Reader(company, web_app(), name) for name in ("rosa", "mona"))
    last = company.told(run, "mona")["last_event"]
    every = [address for at in range(1, last + 1) for address in of_run(run, at)]
    every += [
        *addresses(web_app(), {"run_id": run, "collection": "customer", "key": "1", "part": "1"}),
        "/api/v1/runs",
        "/runs",
    ]
    assert not [
        leak for address in dict.fromkeys(every) for leak in rosa.leaks(address, re.compile("Adaeze"))
    ]
    assert mona.leaks(f"/api/v1/runs/{run}/events?limit=100", re.compile("Adaeze"))
    told = next(
        one
        for at in range(1, last + 1)
        if (one := runs.replay(company.rosa, run, at).json)["screen"]["record"] is not None
    )
    assert told["screen"]["record"]["title"] is None
    assert "screen.record.title" in told["masked"]
