"""Masked values: dots in lists, records, the log and replay for everybody once somebody may uncover them; one by one, with a reason, in the log."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from console import activity, browse, log, records, runs
from console.activity import sequencing
from console.auth import access, accounts
from console.browse import BrowseQuery, reveal
from console.core.errors import Invalid, Malformed, NotAllowed, NotFound
from console.log.event_lists import LogFilter
from console.sources import collections
from console.views.app import create_app
from tests.company import DOCUMENTS, PASSWORD, Company
from tests.runs.commands.test_midway import ruled

SECRET = "IE123"


@pytest.fixture(scope="module")
def house(module_company: Company) -> Company:
    """A customer's tax number is sensitive; leads may uncover it, of customers who are not rated high."""
    mona = module_company.mona
    run_id = module_company.at("rate", by="mona")  # looked at before anything was masked
    assert browse.record(mona, "customer", "1").record.values["tax_id"] == SECRET
    browse.change(mona, "customer", "1", {"tax_id": "IE124"}, {"tax_id": SECRET})
    browse.change(mona, "customer", "1", {"tax_id": SECRET}, {"tax_id": "IE124"})
    sequencing.catch_up()
    access.grant("lead", "collection:customer", ["reveal"], "record.risk != 'high'", team="operations")
    access.refresh()
    module_company.path.with_name("run").write_text(run_id)
    return module_company


def the_run(house: Company) -> str:
    return house.path.with_name("run").read_text()


@pytest.mark.parametrize("who", ["mona", "rosa", "ines"])
def test_it_stands_nowhere_for_who_reads_and_has_not_uncovered_it(house: Company, who: str) -> None:
    actor = house.people[who]
    page = browse.record(actor, "customer", "1")
    assert "tax_id" not in page.record.values
    assert [field.name for field in page.masked] == ["tax_id"]
    rows = browse.page(actor, "customer", BrowseQuery(fields=("display_name", "tax_id")))
    assert ([field.name for field in rows.columns], [field.name for field in rows.masked]) == (
        ["display_name"],
        ["tax_id"],
    )
    assert SECRET not in str([row.values for row in rows.rows])
    assert not browse.page(actor, "customer", BrowseQuery(q=SECRET)).rows
    for query in (
        BrowseQuery(sort="tax_id"),
        BrowseQuery(filter='{"field": "tax_id", "op": "eq", "value": "IE123"}'),
    ):
        with pytest.raises(Malformed):
            browse.page(actor, "customer", query)


def test_replay_and_log_leave_it_out_and_say_so(house: Company) -> None:
    ada, run_id = house.ada, the_run(house)
    told = activity.page(ada, LogFilter(kinds=("record_changed",)), 10).rows
    assert [row.json["data"]["new"]["tax_id"] for row in told] == [None, None]
    assert all("data.new.tax_id" in row.json["masked"] for row in told)
    for event in range(1, runs.replay(ada, run_id).last + 1):
        assert SECRET not in str(runs.replay(ada, run_id, event).json)


def test_it_is_uncovered_with_the_right_and_a_reason_and_the_log_says_who_and_why(house: Company) -> None:
    shown = reveal.reveal(house.mona, "customer", "1", "tax_id", " The tax office asks ")
    assert (shown.value, (shown.until - log.now()).total_seconds() <= 60) == (SECRET, True)
    event = log.events_of("ses_mona")[-1]
    assert (event.type, dict(event.open), event.values) == (
        "value_revealed",
        {"field": "tax_id"},
        event.values | {"reason": "The tax office asks"},
    )
    assert event.body["target"]["key"] == "1"
    house.sql("update customer set risk = 'high' where id = 2")
    before = len(log.events_of("ses_mona"))
    for who, key, name, reason, error in (
        ("mona", "1", "tax_id", "  ", Invalid),
        ("mona", "1", "tax_id", "x" * 2001, Invalid),
        ("mona", "1", "email", "x", NotFound),
        ("mona", "1", "nothing", "x", NotFound),
        ("mona", "99", "tax_id", "x", NotFound),
        ("mona", "2", "tax_id", "x", NotAllowed),
        ("rosa", "1", "tax_id", "x", NotAllowed),
        ("ines", "1", "tax_id", "x", NotAllowed),
        ("olivia", "1", "tax_id", "x", NotFound),
        ("stan", "1", "tax_id", "x", NotFound),
    ):
        with pytest.raises(error):
            reveal.reveal(house.people[who], "customer", key, name, reason)
    assert not [each for each in log.events_of("ses_mona")[before:] if each.type == "value_revealed"]
    house.sql("update customer set risk = null where id = 2")


