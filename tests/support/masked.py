"""A workflow that puts a hidden field into every place where a document takes an expression or a template, and a walk through it by somebody who may read it."""

from collections.abc import Iterator
from typing import Any

from console import actions, runs, steps, workflows
from console.auth import access
from console.auth.access import policy_store
from console.infra.db import transaction
from console.infra.db.engine import fetch
from console.messaging import messages
from console.work import questions
from tests.company import Company
from tests.steps.registered import handed_in, masked

MARK = "QZ7731MARK"
RELATED = "QR5519MARK"
FIGURE = "7731551.9"
HIDDEN = "steps.load.record.tax_id"
SAID = f"Of {{{{ {HIDDEN} }}}} and {{{{ record.tax_id }}}}"
FORM = [
    {
        "name": "given",
        "label": "Given",
        "help": SAID,
        "value": HIDDEN,
        "must": [{"if": f"{HIDDEN} != 'x'", "message": SAID}],
        "required_if": f"{HIDDEN} == 'x'",
    },
    {
        "name": "shown",
        "label": "Shown",
        "value": [{"if": f"{HIDDEN} == 'x'", "value": HIDDEN}, {"value": HIDDEN}],
        "readonly": True,
    },
    {"name": "size", "label": "Size", "type": "integer", "at_most": f"size({HIDDEN})"},
]
OPTIONS = [
    {"value": "yes", "label": "Yes"},
    {"value": "no", "label": "No", "if": f"{HIDDEN} == 'x'", "why_not": SAID},
    {"value": "well", "label": "Well", "unless": f"{HIDDEN} != 'x'", "why_not": SAID},
]
RULE = {"field": "given", "if": f"{HIDDEN} != 'x'", "message": SAID, "why": SAID}
RELATED_READ = {
    "name": "accounts",
    "relation": "account",
    "fields": ["iban", "status"],
    "where": f"record.status != {HIDDEN}",
}
CHECK = {
    "id": "fits",
    "label": "Fits",
    "about": "values",
    "if": f"{HIDDEN} != 'x'",
    "pass": f"{HIDDEN} == 'x'",
    "unsure": f"{HIDDEN} == 'y'",
    "said": SAID,
}
ACTION: dict[str, Any] = {
    "format": 1,
    "id": "customer.mark",
    "title": "Mark",
    "collection": "customer",
    "team": "operations",
    "text": "Act {{ record.tax_id }}",
    "if": "record.tax_id != 'x'",
    "form": [
        {
            "name": "code",
            "label": "Code",
            "value": [{"if": "record.tax_id == 'x'", "value": "record.tax_id"}, {"value": "record.tax_id"}],
            "required_if": "record.tax_id == 'x'",
            "must": [{"if": "record.tax_id != 'x'", "message": "No {{ record.tax_id }}"}],
        },
        {"name": "size", "label": "Size", "type": "integer", "at_most": "size(record.tax_id)"},
        {"name": "note", "label": "Note"},
    ],
    "related": [
        {
            "name": "accounts",
            "relation": "account",
            "fields": ["iban", "status"],
            "where": "record.status != 'x'",
        }
    ],
    "outcomes": [{"if": "record.tax_id == 'x'", "outcome": "odd"}],
    "require": [{"if": "record.tax_id != 'x'", "message": "No {{ record.tax_id }}"}],
    "effects": [
        {
            "kind": "sql_write",
            "name": "customer",
            "summary": "Sets the risk",
            "if": "record.tax_id != 'x'",
            "set": {"risk": [{"if": "record.tax_id == 'x'", "value": "'low'"}, {"value": "'high'"}]},
        }
    ],
    "approval": [
        {
            "if": "record.tax_id != 'x'",
            "roles": ["lead", "reviewer"],
            "not": [],
            "why": "Because of {{ record.tax_id }}",
        }
    ],
    "done": "Done with {{ record.tax_id }}",
}


