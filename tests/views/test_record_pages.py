"""A record's page: its tabs, the runs on it, changing a field against what moved meanwhile, and starting a workflow."""

import re
from typing import TYPE_CHECKING

import pytest

from console import access, browse
from console.access import Row, policy_store
from console.activity import sequencing
from console.db.engine import transaction
from tests.views import proposals
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
    assert "No workflow has run on this record yet" in page.text


def test_details_show_every_field_that_may_be_read(pages: "Pages") -> None:
    page = pages.mona.get("/c/customer/1?tab=details")
    assert "IE123" in page.text
    assert "IE123" not in pages.olivia.get("/c/customer/1?tab=details").text


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


def test_hostile_values_are_text(pages: "Pages") -> None:
    html = pages.olivia.get("/c/customer/4").html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_related_records_come_as_a_fragment_or_a_page(pages: "Pages") -> None:
    fragment = pages.olivia.get("/c/customer/1/related/account", htmx="")
    assert "<html" not in fragment.html
    assert "LT45 9999 9000 1234 5678" in fragment.text
    assert "/c/account/LT459999900012345678" in fragment.links
    assert ("h1", "Accounts") in pages.olivia.get("/c/customer/1/related/account").headings
    pages.olivia.get("/c/customer/1/related/nothing", status=404)


def test_the_activity_tab_tells_what_happened(pages: "Pages") -> None:
    from console.activity import sequencing

    pages.company.started("1")
    sequencing.catch_up()
    page = pages.olivia.get("/c/customer/1?tab=activity")
    assert "started Care review" in page.text


def test_runs_on_the_record_lead_to_replay_and_resume(pages: "Pages") -> None:
    done, saved = pages.company.finished("1"), pages.company.started("1")
    from console import runs

    runs.save(pages.company.olivia, saved, revision=pages.company.told(saved)["revision"])
    test_tasks.begin(pages.company, {"due": "addDays(today(), -2)"})  # for Mona: whoever opens the record sees that it waits, and for whom
    page = pages.tom.get("/c/customer/1")
    assert f"/runs/{done}/replay" in page.links
    assert [found in page.text for found in ("Tasks that wait", "Look at Adaeze Okonkwo-Bell", "Overdue")] == [True] * 3
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


def test_a_field_is_changed_in_its_place(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/risk", htmx="value-risk")
    assert "<html" not in form.html
    after = pages.olivia.send(form, "/edit/risk", htmx="value-risk", status=200, v_risk="high")
    assert after.html.startswith('<div id="value-risk"')
    assert "High" in after.text
    assert pages.company.sql("select risk from customer where id = 1") == [("high",)]


def test_what_a_colleague_changed_meanwhile_names_them_and_the_moment(pages: "Pages") -> None:
    """In the form of one field, of all fields, and of a step."""
    run = proposals.at(pages.company, "rate")
    one, every, step = (pages.olivia.get(place) for place in ("/c/customer/1/edit/email", "/c/customer/1/edit", f"/runs/{run}"))
    browse.change(pages.company.tom, "customer", "1", {"email": "theirs@customers.example"}, {})
    sequencing.catch_up()
    pages.olivia.send(step, "/complete", status=303, v_risk="low", v_email="mine@customers.example")
    shown = pages.olivia.follow()
    assert re.search(r"Tom changed this at \d\d:\d\d \(just now\)\.", shown.text)
    for form, action in ((one, "/edit/email"), (every, "/1/edit")):
        refused = pages.olivia.send(form, action, status=409, v_email="mine@customers.example")
        assert re.search(r"Tom changed this at \d\d:\d\d \(just now\)\.", refused.text)
        assert "theirs@customers.example" in refused.text


def test_what_moved_meanwhile_is_shown_mine_and_theirs(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    pages.company.sql("update customer set email = 'theirs@customers.example' where id = 1")
    conflict = pages.olivia.send(form, "/edit/email", status=409, v_email="mine@customers.example")
    assert "Not saved: Email changed meanwhile" in conflict.text
    assert "Mine mine@customers.example" in conflict.text.replace("  ", " ") or "mine@customers.example" in conflict.text
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
    ("who", "field"), [("olivia", "id"), ("olivia", "tax_id"), ("olivia", "nothing"), ("rosa", "email"), ("stan", "email")]
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


def test_a_dialog_starts_it_too(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/start/care-review", htmx="dialog")
    assert form.html.lstrip().startswith("<form")
    pages.olivia.send(form, "/start/care-review", htmx="dialog", status=204, v_why="event")
    assert pages.olivia.answer.headers["HX-Redirect"].startswith("/runs/run_")


def test_a_second_start_offers_the_run_that_is_open(pages: "Pages") -> None:
    run = pages.company.started("1", by="tom")
    assert "/c/customer/1/start/care-review" not in pages.olivia.get("/c/customer/1").links
    form = pages.olivia.get("/c/customer/1/start/care-review")
    page = pages.olivia.send(form, "/start/care-review", status=409, v_why="event")
    assert f"/runs/{run}" in page.links


def test_who_may_not_start_it_finds_no_form(pages: "Pages") -> None:
    pages.rosa.get("/c/customer/1/start/care-review", status=404)
    pages.olivia.get("/c/customer/1/start/nothing", status=404)


def test_forms_need_the_token_of_the_page(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    pages.olivia.send(form, "/edit/email", status=403, csrf_token="stolen")


def test_a_field_that_a_rule_keeps_offers_no_form_and_an_open_one_says_so(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    kept = [Row("p", "role:operator", "*", "field:customer/email", "update", "deny")]
    with transaction() as connection:
        policy_store.write(connection, added=kept)
    access.refresh()
    page = pages.olivia.send(form, "/edit/email", status=403, v_email="other@customers.example")
    assert "nothing was saved" in page.text
    assert "/c/customer/1/edit/email" not in pages.olivia.get("/c/customer/1?tab=details").links
    pages.olivia.get("/c/customer/1/edit/email", status=404)
    with transaction() as connection:
        policy_store.write(connection, removed=kept)
    access.refresh()
    assert "/c/customer/1/edit/email" in pages.olivia.get("/c/customer/1?tab=details").links


def test_a_form_on_a_page_of_its_own_leads_back_to_the_record(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email").form("/edit/email")
    headers = {"HX-Request": "true", "HX-Target": "value-email", "HX-Current-URL": "http://localhost/c/customer/1/edit/email"}
    answer = pages.olivia.client.post(form["action"], data=form["fields"], headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/c/customer/1")