def test_who_is_allowed_the_field_reads_it_as_before_wherever_others_see_dots(house: Company) -> None:
    """A deny of the field wins."""
    with ruled(access.Row("p", "role:reviewer", "t:operations", "field:customer/tax_id", "read")):
        page = browse.record(house.rosa, "customer", "1")
        assert (page.record.values["tax_id"], page.masked) == (SECRET, ())
        assert browse.page(house.rosa, "customer", BrowseQuery(q=SECRET)).rows
        replayed = [
            str(runs.replay(house.rosa, the_run(house), event).json)
            for event in range(1, runs.replay(house.rosa, the_run(house)).last + 1)
        ]
        assert any(SECRET in each for each in replayed)
        with pytest.raises(NotFound):
            reveal.reveal(house.rosa, "customer", "1", "tax_id", "It is not masked")
        assert "tax_id" not in browse.record(house.mona, "customer", "1").record.values
        assert reveal.reveal(house.mona, "customer", "1", "tax_id", "Two judges of one mind").value == SECRET
        with ruled(access.Row("p", "role:reviewer", "*", "field:customer/tax_id", "read", "deny")):
            hidden = browse.record(house.rosa, "customer", "1")
            assert ("tax_id" in hidden.record.values, hidden.masked) == (False, ())


def test_a_change_by_hand_neither_tells_nor_changes_what_is_masked(house: Company) -> None:
    assert "tax_id" not in browse.change(house.mona, "customer", "3", {"risk": "low"}, {}).values
    for expected in ({}, {"tax_id": "NL554"}):
        with pytest.raises(Invalid) as refused:
            browse.change(house.mona, "customer", "3", {"tax_id": "NL556"}, expected)
        assert refused.value.details == [{"field": "tax_id", "reason": "Customer has no field tax_id."}]
    house.sql("update customer set risk = null where id = 3")


def test_a_title_that_is_masked_names_no_run_to_who_only_looks_on(house: Company) -> None:
    own = records.collection("customer")
    collections.import_file(
        json.dumps(DOCUMENTS[0] | {"title": "{{ record.tax_id }}"}).encode(), published=True
    )
    scope = access.scope_for(house.rosa, "customer", "read")
    assert browse.titles(house.rosa, "customer", ["1"], scope) == {"1": "Customer 1"}
    assert runs.get(house.rosa, the_run(house)).record_title == "Customer 1"
    collections.import_file(json.dumps(DOCUMENTS[0]).encode(), published=True)
    assert records.collection("customer").title == own.title


def test_who_works_on_a_step_sees_what_they_work_on(house: Company) -> None:
    run_id = house.at("rate", record="2", by="mona")
    assert runs.get(house.mona, run_id).json["current"]["step"] == "rate"
    assert access.scope_for(house.mona, "customer", "update").hidden == frozenset()


class Browser:
    """Somebody who is signed in, and has a key."""

    def __init__(self, email: str) -> None:
        self.app = create_app()
        self.client: FlaskClient = self.app.test_client()
        person = accounts.person_of_email(email)
        self.key = accounts.create_key("tests", person.id).text
        with self.client.session_transaction() as session:
            session["csrf_token"], session["_user_id"] = (
                "kept",
                accounts.sign_in(email, PASSWORD, "127.0.0.1", "test"),
            )

    def open(self, path: str, method: str = "GET", **told: Any) -> Any:
        token = URLSafeTimedSerializer(self.app.secret_key or "", salt="wtf-csrf-token").dumps("kept")
        data = {**told, "csrf_token": token} if method == "POST" else None
        return self.client.open(path, method=method, data=data, headers={"Sec-Fetch-Site": "same-origin"})

    def api(self, **body: Any) -> Any:
        path = "/api/v1/collections/customer/records/1/reveal"
        return self.app.test_client().post(path, json=body, headers={"Authorization": f"Bearer {self.key}"})


def test_pages_and_programs_ask_for_the_reason_first(house: Company) -> None:
    mona, rosa = Browser("mona@fernwick.example"), Browser("rosa@fernwick.example")
    page = mona.open("/c/customer/1?tab=details")
    assert "/c/customer/1/reveal/tax_id" in page.text
    theirs = rosa.open("/c/customer/1?tab=details")
    assert "masked" in theirs.text
    assert not any(SECRET in each.text for each in (page, theirs))
    assert "/reveal/" not in theirs.text
    assert len(re.findall("••••••", mona.open("/c/customer").text)) == 4
    form = mona.open("/c/customer/1/reveal/tax_id")
    assert (form.status_code, SECRET in form.text) == (200, False)
    assert mona.open("/c/customer/1/reveal/tax_id", "POST", reason="").status_code == 422
    shown = mona.open("/c/customer/1/reveal/tax_id", "POST", reason="Asked for")
    assert (SECRET in shown.text, shown.headers["Cache-Control"]) == (True, "no-store")
    assert 'content="60;url=' in shown.text
    assert SECRET not in mona.open("/c/customer/1/reveal/tax_id?hide").text
    assert rosa.open("/c/customer/1/reveal/tax_id", "POST", reason="x").status_code == 403
    assert mona.open("/c/customer/1/reveal/email").status_code == 404
    assert mona.api(field="tax_id", reason="Asked for").json["value"] == SECRET
    assert mona.api(field="tax_id", reason="").status_code == 422
    assert mona.api(field="tax_id").status_code == 422
    assert rosa.api(field="tax_id", reason="x").status_code == 403
