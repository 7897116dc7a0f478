"""Variables of a workflow: added, renamed everywhere, changed and removed, as fields, as text and by programs; who may not."""

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from console import workflows
from console.auth import accounts
from console.core import drafting
from console.workflows import VariableEdits
from tests.company import DOCUMENT
from tests.conftest import web_app

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

pytestmark = pytest.mark.lengthy

PLACE, SAVE = "/workflows/care-review/configuration", "/workflows/care-review/variables"
API = "/api/v1/workflows/care-review/configuration"
GUIDE = {
    "id": "guide",
    "type": "guidance",
    "title": "Look closely",
    "next": {"default": "end"},
    "config": {
        "text": "Within {{ variables.days }} days, {{ variables['days'] + 1 }} at most; “variables.days” is a name, days_long is {{ variables.days_long }}."
    },
}
RULES: dict[str, Any] = {
    "days": 90,
    "days_long": 120,
    "exact": True,
    "words": ["a", "b"],
    "name": "Fernwick",
    "rate": "0.25",
    "since": "2026-07-10",
    "owner": {"dated": [{"value": 25}, {"valid_from": "2027-07-10", "value": 20}]},
}


def published(**more: Any) -> None:
    document = copy.deepcopy(DOCUMENT)
    ends = [step for step in document["steps"] if step["type"] == "end"]
    start = next(step for step in document["steps"] if step["type"] == "start") | {
        "next": {"default": "guide"}
    }
    guide = copy.deepcopy(GUIDE) | {"next": {"default": ends[0]["id"]}}
    workflows.import_file(
        document | {"steps": [start, guide, ends[0]], "variables": RULES, "tests": []} | more, publish=True
    )


def fields(page: "Page") -> dict[str, str]:
    return dict(page.form(SAVE)["fields"]) | {"do": "save"}


def number(given: dict[str, str], name: str) -> str:
    return next(
        key.removeprefix("name.") for key, value in given.items() if key.startswith("name.") and value == name
    )


def changed(browser: "Browser", which: str, status: int = 303, **parts: str) -> "Page":
    given = fields(browser.get(PLACE))
    n = number(given, which)
    return browser.post(SAVE, given | {f"{part}.{n}": value for part, value in parts.items()}, status=status)


def text_of(step: str = "guide") -> str:
    return str(workflows.live("care-review").document.step(step).config["text"])


def test_fields_show_each_type_and_saving_them_as_they_are_changes_nothing(pages: "Pages") -> None:
    published()
    page = pages.mona.get(PLACE)
    given = fields(page)
    kinds = {given[f"name.{n}"]: given[f"type.{n}"] for n in range(len(RULES))}
    assert kinds == {
        "days": "number",
        "days_long": "number",
        "exact": "yesno",
        "words": "list",
        "name": "text",
        "rate": "amount",
        "since": "date",
        "owner": "dated",
    }
    assert "Used by Look closely" in page.text
    before = workflows.live("care-review")
    pages.mona.post(SAVE, given)
    assert "Nothing was changed" in pages.mona.get(PLACE).text
    assert workflows.live("care-review").number == before.number


def test_a_rename_follows_everywhere_in_a_new_version_and_is_undone(pages: "Pages") -> None:
    published()
    inside = pages.company.started()
    before = workflows.live("care-review")
    changed(pages.mona, "days", name="Proof days")
    assert (
        f"Saved as version {before.number + 1}, for runs that start from now on" in pages.mona.get(PLACE).text
    )
    live = workflows.live("care-review")
    assert (
        "Within {{ variables.proof_days }} days, {{ variables.proof_days + 1 }} at most; “variables.days” is a name"
        in text_of()
    )
    assert "{{ variables.days_long }}" in text_of()
    assert (live.document.variables["proof_days"], "days" in live.document.variables) == (90, False)
    assert pages.company.told(inside)["version"] == before.number, "a run that has begun keeps its rules"
    workflows.undo(pages.company.mona, "care-review")
    assert drafting.same(workflows.definition(pages.company.mona, "care-review"), before.document.to_json())
    assert "There is a rule" in changed(pages.mona, "days_long", 422, name="rate").text


