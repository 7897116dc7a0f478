"""The pages of the workflow editor: who gets in, what is refused with what was typed, text, publishing, history, a start without a record."""

import html
import io
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from console import workflows
from console.auth import access
from console.core import drafting
from tests.company import Company
from tests.conftest import web_app
from tests.support.acting import RATE, imported
from tests.views.conftest import signed_in

CARE = "/workflows/care-review"
LETTER = [{"name": "words", "label": "Words to the customer", "type": "long_text"}]


@pytest.fixture(name="mona")
def fixture_mona(company: Company) -> FlaskClient:
    """The browser of the lead of Operations."""
    assert company.people
    return signed_in(web_app(), "mona")


def post(client: FlaskClient, path: str, headers: Any = None, **form: Any) -> Any:
    """Send a form of a page that this person has open."""
    token = re.search(r'data-token="([^"]+)"', client.get("/workflows").text)
    assert token
    return client.post(path, data={"csrf_token": token[1], **form}, headers=headers)


def sent(client: FlaskClient, path: str, **form: Any) -> Any:
    return post(client, path, {"HX-Request": "true"}, **form)


def changed(client: FlaskClient, revision: int, *changes: dict[str, Any], **more: Any) -> Any:
    return sent(client, f"{CARE}/edit", do="change", revision=revision, changes=json.dumps(changes), **more)


TITLE = {"op": "set", "step": "read", "field": "title", "value": "Read this twice"}


@pytest.mark.parametrize("page", ["edit", "publish", "history"])
@pytest.mark.parametrize(("name", "status"), [("olivia", 403), ("stan", 404), ("ada", 403)])
def test_who_may_not_edit_the_workflow_does_not_get_in(
    company: Company, page: str, name: str, status: int
) -> None:
    client = signed_in(web_app(), name)
    assert client.get(f"{CARE}/{page}").status_code == status
    assert post(client, f"{CARE}/{page}", do="undo", revision=0, note="x", version=1).status_code == status
    assert client.get("/workflows/new").status_code == 403
    assert workflows.open_draft(company.mona, "care-review").revision == 0


def test_a_lead_without_rights_to_data_edits_and_is_offered_no_collection(
    company: Company, mona: FlaskClient
) -> None:
    page = mona.get(f"{CARE}/edit").text
    assert "data-outline" in page
    assert mona.get(f"{CARE}/edit?step=rate").status_code == 200
    seen = access.can(company.mona, "operations", "collection:customer", "browse")
    assert bool(re.search(r'<option value="customer"[^>]*>Customers', page)) is seen


def test_a_change_is_saved_and_what_collides_is_shown_beside_what_is_there(
    company: Company, mona: FlaskClient
) -> None:
    assert "Read this twice" in changed(mona, 0, TITLE, step="read").text
    access.grant("operator", "workflow:care-review", ["edit"], team="operations")
    access.refresh()
    refused = changed(signed_in(web_app(), "olivia"), 0, TITLE | {"value": "Read it"})
    assert refused.status_code == 409
    assert refused.headers["Draft-Revision"] == "1"
    for words in ("Mona changed the same", "Read it", "Read this twice", "Keep mine", "Take theirs"):
        assert words in refused.text
    text = TITLE | {"field": "config.text"}
    changed(mona, 1, text | {"value": "Theirs"})
    refused = changed(signed_in(web_app(), "olivia"), 1, text | {"value": "Mine"})
    assert re.search(r"<dt>Text</dt>\s*<dd>\s*<small>Mine</small> Mine", refused.text)
    assert "{" not in refused.text.split("data-refused")[1]
    sent(mona, f"{CARE}/edit", do="undo", revision=2)
    assert changed(mona, 1, {"op": "paint"}).status_code == 422
    assert sent(mona, f"{CARE}/edit", do="change", revision=1, changes="[").status_code == 422
    undone = sent(mona, f"{CARE}/edit", do="undo", revision=1)
    assert "Read this twice" not in undone.text
    assert sent(mona, f"{CARE}/edit", do="undo", revision=2).status_code == 409


