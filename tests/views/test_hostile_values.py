"""Values that mean harm are text wherever they are shown: in lists, summaries, runs, replays, menus, forms and the log."""

import json
import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from console import runs
from console.activity import sequencing
from console.core.actor import Actor
from tests.views.conftest import Page

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

LONG = "0123456789abcdef" * 12_500  # 200 kB
VALUES = {
    "a script": "<script>alert(1)</script>",
    "a handler": '"><img src=x onerror=alert(1)>',
    "single quotes": "' autofocus onfocus='alert(1)",
    "an address": "javascript:alert(1)",
    "the end of everything": "</td></tr></table></textarea></select></title></style></script><h1>Pwned</h1>",
    "a template": "{{ 7391 * 7919 }}{% raw %}{{ config }}",
    "a formula": '=HYPERLINK("https://evil.example";"x")',
    "two headers": "x\r\nSet-Cookie: evil=1\r\n\r\n<b>body</b>",
    "other way round": "\u202e)knil(moc.elpmaxe\u202c \u200f\u2066x\u2069",
    "control": "bell\x07 escape\x1b[31m",
    "SQL": "Robert'); DROP TABLE customer; --",
    "Markdown": "**bold** [x](javascript:alert(1)) ![](https://evil.example/x.png) `<b>`",
    "very long": LONG,
}
TAGS = {"script", "img", "iframe", "object", "embed", "base", "svg", "style", "marquee"}


def faults(html: str) -> list[str]:
    """What a page holds that only a value could have brought there."""
    found, page = [], Page(html)
    for tag, told in page.attributes:
        found += [f"<{tag} {name}>" for name in told if name.startswith("on") or name == "style"]
        if (
            tag in TAGS
            and not (tag == "script" and told.get("src", "").startswith("/static/"))
            and not (tag == "svg" and told.get("aria-hidden"))
        ):
            found.append(f"<{tag}>")
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
            if re.match(r"\s*(javascript|data|vbscript):|(https?:)?//", told.get(name, ""), re.IGNORECASE):
                found.append(f"{name}={told[name]}")
    if sum(1 for tag, _ in page.headings if tag == "h1") > 1 or any(
        words == "Pwned" for _, words in page.headings
    ):
        found.append("a heading of its own")
    if str(7391 * 7919) in page.html:
        found.append("a template was evaluated")
    return found


def plain(text: str) -> str:
    return " ".join(unescape(text).split())


def shown(page: Page, value: str, at_least: int = 40) -> bool:
    """Whether the page holds (the beginning of) the value as text, without the marks that reorder what stands around it."""
    wanted = re.sub("[\u202a-\u202e\u2066-\u2069]", "", plain(value))[:at_least]
    return wanted in plain(page.text) or wanted in plain(page.html)


@pytest.mark.parametrize("what", list(VALUES))
def test_it_is_text_on_every_page_of_the_record_and_its_run(pages: "Pages", what: str) -> None:
    value, company, olivia = VALUES[what], pages.company, pages.olivia
    company.sql("update customer set display_name = ?, tax_id = ? where id = 1", value, value)
    company.sql("update account set status = ? where customer_id = 1", value)
    run = company.at("rate")
    pages.mona.get("/c/customer/1?tab=details")
    wrong: list[tuple[str, ...]] = []
    for who, path in (
        ("olivia", "/"),
        ("olivia", "/c/customer"),
        ("mona", "/c/customer?columns=tax_id"),
        ("olivia", "/c/account"),
        ("olivia", "/c/customer/1"),
        ("mona", "/c/customer/1?tab=details"),
        ("olivia", "/c/customer/1/menu"),
        ("olivia", "/c/customer/1/related/account"),
        ("mona", "/c/customer/1/edit/display_name"),
        ("olivia", "/c/customer/2/start/care-review"),
        ("olivia", f"/runs/{run}"),
        ("olivia", f"/runs/{run}?tab=related"),
        ("olivia", f"/runs/{run}/abort"),
        ("olivia", f"/runs/{run}/leave"),
        ("olivia", f"/runs/{run}/revise?step=note"),
        ("olivia", f"/runs/{run}/replay"),
        ("olivia", f"/runs/{run}/replay?at=5"),
        ("olivia", f"/runs/{run}/replay?since=1"),
    ):
        page = getattr(pages, who).get(path)
        wrong += [(path, fault) for fault in faults(page.html)]
        if not path.startswith(("/c/customer/2", "/c/account", "/c/customer/1/related")) and not shown(
            page, value
        ):
            wrong.append((path, "the value is not there"))
    for path in (
        "/c/customer",
        f"/runs/{run}",
        f"/runs/{run}/replay",
        "/c/customer/1/menu",
        f"/runs/{run}/revise?step=note",
    ):
        wrong += [
            (path, "part", fault)
            for fault in faults(olivia.get(path, htmx="list" if path == "/c/customer" else "replay").html)
        ]
    assert wrong == []
    assert set(olivia.answer.headers) & {"Set-Cookie", "X-Evil"} <= {"Set-Cookie"}
    assert "evil=1" not in str(olivia.answer.headers)