def test_values_are_read_by_their_type_and_what_is_wrong_is_said_there(pages: "Pages") -> None:
    published()
    for name, parts, words in (
        ("days", {"value": "soon"}, "Write a whole number"),
        ("rate", {"value": "1.2.3"}, "Write an amount"),
        ("exact", {"value": "perhaps"}, "Write yes or no"),
        ("since", {"value": "10 July"}, "Write a day"),
        ("days", {"name": "!!"}, "A name begins with a letter"),
        ("days", {"name": ""}, "Give it a name"),
    ):
        page = changed(pages.mona, name, 422, **parts)
        assert words in page.text
        marked = re.findall(r'name="(name|value)\.\d+"[^>]*aria-invalid="true"', page.html)
        assert marked == list(parts), "the box that is wrong is marked, and no other"
        assert set(parts.values()) <= set(page.form(SAVE)["fields"].values()), "what was typed stays"
    given = fields(pages.mona.get(PLACE))
    new = str(len(RULES))
    typed = {
        f"value.{number(given, 'days')}": "1,000",
        f"value.{number(given, 'words')}": "a\r\nc",
        f"value.{number(given, 'exact')}": "no",
    }
    pages.mona.post(
        SAVE,
        given
        | typed
        | {f"name.{new}": "Largest refund", f"type.{new}": "amount", f"value.{new}": "1,250.50"},
    )
    found = workflows.live("care-review").document.variables
    assert {name: found[name] for name in ("days", "words", "exact", "largest_refund")} == {
        "days": 1000,
        "words": ["a", "c"],
        "exact": False,
        "largest_refund": "1250.50",
    }


def test_one_that_is_used_is_not_removed_and_where_is_said(pages: "Pages") -> None:
    published()
    refused = changed(pages.mona, "days", 422, remove="on")
    assert "It is used by “Look closely”: change that first, then remove it." in refused.text
    changed(pages.mona, "rate", remove="on")
    assert "rate" not in workflows.live("care-review").document.variables


def test_the_text_and_the_fields_are_one_source(pages: "Pages") -> None:
    published()
    page = pages.mona.get(f"{PLACE}?view=text")
    text = json.loads(page.form(SAVE)["fields"]["text"])
    assert text == RULES
    sent = fields(page)
    for wrong, words in (
        ('{\n "days": 30,\n "rate": }', "Line 3, character 10"),
        ('{"days": 1, "days": 2}', "“days” stands there twice"),
        ("[1]", "between { and }"),
        (json.dumps({**text, "Bad name": 1}), "“Bad name” is no name"),
        ('{"days": NaN}', "is no number"),
        (json.dumps({"days": 1}), "It is used by “Look closely”"),
        (json.dumps({**text, "owner": {"dated": []}}), "at least 1 item"),
    ):
        assert words in pages.mona.post(SAVE, sent | {"text": wrong}, status=422).text, wrong
    pages.mona.post(SAVE, sent | {"text": json.dumps({**text, "days": 31, "fresh": ["x"]})})
    found = workflows.live("care-review").document.variables
    assert (found["days"], found["fresh"]) == (31, ["x"])
    pages.mona.post(
        SAVE,
        fields(pages.mona.get(f"{PLACE}?view=text")) | {"text": json.dumps(text).replace('"0.25"', "0.125")},
    )
    assert workflows.live("care-review").document.variables["rate"] == "0.125", "a decimal is kept as text"


