"""A workflow on a customer that reads another one, of another desk, and puts what it read into every place where a document takes an expression."""

from collections.abc import Iterator
from typing import Any

from console import runs, workflows
from console.work import questions
from tests.company import Company
from tests.support import acting

MARK = "Halcyon"
KEY = "990317"
MAIL = "qf4417mark@x.example"
IBAN = "NL559999900099031755"
SUM = "8812345.51"
OTHER = "steps.load.others[0].email"
SAID = f"Beside it {{{{ {OTHER} }}}} and {{{{ steps.load.most }}}}"
READ = {"collection": "customer", "fields": ["display_name", "email"], "where": f"record.id == {KEY}"}
ACTION = acting.RATE | {
    "related": [{"name": "accounts", "relation": "account", "fields": ["iban"]}],
    "text": "About **{{ record.display_name }}** with {{ related.accounts[0].iban }}.",
    "require": [],
}
FORM = [
    {"name": "given", "label": "Given", "value": OTHER},
    {"name": "shown", "label": "Shown", "value": "steps.load.most", "readonly": True, "type": "decimal"},
]


def _step(
    id: str, type: str, to: str | dict[str, str], config: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "id": id,
        "type": type,
        "title": id,
        "config": config or {},
        "next": {"default": to} if isinstance(to, str) else to,
    }


STEPS = [
    _step("start", "start", "load"),
    _step(
        "load",
        "get_data",
        "own",
        {
            "fields": ["display_name", "email"],
            "text": "Beside it {{ steps.load.others[0].email }}",
            "related": [
                {"name": "others", **READ},
                {"name": "both", **READ, "where": f"record.id == {KEY} || record.id == 2"},
                {"name": "hers", "relation": "account", "fields": ["iban", "status"]},
                {
                    "name": "figures",
                    "collection": "customer",
                    "where": f"record.id == {KEY}",
                    "totals": [{"name": "most", "function": "max", "field": "balance"}],
                },
            ],
        },
    ),
    _step(
        "own",
        "guidance",
        "say",
        {"text": "Of {{ steps.load.record.email }} with {{ steps.load.hers[0].iban }}"},
    ),
    _step("say", "guidance", "change", {"text": SAID}),
    _step(
        "change", "update_data", "think", {"form": FORM, "text": SAID, "related": [{"name": "kept", **READ}]}
    ),
    _step(
        "think",
        "llm",
        "rule",
        {
            "prompt": SAID,
            "text": SAID,
            "output": [{"name": "finding", "label": "Finding", "type": "text"}],
            "related": [{"name": "more", **READ}],
        },
    ),
    _step(
        "rule",
        "condition",
        {"high": "decide", "default": "decide"},
        {"branches": [{"if": f"{OTHER} == 'x' || steps.load.most == 3", "outcome": "high"}]},
    ),
    _step(
        "decide",
        "decision",
        {"yes": "each", "no": "each"},
        {
            "options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
            "form": FORM,
            "text": SAID,
            "related": [{"name": "again", **READ}],
        },
    ),
    _step(
        "each",
        "loop",
        "entries",
        {
            "items": READ,
            "title": "Item {{ item.email }}",
            "text": "{{ item.email }}",
            "form": [{"name": "seen", "label": "Seen", "value": "item.email"}],
            "gather": [{"name": "all", "value": "item.email"}],
        },
    ),
    _step(
        "entries",
        "loop",
        "act",
        {
            "items": {"entries": "steps.load.others"},
            "text": "{{ item.email }}",
            "form": [{"name": "seen", "label": "Seen"}],
            "gather": [{"name": "mails", "value": "item.email"}],
        },
    ),
    _step("act", "trigger_action", "find", {"action": "customer.rate", "record": f"'{KEY}'", "text": SAID}),
    _step("find", "load_related", "tell", {"items": READ, "take": False}),
    _step("tell", "notify", "todo", {"text": SAID, "people": ["'tom@fernwick.example'"]}),
    _step("todo", "create_task", "ask", {"title": SAID, "text": SAID, "assignee": "'tom@fernwick.example'"}),
    _step(
        "ask",
        "human_input",
        "out",
        {
            "to": {"people": ["'olivia@fernwick.example'"]},
            "question": SAID,
            "text": SAID,
            "answers": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
            "within": "days(1)",
            "otherwise": "yes",
        },
    ),
    _step(
        "out",
        "output",
        "hand",
        {
            "values": {
                "plain": OTHER,
                "said": SAID,
                "whole": "steps.load.others",
                "chain": "steps.each.all",
                "found": "steps.find.record.email",
                "sum": "steps.load.most",
                "mails": "steps.entries.mails",
            }
        },
    ),
    _step("hand", "escalate", "end", {"inbox": "desk", "text": SAID}),
    _step("end", "end", {}, {"label": "Done"}),
]
DOCUMENT = {
    "format": 1,
    "slug": "beside",
    "title": "Beside",
    "collection": "customer",
    "team": "operations",
    "roles": ["operator"],
    "steps": STEPS,
}


def furnish(company: Company) -> None:
    """The workflow, and what the other customer is told by."""
    company.sql(
        "insert into customer values (?, ?, ?, 'corporate', 'NL777', null, ?, null)",
        KEY,
        f"{MARK} Trading B.V.",
        MAIL,
        SUM,
    )
    company.sql("insert into account values (?, ?, 'open')", IBAN, KEY)
    acting.imported(ACTION)
    workflows.import_file(DOCUMENT, publish=True)


def walk(company: Company) -> Iterator[str]:
    """The run on a retail customer, each time that it stands somewhere else. Olivia, who serves both desks, does it all."""
    run = runs.start(company.olivia, "beside", "customer", "1", {})
    while True:
        told = company.told(run, "olivia")
        yield run
        here = told["current"]
        if here is None:
            return
        if told["status"] != "waiting_person":
            questions.answer(company.olivia, questions.open_for(company.olivia)[0].id, {}, "yes")
            continue
        if told["holder"] is None:
            runs.resume(company.olivia, run, revision=told["revision"])
            told = company.told(run, "olivia")
        outcome = here["outcomes"][0]["value"] if here["outcomes"] else None
        values = {"find": {"key": KEY}, "act": {"risk": "low"}}.get(here["step"], {})
        runs.complete(
            company.olivia,
            run,
            runs.Submission(step=here["step"], revision=told["revision"], values=values, outcome=outcome),
        )