NUMBER = "steps.load.newest"
IS = f"{HIDDEN} != 'x'"
HEAD = {"title": SAID, "remark": SAID, "empty": SAID, "if": IS}
SHOWN = {"label": SAID, "value": HIDDEN, "currency": HIDDEN, "if": IS}
LISTED = {"each": f"[{HIDDEN}, {HIDDEN}]", "if": IS}
CONTENT: list[dict[str, Any]] = [
    {
        "block": "facts",
        **HEAD,
        "facts": [
            {**SHOWN, "of": HIDDEN, "remark": SAID, "none": SAID, "tone": [{"if": IS, "tone": "warn"}]},
            {**SHOWN, **LISTED, "value": "entry"},
            {"label": "Open", "value": "1 + 1", "remark": "{{ record.tax_id }}"},
            {"label": "Whole", "value": NUMBER, "as": "money", "currency": "'EUR'"},
        ],
    },
    {
        "block": "amounts",
        **HEAD,
        "whole": {**SHOWN, "value": NUMBER},
        "parts": [{**SHOWN, "value": NUMBER, **LISTED}],
        "left": SAID,
    },
    {
        "block": "amounts",
        "whole": {"label": "Of", "value": f"{NUMBER} + 1"},
        "parts": [{"label": SAID, "value": NUMBER}],
    },
    {
        "block": "comparison",
        **HEAD,
        "ours": SAID,
        "theirs": SAID,
        "line": SAID,
        "match": {"value": NUMBER, "line": NUMBER, "line_label": SAID, "if": IS},
        "lines": [
            {
                "label": SAID,
                "ours": HIDDEN,
                "theirs": HIDDEN,
                "currency": HIDDEN,
                "ours_remark": SAID,
                "theirs_remark": SAID,
                "same": IS,
                "counts": IS,
                "verdict": SAID,
                "hot": IS,
                **LISTED,
            }
        ],
        "need": {"count": NUMBER, "text": SAID, "remark": SAID, "if": IS},
    },
    {
        "block": "score",
        **HEAD,
        "total": NUMBER,
        "out_of": NUMBER,
        "word": SAID,
        "tone": [{"if": IS, "tone": "bad"}],
        "last": NUMBER,
        "last_label": SAID,
        "bands": [{"from": NUMBER, "label": SAID, **LISTED}],
        "most": NUMBER,
        "factors": [
            {"label": SAID, "points": NUMBER, "weight": NUMBER, "most": NUMBER, "last": NUMBER, **LISTED}
        ],
        "note": SAID,
    },
    {
        "block": "tree",
        **HEAD,
        "owners": [
            {
                "owner": HIDDEN,
                "name": SAID,
                "of": HIDDEN,
                "share": f"{NUMBER} / 1000000",
                "person": IS,
                "in_all": f"{NUMBER} / 1000000",
                "country": HIDDEN,
                "marks": [{"label": SAID, "if": IS}],
                **LISTED,
            }
        ],
        "root": HIDDEN,
        "line": f"{NUMBER} / 1000000",
        "inclusive": IS,
        "below": SAID,
    },
    {
        "block": "series",
        **HEAD,
        "points": [{**SHOWN, "value": NUMBER, **LISTED}],
        "expected": NUMBER,
        "expected_label": SAID,
        "words": SAID,
    },
    {
        "block": "series",
        "points": [{"label": "May", "value": NUMBER}, {"label": "June", "value": f"{NUMBER} + 1"}],
    },
    {"block": "letter", **HEAD, "sender": SAID, "sent": SAID, "number": SAID, "body": HIDDEN, "mark": HIDDEN},
    {
        "block": "document",
        **HEAD,
        "document": HIDDEN,
        "page": NUMBER,
        "passage": HIDDEN,
        "says": [{**SHOWN, "remark": SAID, **LISTED}],
    },
    {
        "block": "brief",
        **HEAD,
        "lines": [{"text": SAID, "sources": ["paper"], **LISTED}, {"text": "Open", "sources": ["plain"]}],
        "sources": [
            {"id": "paper", "label": SAID, "document": HIDDEN, "page": NUMBER, "passage": HIDDEN, "if": IS},
            {"id": "plain", "label": "Plain"},
        ],
    },
    {
        "block": "before_after",
        **HEAD,
        "changes": [
            {
                "label": SAID,
                "before": HIDDEN,
                "after": f"[{HIDDEN}, 'x']",
                "currency": HIDDEN,
                "remark": SAID,
                **LISTED,
            }
        ],
    },
]
"""Every kind of block with the hidden field in every place that takes an expression or a template."""


def _step(
    id: str, type: str, to: str | dict[str, str], config: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": id,
        "type": type,
        "title": id,
        "config": config or {},
        "next": {"default": to} if isinstance(to, str) else to,
        **more,
    }