def test_a_program_changes_them_too(pages: "Pages") -> None:
    published()
    client, headers = (
        web_app().test_client(),
        {"Authorization": f"Bearer {accounts.create_key('crm', pages.company.mona.id).text}"},
    )
    told = client.get(API, headers=headers).get_json()
    assert [each["used_by"] for each in told["variables"] if each["name"] == "days"] == [
        [{"step": "guide", "field": "config.text"}]
    ]
    body = {
        "renamed": {"days": "proof_days"},
        "removed": ["since"],
        "variables": {"rate": "0.5", "fresh": 7},
        "settings": {"retries": 2},
    }
    after = client.patch(API, json=body, headers=headers).get_json()
    values = {each["name"]: each["value"] for each in after["variables"]}
    assert (
        values["proof_days"],
        values["rate"],
        values["fresh"],
        "since" in values,
        after["settings"]["retries"],
    ) == (
        90,
        "0.5",
        7,
        False,
        2,
    )
    assert after["version"] == told["version"] + 1
    for wrong, field in (
        ({"removed": ["proof_days"]}, "proof_days"),
        ({"renamed": {"none": "some"}}, "none"),
        ({"variables": {"Bad": 1}}, "Bad"),
        ({"settings": {"retries": 99}}, "retries"),
        ({"more": 1}, "more"),
    ):
        answer = client.patch(API, json=wrong, headers=headers)
        assert (answer.status_code, answer.get_json()["details"][0]["field"]) == (422, field)
    for who, read, write in (("olivia", 200, 403), ("stan", 404, 404)):
        own = {"Authorization": f"Bearer {accounts.create_key('x', getattr(pages.company, who).id).text}"}
        assert (
            client.get(API, headers=own).status_code,
            client.patch(API, json=body, headers=own).status_code,
        ) == (read, write)
    assert client.patch(API, json=body).status_code == 401


def test_who_may_not_change_them_reads_them(pages: "Pages") -> None:
    published()
    page = pages.olivia.get(PLACE)
    assert "Save the variables" not in page.text
    assert "Used by Look closely" in page.text
    pages.olivia.post(
        SAVE,
        {
            "csrf_token": pages.olivia.token,
            "view": "text",
            "text": json.dumps({**RULES, "days": 1}),
            "do": "save",
        },
        status=403,
    )
    pages.stan.post(SAVE, {"csrf_token": pages.stan.token, "do": "save"}, status=404)
    assert workflows.live("care-review").document.variables["days"] == 90


def rules_now() -> dict[str, Any]:
    return dict(workflows.live("care-review").document.to_json()["variables"])


@pytest.mark.parametrize("view", ["fields", "text"])
def test_two_who_save_at_once_undo_nothing_of_each_other(pages: "Pages", view: str) -> None:
    published()
    mona, stale = pages.mona, fields(pages.mona.get(f"{PLACE}?view={view}"))
    workflows.configure(
        pages.company.mona,
        "care-review",
        variables=VariableEdits({"name": "firm"}, ["words"], {"since": "2026-08-01", "fee": "1.50"}),
    )

    def typed(given: dict[str, str], old: Any, new: Any) -> dict[str, str]:
        if view == "text":
            return given | {"text": given["text"].replace(json.dumps(old), json.dumps(new))}
        return given | {
            key: str(new) for key, value in given.items() if key.startswith("value.") and value == str(old)
        }

    mona.post(SAVE, typed(stale, 120, 121))
    kept = {name: value for name, value in RULES.items() if name not in ("name", "words")}
    others = kept | {"firm": "Fernwick", "since": "2026-08-01", "fee": "1.50"}
    assert rules_now() == others | {"days_long": 121}, "what was not touched stays as the other saved it"
    page = mona.post(SAVE, typed(typed(stale, "2026-07-10", "2026-09-09"), 90, 91), status=409)
    assert (
        "Since: Somebody else changed this meanwhile, to “2026-08-01”. Save again to have it as it stands here."
        in page.text
    )
    assert rules_now() == others | {"days_long": 121}, "nothing of it was saved"
    mona.post(SAVE, fields(page))
    assert rules_now() == others | {"days_long": 121, "since": "2026-09-09", "days": 91}, (
        "what was typed stays, and is saved"
    )