def test_the_text_is_the_document_with_what_only_a_newer_release_knows(
    company: Company, mona: FlaskClient
) -> None:
    draft = workflows.open_draft(company.mona, "care-review")
    assert "Text of the workflow" in mona.get(f"{CARE}/edit?view=text").text
    stands = drafting.written(draft.document).decode()

    def text(revision: int, typed: str, since: str = stands) -> Any:
        return sent(mona, f"{CARE}/edit", do="text", revision=revision, text=typed, since=since, view="text")

    assert text(0, stands).status_code == 200
    assert workflows.open_draft(company.mona, "care-review").revision == 0
    newer = json.dumps(draft.document | {"newer": {"b": 1}})
    assert "There is no setting newer here" in text(0, newer).text
    assert workflows.open_draft(company.mona, "care-review").document["newer"] == {"b": 1}
    for wrong in ("{", '{"steps": 1}', "[]"):
        assert text(1, wrong).status_code == text(1, stands, wrong).status_code == 422
    assert (
        text(1, json.dumps(draft.document | {"slug": "another"})).status_code == 200
    )  # of another workflow: the address stays
    assert workflows.open_draft(company.mona, "care-review").revision == 1
    # A text that does not show yet what others have changed takes nothing of it away.
    assert changed(mona, 1, TITLE).status_code == 200
    assert text(2, json.dumps(draft.document | {"description": "Typed on."})).status_code == 200
    document = workflows.open_draft(company.mona, "care-review").document
    assert (document["description"], document["newer"]) == ("Typed on.", {"b": 1})
    assert "Read this twice" in [step["title"] for step in document["steps"]]


def test_a_page_that_asks_what_has_changed_gets_nothing_while_nothing_has(
    company: Company, mona: FlaskClient
) -> None:
    assert company.people
    page = {"HX-Request": "true"}
    assert mona.get(f"{CARE}/edit?seen=0", headers=page).status_code == 204
    changed(mona, 0, TITLE)
    told = mona.get(f"{CARE}/edit?seen=0", headers=page)
    assert (told.status_code, 'data-changed-by="Mona' in told.text) == (200, True)
    assert mona.get(f"{CARE}/edit?seen=1", headers=page).status_code == 204
    assert "you changed the same elsewhere" in changed(mona, 0, TITLE | {"value": "Read it"}).text


def test_publishing_says_what_changes_and_asks_for_a_note(company: Company, mona: FlaskClient) -> None:
    company.started()
    changed(mona, 0, TITLE)
    page = mona.get(f"{CARE}/publish").text
    for words in ("Read this twice", "1 run under way with version 1", "they keep their version"):
        assert words in page
    assert post(mona, f"{CARE}/publish", revision=1, note=" ").status_code == 422
    stale = post(mona, f"{CARE}/publish", revision=0, note="Clearer")
    assert (stale.status_code, "Clearer" in stale.text) == (409, True)
    assert post(mona, f"{CARE}/publish", revision=1, note="Clearer").status_code == 303
    assert workflows.live("care-review").number == 2
    changed(mona, 1, TITLE | {"value": "Thrice"})
    history = mona.get(f"{CARE}/history?version=2").text
    assert "Clearer" in history
    assert "Thrice" in history
    assert post(mona, f"{CARE}/history?version=2", base=2).status_code == 303
    assert "No differences found" in mona.get(f"{CARE}/history?version=2").text
    asks = {"roles": ["operations_lead"], "text": "Agree?", "if": "steps.note.count > 500"}
    ways = {"approved": "decide", "rejected": "end"}
    changed(
        mona,
        3,
        {
            "op": "add_step",
            "step": {"id": "agree", "type": "approval", "title": "Agree", "config": asks, "next": ways},
            "after": "is_high",
        },
    )
    told = " ".join(re.sub("<[^>]+>", " ", html.unescape(mona.get(f"{CARE}/publish").text)).split())
    words = "When: Count is more than 500; Roles: Operations lead; Text: Agree?; Leads to: approved: Decide, otherwise: Decide, rejected: End"
    assert f"Added Agree : {words}" in told


def test_a_condition_is_shown_as_rows_with_names_and_as_text_where_rows_cannot_say_it(
    company: Company, mona: FlaskClient
) -> None:
    asked = {"name": "amount", "label": "How much", "type": "decimal"}
    branches = [
        {"if": "input.amount > 500", "outcome": "above"},
        {"if": "input.amount + 1 > 2", "outcome": "odd"},
    ]
    made = workflows.create(company.mona, "Fork")
    fork = {
        "op": "add_step",
        "step": {"id": "fork", "type": "condition", "config": {"branches": branches}},
        "after": "start",
    }
    ask = {"op": "set", "step": "start", "field": "config.fields", "value": [asked]}
    workflows.edit(company.mona, made.slug, 0, drafting.read_changes([ask, fork]))
    rows, text = (
        mona.get(f"/workflows/{made.slug}/edit?step=fork&open=config.branches[{number}]").text
        for number in (0, 1)
    )
    assert re.search(r'<option value="input.amount"\s+data-kind="number" selected>How much', rows)
    assert re.search(r'<option value="&gt;"\s+data-for="number amount any" selected>is more than', rows)
    assert re.search(r'data-part="value"\s+value="500"', rows)
    assert 'data-condition="f-config-branches-1-if"' in text
    assert "data-part" not in text
    assert "“Odd” leads nowhere yet: choose a step under Leads to." in text
    config = {"subject": "Hello", "body": "Hello"}
    mail = {
        "op": "add_step",
        "step": {"id": "mail", "type": "email", "title": "Write", "config": config, "next": {"sent": "fork"}},
        "after": None,
    }
    workflows.edit(company.mona, made.slug, 1, drafting.read_changes([mail]))
    assert (
        "“Not sent” leads nowhere yet" in mona.get(f"/workflows/{made.slug}/edit?step=mail").text
    )  # as its box is called