@pytest.mark.parametrize("what", [name for name in VALUES if name != "very long"])
def test_what_is_typed_in_a_run_is_text_in_its_form_its_draft_its_replay_and_the_log(
    pages: "Pages", what: str
) -> None:
    value, company, olivia = VALUES[what], pages.company, pages.olivia
    run = company.at("note")
    page = olivia.get(f"/runs/{run}")
    form = page.form("/complete")["fields"] | {"v.note": value, "v.count": "many <b>"}
    olivia.post(f"/runs/{run}/draft", form, htmx="saved", status=200)
    drafted = olivia.get(f"/runs/{run}")
    assert faults(drafted.html) == []
    assert plain(drafted.form("/complete")["fields"]["v.note"]) == plain(value)
    refused = olivia.post(f"/runs/{run}/complete", form, htmx="run", status=422)
    assert faults(refused.html) == []
    olivia.post(f"/runs/{run}/complete", form | {"v.count": "3"})
    runs.save(company.olivia, run, revision=company.told(run)["revision"])
    stale = olivia.post(f"/runs/{run}/complete", form, status=409)
    assert faults(stale.html) == []
    assert shown(stale, value)
    runs.resume(company.olivia, run, revision=company.told(run)["revision"])
    olivia.post(
        f"/runs/{run}/abort",
        {"csrf_token": olivia.token, "revision": str(company.told(run)["revision"]), "reason": value},
    )
    sequencing.catch_up()
    for who, path in (
        ("olivia", f"/runs/{run}"),
        ("olivia", f"/runs/{run}/replay"),
        ("ada", f"/activity?run={run}"),
        ("olivia", "/c/customer/1?tab=activity"),
    ):
        assert faults(getattr(pages, who).get(path).html) == [], path
    assert shown(olivia.get(f"/runs/{run}"), value)


@pytest.mark.parametrize("what", list(VALUES))
def test_it_is_text_where_the_address_brings_it(pages: "Pages", what: str) -> None:
    value = quote(VALUES[what][:1500])
    test = quote(json.dumps({"field": "display_name", "op": "eq", "value": VALUES[what][:500]}))
    for who, path in (
        ("olivia", f"/c?q={value}"),
        ("olivia", f"/c/customer?q={value}"),
        ("olivia", f"/c/customer?segment={value}"),
        ("olivia", f"/c/customer?sort={value}"),
        ("olivia", f"/c/customer?filter={value}"),
        ("olivia", f"/c/customer?filter={test}"),
        ("olivia", f"/c/customer?columns={value}&after={value}"),
        ("olivia", f"/c/customer?add_field={value}&add_op={value}&add_value="),
        ("olivia", f"/c/customer/{value}"),
        ("olivia", f"/c/{value}"),
        ("olivia", f"/runs/{value}"),
        ("olivia", f"/c/customer/1?tab={value}"),
        ("ada", f"/activity?kind={value}"),
        ("ada", f"/activity?user={value}&record={value}"),
        ("ada", f"/activity?run={value}"),
        ("ada", f"/activity?createdAt.gte={value}"),
        ("ada", f"/activity?{value}={value}"),
    ):
        answer = getattr(pages, who).client.get(path)
        assert answer.status_code in (200, 303, 308, 400, 404), (path[:60], answer.status_code)
        assert answer.status_code == 308 or faults(answer.text) == [], path[:60]
        assert answer.headers.get("Location", "/").startswith(("/", "http://localhost/")), path[:60]
        assert "evil=1" not in str(answer.headers)
        assert "\n" not in answer.headers.get("Location", "")


def test_a_nul_is_shown_without_a_fault(pages: "Pages") -> None:
    pages.company.sql("update customer set display_name = 'A' || char(0) || 'B' where id = 1")
    for path in ("/c/customer", "/c/customer/1", "/c/customer/1?tab=details", "/c/customer/1/menu"):
        page = pages.olivia.get(path)
        assert "\0" not in page.html, path
    run = pages.company.started("1")
    for path in (f"/runs/{run}", f"/runs/{run}/replay"):
        assert "\0" not in pages.olivia.get(path).html, path


def test_a_name_of_a_person_is_text(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    from console.auth import accounts

    person = accounts.create_person(
        "eve@fernwick.example",
        role="operator",
        team="operations",
        name='Eve <img src=x onerror="x()"> & Co',
        password="correct horse battery staple",
        tags={"desks": ["retail"]},
    )
    assert person is not None
    assert faults(pages.eve.get("/").html) == []
    me = pages.eve.get("/settings/me")
    assert faults(me.html) == []
    assert 'Eve <img src=x onerror="x()"> & Co' in me.text
    eve: Actor = accounts.actor_of_person(accounts.person_of_email("eve@fernwick.example").id, "ses_eve")
    run = runs.start(eve, "care-review", "customer", "2", {"why": "event"})
    sequencing.catch_up()
    for who, path in (
        ("olivia", f"/runs/{run}"),
        ("olivia", "/c/customer"),
        ("olivia", "/c/customer/2"),
        ("ada", "/activity"),
        ("olivia", f"/runs/{run}/replay"),
    ):
        assert faults(getattr(pages, who).get(path).html) == [], path


# -- the pieces, without a server
