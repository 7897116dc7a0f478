"""A record's page: its tabs, the runs on it, changing a field against what moved meanwhile, and starting a workflow."""

from typing import TYPE_CHECKING

import pytest

from tests.work import test_tasks

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_the_summary_shows_fields_relations_and_what_may_be_started(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer/1")
    assert ("h1", "Adaeze Okonkwo-Bell") in page.headings
    assert ("h3", "Identity") in page.headings
    assert "adaeze@customers.example" in page.text
    assert "/c/customer/1/related/account" in page.links
    assert "/c/customer/1/start/care-review" in page.links
    assert "None yet." in page.text


def test_strangers_find_nothing(pages: "Pages") -> None:
    for path in (
        "/c/customer/1",
        "/c/customer/1/menu",
        "/c/customer/1/related/account",
        "/c/customer/1/edit/email",
        "/c/customer/1/start/care-review",
    ):
        pages.stan.get(path, status=404)
    pages.tom.get("/c/customer/3", status=404)
    pages.olivia.get("/c/customer/999", status=404)


def test_runs_on_the_record_lead_to_replay_and_resume(pages: "Pages") -> None:
    done, saved = pages.company.finished("1"), pages.company.started("1")
    from console import runs

    runs.save(pages.company.olivia, saved, revision=pages.company.told(saved)["revision"])
    test_tasks.begin(
        pages.company, {"due": "addDays(today(), -2)"}
    )  # for Mona: whoever opens the record sees that it waits, and for whom
    page = pages.tom.get("/c/customer/1")
    assert f"/runs/{done}/replay" in page.links
    assert [
        found in page.text for found in ("Tasks that wait", "Look at Adaeze Okonkwo-Bell", "d overdue")
    ] == [True] * 3
    assert "Tasks that wait" not in pages.tom.get("/c/customer/2").text
    assert "is to be continued at “Read this”" in page.text
    pages.tom.send(page, f"/runs/{saved}/resume")
    assert pages.tom.answer.headers["Location"] == f"/runs/{saved}"
    assert pages.company.told(saved)["holder"] == pages.company.tom.id
    assert "is with Tom" in pages.olivia.get("/c/customer/1").text


# -- changing a field


def test_a_field_is_changed_without_script(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    pages.olivia.send(form, "/edit/email", v_email="new@customers.example")
    assert "new@customers.example" in pages.olivia.follow().text


def test_what_moved_meanwhile_is_shown_mine_and_theirs(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    pages.company.sql("update customer set email = 'theirs@customers.example' where id = 1")
    conflict = pages.olivia.send(form, "/edit/email", status=409, v_email="mine@customers.example")
    assert "Not saved: Email changed meanwhile" in conflict.text
    assert (
        "Mine mine@customers.example" in conflict.text.replace("  ", " ")
        or "mine@customers.example" in conflict.text
    )
    assert "theirs@customers.example" in conflict.text
    pages.olivia.send(conflict, "/edit/email")
    assert pages.company.sql("select email from customer where id = 1") == [("mine@customers.example",)]


def test_a_wrong_value_is_said_at_its_box_and_kept(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    wrong = pages.olivia.send(form, "/edit/email", status=422, v_email="x" * 60 + "@customers.example")
    assert wrong.form("/edit/email")["fields"]["v.email"] == "x" * 60 + "@customers.example"
    assert wrong.with_attribute("aria-invalid")
    assert pages.company.sql("select email from customer where id = 1") == [("adaeze@customers.example",)]


@pytest.mark.parametrize(
    ("who", "field"),
    [("olivia", "id"), ("olivia", "tax_id"), ("olivia", "nothing"), ("rosa", "email"), ("stan", "email")],
)
def test_what_may_not_be_changed_has_no_form(pages: "Pages", who: str, field: str) -> None:
    getattr(pages, who).get(f"/c/customer/1/edit/{field}", status=404)


# -- starting


def test_a_run_begins_with_what_the_start_step_asks(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/start/care-review")
    missing = pages.olivia.send(form, "/start/care-review", status=422)
    assert missing.with_attribute("aria-invalid")
    assert any(told.get("href") == "#f-why" for told in missing.with_attribute("href"))
    assert "Nothing was saved: please look at Why." in missing.text
    assert "Why: Why" not in missing.text
    pages.olivia.send(missing, "/start/care-review", v_why="event")
    page = pages.olivia.follow()
    assert ("h2", "Read this") in page.headings