def test_further_actions_of_a_step_are_named_and_offer_the_fields_of_their_own_forms(
    company: Company, mona: FlaskClient
) -> None:
    imported(
        RATE,
        RATE | {"id": "customer.write", "title": "Write to the customer", "form": [*RATE["form"], *LETTER]},
    )
    made = workflows.create(company.mona, "Choosing")
    config = {
        "action": "customer.rate",
        "actions": [{"action": "customer.write", "values": {"words": "'Hello'"}}],
    }
    act = {
        "op": "add_step",
        "step": {"id": "act", "type": "trigger_action", "config": config},
        "after": "start",
    }
    workflows.edit(company.mona, made.slug, 0, drafting.read_changes([act]))
    whole = mona.get(f"/workflows/{made.slug}/edit?step=act").text
    assert "Further actions" in whole
    assert "Write to the customer" in whole
    values = mona.get(f"/workflows/{made.slug}/edit?step=act&open=config.actions[0].values").text
    assert "Words to the customer" in values


def test_a_file_becomes_a_draft_that_keeps_all_of_it(company: Company, mona: FlaskClient) -> None:
    def sent_file(content: Any, name: str = "from-them.json") -> Any:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return post(mona, "/workflows/new", do="file", file=(io.BytesIO(data), name))

    foreign = {
        "format": 9,
        "slug": "care-review",
        "title": "Theirs",
        "team": "nowhere",
        "lanes": [{"id": "l"}],
        "steps": [
            {"id": "start", "type": "start", "next": {"default": "gone"}},
            {"id": "k", "type": "kafka", "config": {"topic": "x"}},
        ],
    }
    assert sent_file(foreign).location == "/workflows/theirs/edit"
    kept = workflows.open_draft(company.mona, "theirs").document
    assert {name: kept[name] for name in foreign if name not in ("slug", "team", "steps")} == {
        "format": 9,
        "title": "Theirs",
        "lanes": [{"id": "l"}],
    }
    assert (kept["slug"], kept["team"], kept["steps"][1]["config"]) == (
        "theirs",
        "operations",
        {"topic": "x"},
    )
    assert "this console reads formats up to" in mona.get("/workflows/theirs/edit").text
    assert sent_file({**foreign, "slug": "their-own"}).location == "/workflows/their-own/edit", (
        "expressions may name it"
    )
    assert sent_file({**foreign, "slug": "../x"}).location == "/workflows/theirs-2/edit"
    assert sent_file({"steps": []}, "vendor-exit_2.json").location == "/workflows/vendor-exit-2/edit"
    for content, reason in (
        (b"slug: yaml", "no JSON"),
        (
            {"steps": [{"id": "a", "type": "end"}] * 2},
            "Step 2.id: Two steps have the id a: give one of them an id of its own.",
        ),
        (
            {"steps": [], "variables": {"limit": 1.5}},
            "Variables.limit: Numbers with decimals are written as text",
        ),
    ):
        refused = sent_file(content)
        assert refused.status_code == 422
        assert reason in refused.text
    assert post(mona, "/workflows/new", do="file").status_code == 422


def test_any_two_versions_are_compared_in_words_and_on_the_picture(
    company: Company, mona: FlaskClient
) -> None:
    workflows.edit(
        company.mona,
        "care-review",
        0,
        drafting.read_changes([{"op": "remove_step", "step": "read", "heal": True}]),
    )
    workflows.publish_draft(company.mona, "care-review", note="Shorter")
    changed(mona, 1, TITLE | {"step": "decide", "value": "Decide now"})
    workflows.publish_draft(company.mona, "care-review", note="Clearer")
    page = mona.get(f"{CARE}/history?version=3&than=1").text
    for words in (
        "Version 3 compared with version 1",
        "Decide now",
        'data-state="removed"',
        'data-state="changed"',
        "Compare it with the draft",
    ):
        assert words in page
    assert "both versions are the same" in mona.get(f"{CARE}/history?version=3&than=3").text
    assert mona.get(f"{CARE}/history?version=3&than=9").status_code == 404