STEPS = [
    _step(
        "start",
        "start",
        "load",
        {
            "fields": [
                {
                    "name": "first",
                    "label": "First",
                    "value": [
                        {"if": "record.tax_id == 'x'", "value": "record.tax_id"},
                        {"value": "record.tax_id"},
                    ],
                    "readonly": True,
                },
                {
                    "name": "second",
                    "label": "Second",
                    "type": "integer",
                    "at_most": "size(record.tax_id)",
                    "required_if": "record.tax_id == 'x'",
                    "must": [{"if": "record.tax_id != 'x'", "message": "No {{ record.tax_id }}"}],
                },
            ]
        },
    ),
    _step(
        "load",
        "get_data",
        "say",
        {
            "fields": ["display_name", "tax_id", "email"],
            "text": "Loaded {{ steps.load.record.tax_id }} {{ record.tax_id }}",
            "related": [
                {**RELATED_READ, "where": "record.status != input.first"},
                {
                    "name": "figures",
                    "collection": "customer",
                    "where": "record.id == 1",
                    "totals": [{"name": "newest", "function": "max", "field": "balance"}],
                },
            ],
        },
    ),
    _step("say", "guidance", "change", {"text": SAID}, content=CONTENT),
    _step(
        "change",
        "update_data",
        "hold",
        {
            "form": FORM,
            "text": SAID,
            "set": [
                {
                    "field": "risk",
                    "value": [{"if": f"{HIDDEN} == 'x'", "value": "'low'"}, {"value": "'high'"}],
                }
            ],
            "related": [RELATED_READ],
            "checks": [CHECK],
            "documents": HIDDEN,
            "must": [RULE],
        },
    ),
    _step("hold", "wait", "rule", {"until": f"addDays(today(), -size({HIDDEN}))"}),
    _step(
        "rule",
        "condition",
        {"high": "decide", "default": "decide"},
        {
            "branches": [
                {
                    "if": f"{HIDDEN} == 'x' || record.tax_id == 'x' || input.first == 'x' || steps.load.newest == 'x'",
                    "outcome": "high",
                }
            ]
        },
    ),
    _step(
        "decide",
        "decision",
        {"yes": "ruled", "no": "ruled", "well": "ruled"},
        {"options": OPTIONS, "form": FORM, "text": SAID, "related": [RELATED_READ]},
        content=CONTENT,
    ),
    _step(
        "ruled",
        "decision",
        {"a": "each", "b": "each"},
        {
            "maker": "rule",
            "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}],
            "rules": [{"if": f"{HIDDEN} == 'x'", "option": "b"}, {"if": f"{HIDDEN} != 'x'", "option": "a"}],
        },
    ),
    _step(
        "each",
        "loop",
        {"default": "entries", "odd": "entries"},
        {
            "items": {
                "relation": "account",
                "fields": ["iban", "status"],
                "where": f"record.status != {HIDDEN}",
                "only": f"item.status != {HIDDEN}",
                "limit": 1,
            },
            "title": "Item {{ item.status }} {{ steps.load.record.tax_id }}",
            "text": SAID,
            "form": FORM,
            "must": [RULE],
            "gather": [{"name": "all", "value": "item.status", "if": "item.status != 'x'"}],
            "second": {"if": f"{HIDDEN} == 'x'"},
            "checks": [CHECK],
            "documents": HIDDEN,
            "branches": [{"if": f"{HIDDEN} == 'x'", "outcome": "odd"}],
        },
    ),
    _step(
        "entries",
        "loop",
        "find",
        {
            "items": {"entries": "steps.load.accounts", "limit": 1, "where": f"item.status != {HIDDEN}"},
            "text": "{{ item.status }}",
            "form": [{"name": "seen", "label": "Seen"}],
            "gather": [{"name": "keys", "value": "item.status"}],
        },
    ),
    _step(
        "find",
        "load_related",
        "ask_model",
        {
            "items": {
                "relation": "account",
                "fields": ["iban", "status"],
                "where": f"record.status != {HIDDEN}",
            },
            "text": SAID,
            "take": False,
        },
    ),
    _step(
        "ask_model", "llm", "tell", {"prompt": SAID, "output": FORM, "related": [RELATED_READ], "text": SAID}
    ),
    _step("tell", "notify", "todo", {"text": SAID, "people": ["'olivia@fernwick.example'", f"[{HIDDEN}]"]}),
    _step(
        "todo",
        "create_task",
        "ask",
        {
            "title": SAID,
            "text": SAID,
            "assignee": "'olivia@fernwick.example'",
            "due": f"addDays(today(), size({HIDDEN}))",
        },
    ),
    _step(
        "ask",
        "human_input",
        "agree",
        {
            "to": {"people": ["'olivia@fernwick.example'", f"[{HIDDEN}]"]},
            "question": SAID,
            "text": SAID,
            "form": FORM,
            "answers": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
            "within": f"days(size({HIDDEN}))",
            "otherwise": "no",
        },
    ),
    _step(
        "agree",
        "approval",
        {"approved": "act", "rejected": "act"},
        {
            "text": SAID,
            "roles": ["operations_lead", "lead", "reviewer"],
            "not_by": [],
            "values": {"amount": HIDDEN},
            "if": f"{HIDDEN} != 'x'",
            "fields": ["tax_id"],
        },
        content=CONTENT,
    ),
    _step(
        "act",
        "trigger_action",
        {"succeeded": "pick", "default": "pick"},
        {
            "action": "customer.mark",
            "values": {"note": [{"if": f"{HIDDEN} == 'x'", "value": HIDDEN}, {"value": HIDDEN}]},
            "text": SAID,
            "related": [RELATED_READ],
        },
    ),
    _step(
        "pick",
        "trigger_action",
        {"succeeded": "do", "default": "do"},
        {
            "action": "customer.mark",
            "actions": [
                {
                    "action": "customer.sign",
                    "values": {"note": [{"if": f"{HIDDEN} == 'x'", "value": HIDDEN}, {"value": HIDDEN}]},
                }
            ],
        },
    ),
    _step(
        "do",
        "action",
        {"succeeded": "bank", "odd": "bank"},
        {
            "values": {"code": [{"if": f"{HIDDEN} == 'x'", "value": HIDDEN}, {"value": HIDDEN}]},
            "effect": {
                "kind": "sql_write",
                "name": "rating",
                "summary": "Sets the risk",
                "if": "input.code != 'x'",
                "set": {"risk": [{"if": "input.code == 'x'", "value": "'low'"}, {"value": "'medium'"}]},
            },
            "outcomes": [{"if": "input.code == 'x'", "outcome": "odd"}],
        },
    ),
    _step(
        "bank",
        "action",
        {"succeeded": "crm", "error": "crm"},
        {
            "operation": "http",
            "url": f"https://127.0.0.1/x/{{{{ {HIDDEN} }}}}",
            "headers": {"X-Tax": SAID},
            "body": {"tax": SAID, "inside": [f"{{{{ {HIDDEN} }}}}"]},
        },
    ),
    _step(
        "crm",
        "action",
        {"succeeded": "other", "error": "other"},
        {
            "operation": "connector",
            "connector": "rest",
            "call": "post",
            "path": f"/x/{{{{ {HIDDEN} }}}}",
            "values": {"body.tax": SAID},
        },
    ),
    _step(
        "other",
        "action",
        {"succeeded": "out", "error": "out"},
        {"operation": "update", "collection": "customer", "record": HIDDEN, "values": {"updated_at": SAID}},
    ),
    _step(
        "out",
        "output",
        "papers",
        {
            "values": {
                "plain": HIDDEN,
                "said": SAID,
                "whole": "steps.load.record",
                "further": "steps.decide.given",
                "iban": "steps.load.accounts",
                "chain": "steps.each.all",
                "figure": "steps.load.newest",
                "found": "steps.find.record.status",
                "compared": "steps.rule.compared",
            }
        },
    ),
    _step(
        "papers",
        "request_documents",
        {"received": "hand", "expired": "hand"},
        {
            "documents": [
                {
                    "id": "proof",
                    "label": "Proof",
                    "help": SAID,
                    "if": f"{HIDDEN} != 'x'",
                    "required_if": f"{HIDDEN} == 'x'",
                    "required": False,
                }
            ],
            "to": "steps.load.record.email",
            "also": f"[{HIDDEN}]",
            "language": HIDDEN,
            "name": HIDDEN,
            "text": SAID,
            "subject": SAID,
            "translations": [{"language": "de", "subject": SAID, "text": SAID}],
            "form": FORM,
            "asks_first": True,
            "by_hand": f"{HIDDEN} == 'x'",
            "without_if": f"{HIDDEN} == 'x'",
            "why_not": SAID,
        },
    ),
    _step("hand", "escalate", "end", {"inbox": "desk", "text": SAID, "form": FORM}),
    _step("end", "end", {}, {"label": "Done"}),
]
ADDED = {
    kind: settings
    for kind in sorted(steps.all_types().keys() - {entry["type"] for entry in STEPS})
    if (settings := masked(kind)) is not None
}
"""Types whose own test says where the hidden field stands, each a step of its name before the end."""
for _kind, _settings in ADDED.items():
    _outcomes = steps.get(_kind).outcomes(steps.get(_kind).Config.model_validate(_settings))
    STEPS.insert(-1, _step(_kind, _kind, dict.fromkeys(_outcomes, "end"), _settings))
    STEPS[-3]["next"] = dict.fromkeys(STEPS[-3]["next"], _kind)
