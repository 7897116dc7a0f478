"""Texts that people are given (tasks, notices, letters, titles of items) say records by name, as the account may know them that the step is done by.

Whoever may not read the name is not told it by the run that kept the text; and what tells two things apart stays the key.
"""

import json
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.auth.access import policy_store
from console.infra.db import transaction
from console.messaging.messages import outbox
from console.work import tasks
from tests.company import Company
from tests.runs.engine.test_child_runs import begin, children, publish
from tests.support.engine import step, whole

NAME, OTHER = "Adaeze Okonkwo-Bell", "Halcyon Harbour Trading B.V."
ABOUT = "{{ record.customer_id }}"
CALL = {
    "title": f"Call {ABOUT}",
    "text": f"Ask **{ABOUT}** for a paper.",
    "once": ABOUT,
    "team": "operations",
}
ITEMS = {"collection": "account", "fields": ["customer_id", "status"]}
OF_ITEM = {"title": "Account of {{ item.customer_id }}, {{ item.status }}", "team": "operations"}


def on_account(
    company: Company, kind: str, config: dict[str, Any], account: str = "LT459999900012345678"
) -> str:
    """A run about an account with this step before its end, begun by Mona; the account's customer is Adaeze."""
    steps = [
        step("start", "start", "it"),
        step("it", kind, "fine", config),
        step("fine", "guidance", "end", {"text": "Fine"}),
        step("end", "end", None),
    ]
    head = {
        "format": 1,
        "slug": "about-accounts",
        "title": "About accounts",
        "collection": "account",
        "team": "operations",
    }
    workflows.import_file(head | {"steps": steps}, publish=True)
    return runs.start(company.mona, "about-accounts", "account", account, {})


def deny(role: str, collection: str, field: str) -> None:
    """From now on this role may not read the field."""
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[
                access.Row(
                    "p", f"role:{role}", "t:operations", f"field:{collection}/{field}", "read", "deny", ""
                )
            ],
        )
    access.refresh()


def each_account() -> str:
    """A run that makes a task for each account, in a run of its own."""
    steps = [
        step("start", "start", "each"),
        step("each", "loop", "end", {"items": ITEMS, "body": "task", "on_failure": "continue"}),
        step("task", "create_task", "end", OF_ITEM),
        step("end", "end", None),
    ]
    publish("each-account", steps, collection=None)
    return begin("each-account", None)


def test_a_task_names_the_record_that_a_key_stands_for(company: Company) -> None:
    whole(on_account(company, "create_task", CALL))
    [task] = tasks.of_teams(company.mona)
    assert (task.title, task.text) == (
        f"Call {NAME}",
        "Ask **Adaeze Okonkwo\\-Bell** for a paper.".replace("\\-", "-"),
    )


def test_a_letter_names_it_too_and_its_markdown_has_no_effect(company: Company) -> None:
    company.sql("update customer set display_name = 'Ann *Star* [x](https://evil.example)' where id = 1")
    run_id = on_account(
        company,
        "email",
        {"to": "'ann@customers.example'", "subject": f"For {ABOUT}", "body": f"Dear {ABOUT},"},
    )
    message = outbox.pending(run_id)
    assert message is not None
    assert message.content is not None
    assert message.content["subject"] == "For Ann *Star* [x](https://evil.example)"
    assert message.content["text"] == "Dear Ann \\*Star\\* \\[x\\]\\(https://evil.example\\),"


def test_a_name_that_the_account_may_not_read_is_not_told(company: Company) -> None:
    deny("operations_lead", "customer", "display_name")
    on_account(company, "create_task", CALL)
    [title] = [task.title for task in tasks.of_teams(company.mona)]
    assert title == "A task whose text you may not read"


@pytest.mark.parametrize(
    ("collection", "field", "secret"), [("account", "status", "closed"), ("customer", "display_name", NAME)]
)
def test_what_a_reader_may_not_read_of_an_item_no_run_of_its_tasks_tells_them(
    company: Company, collection: str, field: str, secret: str
) -> None:
    deny("reviewer", collection, field)
    run_id = each_account()
    company.work()
    assert secret in json.dumps([company.told(child.id, "mona") for child in children(run_id).values()])
    for child in children(run_id).values():
        assert secret not in json.dumps(company.told(child.id, "rosa")), (
            "who may read the run, and not the field"
        )