for _one in STEPS:
    _one["config"] = {name: value for name, value in _one["config"].items() if value is not None}
DOCUMENT = {
    "format": 1,
    "slug": "masked",
    "title": "Masked",
    "collection": "customer",
    "team": "operations",
    "roles": ["operator"],
    "steps": STEPS,
}


INNER = {key: value for key, value in DOCUMENT.items() if key != "steps"} | {
    "slug": "masked-inner",
    "title": "Masked inside",
    "steps": [
        _step("start", "start", "end", {"fields": [{"name": "first", "label": "First"}]}),
        _step("end", "end", {}, {"label": "Done"}),
    ],
}
"""What the step that runs another workflow runs."""


def furnish(company: Company) -> None:
    """The workflow, the action, the hidden values; who is not a lead may read neither."""
    company.sql(
        "update customer set tax_id = ?, balance = ?, email = ? where id = 1",
        MARK,
        FIGURE,
        f"{MARK}@x.example".lower(),
    )
    company.sql("update account set status = ? where iban = 'LT459999900012345678'", RELATED)
    with transaction() as connection:
        fields = [
            ("customer", "tax_id"),
            ("account", "status"),
            ("customer", "balance"),
            ("customer", "email"),
        ]
        policy_store.write(
            connection,
            added=[
                access.Row("p", f"role:{role}", "t:operations", f"field:{name}/{field}", "read", "deny", "")
                for role in ("operator", "reviewer")
                for name, field in fields
                if (role, field) != ("operator", "tax_id")
            ],
        )
    access.refresh()
    for document in (ACTION, ACTION | {"id": "customer.sign", "title": "Sign"}):
        made = actions.import_file(document)
        for role in ("operator", "lead", "reviewer"):
            access.grant(role, f"action:{made.id}", ["execute", "approve"], team="operations")
    workflows.import_file(INNER, publish=True)
    workflows.import_file(DOCUMENT, publish=True)


MOST_STANDS = 3 * len(STEPS)


def walk(company: Company) -> Iterator[str]:
    """The run, each time that it stands somewhere else, until it has ended. Mona, who may read everything, does it all; Olivia answers as she must."""
    run = runs.start(company.mona, "masked", "customer", "1", {})
    for _ in range(MOST_STANDS):
        told = company.told(run, "mona")
        yield run
        here, status = told["current"], told["status"]
        if here is None:
            return
        if status == "waiting_person":
            _hand_in(company, run, told)
        elif here["waiting"] is None:
            runs.advance(run)
        elif here["waiting"]["for"] == "answer":
            question = questions.open_for(company.olivia)[0]
            questions.answer(company.olivia, question.id, {}, "yes")
        elif here["waiting"]["for"] == "approval":
            runs.approve(company.rosa, here["waiting"]["key"], reason="Fine.")
        elif here["waiting"]["for"] == "message":
            for (message,) in fetch(
                "select id from console.message where run = %s and direction = 'out' and status = 'waiting'",
                (run,),
            ):
                messages.send(message)
        elif here["waiting"]["for"] == "run":
            runs.wake_parent(run)
            for (child,) in fetch(
                "select id from console.run where parent = %s and ended_at is null", (run,)
            ):
                runs.advance(child)
            runs.wake_parent(run)
        else:
            raise AssertionError(here)
        after = company.told(run, "mona")
        assert (after["last_event"], after["status"]) != (told["last_event"], status), (
            here["step"],
            here["waiting"],
        )
    raise AssertionError(f"After {MOST_STANDS} stands the run still waits at {here['step']}.")


def _hand_in(company: Company, run: str, told: dict[str, Any]) -> None:
    here = told["current"]
    if told["holder"] is None:
        runs.resume(company.mona, run, revision=told["revision"])
        told = company.told(run, "mona")
    outcome = here["outcomes"][0]["value"] if here["outcomes"] else None
    values: dict[str, Any] = {}
    if here["step"] == "find":
        values = {"key": here["form"]["fields"][0]["options"][0]["value"]}
    if here["step"] == "papers":
        outcome, values = "received", {"sender": "Post"}
    if here["step"] in ADDED:
        values, chosen = handed_in(here["step"])
        outcome = chosen or outcome
    if here[
        "take_over"
    ]:  # what could not be sent to the hidden address is done by hand: sent again it would come back
        outcome = next((one["value"] for one in here["outcomes"] if one["value"] != "send"), outcome)
    runs.complete(
        company.mona,
        run,
        runs.Submission(step=here["step"], revision=told["revision"], values=values, outcome=outcome),
    )
