"""Ten workflows of the kinds that people bring along from other programs: a hook, a nightly list, a triage by a model, branches, reminders, a call, an approval."""

from typing import Any

ROBOT = "robot@fernwick.test"
RULE = {"kind": "event", "on": "record.created", "collection": "customer", "id": "made"}
HOOK = {"kind": "webhook", "id": "hook"}
NIGHTLY = {"kind": "schedule", "cron": "0 9 * * 1-5", "zone": "Europe/Vilnius", "id": "weekdays"}


def step(
    ident: str, kind: str, title: str, to: str | None, config: dict[str, Any] | None = None, **ways: str
) -> dict[str, Any]:
    return {
        "id": ident,
        "type": kind,
        "title": title,
        "config": config or {},
        "next": ({"default": to} if to else {}) | ways,
    }


def field(name: str, label: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "label": label, "type": kind, **more}


def start(to: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return step("start", "start", "Start", to, {"fields": list(fields)} if fields else None)


def end(ident: str = "end", label: str = "Done") -> dict[str, Any]:
    return step(ident, "end", label, None, {"label": label})


def rule(condition: str, outcome: str) -> dict[str, Any]:
    return {"branches": [{"if": condition, "outcome": outcome}]}


def document(
    slug: str,
    title: str,
    steps: list[dict[str, Any]],
    *triggers: dict[str, Any],
    about: str | None = "customer",
    **more: Any,
) -> dict[str, Any]:
    made = {"format": 1, "slug": slug, "title": title, "team": "operations", "roles": ["operator"]} | more
    made |= {"collection": about} if about else {}
    made |= (
        {"triggers": list(triggers), "run_as": ROBOT, "settings": {"on_error": "fail"}} if triggers else {}
    )
    return made | {"steps": steps}


ORDER_BY_HOOK = document(
    "order-hook",
    "Order comes in by a webhook",
    [
        start(
            "big", field("order", "Order", required=True), field("amount", "Amount", "decimal", required=True)
        ),
        step("big", "condition", "A big order?", "note", rule("input.amount > 1000", "big"), big="tell"),
        step(
            "tell",
            "notify",
            "Tell the leads",
            "note",
            {"roles": ["operations_lead"], "text": "Order {{ input.order }} is a big one."},
        ),
        step(
            "note",
            "output",
            "What came in",
            "end",
            {"values": {"order": "input.order", "amount": "input.amount"}},
        ),
        end(),
    ],
    HOOK,
    about=None,
)
DAILY_DIGEST = document(
    "daily-digest",
    "Digest of every weekday",
    [
        start("each"),
        step(
            "each",
            "loop",
            "Each account",
            "tell",
            {
                "items": {
                    "collection": "account",
                    "fields": ["iban", "status"],
                    "where": "record.status == 'open'",
                },
                "body": "look",
                "on_failure": "continue",
            },
        ),
        step("look", "output", "What stands there", "over", {"values": {"iban": "item.iban"}}),
        end("over", "Looked at"),
        step(
            "tell",
            "notify",
            "Tell the team",
            "end",
            {"team": "operations", "text": "The open accounts were looked at."},
        ),
        end(),
    ],
    NIGHTLY,
    about=None,
)
TRIAGE = document(
    "triage-by-model",
    "New customers are sorted by a model",
    [
        start("sort"),
        step(
            "sort",
            "llm",
            "Which desk?",
            "sure",
            {
                "prompt": "Which desk suits {{ record.display_name }}?",
                "output": [
                    field(
                        "desk",
                        "Desk",
                        "enum",
                        options=[
                            {"value": "retail", "label": "Retail"},
                            {"value": "corporate", "label": "Corporate"},
                        ],
                    )
                ],
            },
        ),
        step(
            "sure", "condition", "Is it certain?", "ask", rule("steps.sort.desk != null", "yes"), yes="task"
        ),
        step(
            "ask",
            "human_input",
            "Somebody decides",
            "task",
            {
                "to": {"roles": ["operations_lead"]},
                "question": "Which desk?",
                "form": [field("desk", "Desk")],
            },
        ),
        step(
            "task",
            "create_task",
            "Welcome them",
            "end",
            {"title": "Welcome {{ record.display_name }}", "team": "operations"},
        ),
        end(),
    ],
    RULE,
)
EXPENSE = document(
    "expense-approval",
    "Expense with an approval",
    [
        start(
            "what",
            field("purpose", "Purpose", required=True),
            field("amount", "Amount", "decimal", required=True),
        ),
        step(
            "what",
            "update_data",
            "Say what it was for",
            "agree",
            {
                "form": [
                    field("note", "Note", "long_text"),
                    field("seen", "I have seen the receipt", "boolean", required=True),
                ]
            },
        ),
        step(
            "agree",
            "approval",
            "A lead agrees",
            "booked",
            {
                "text": "{{ input.purpose }} for {{ input.amount }}?",
                "roles": ["operations_lead"],
                "if": "input.amount > 500",
            },
            rejected="no",
        ),
        step("booked", "output", "Booked", "end", {"values": {"amount": "input.amount"}}),
        end(),
        end("no", "Refused"),
    ],
    about=None,
)
SIDE_BY_SIDE = document(
    "side-by-side",
    "Two look-ups side by side",
    [
        start("both"),
        step(
            "both",
            "parallel",
            "Both at once",
            "join",
            {
                "branches": [{"id": "name", "start": "called"}, {"id": "money", "start": "holds"}],
                "until": "all",
            },
        ),
        step("called", "output", "What it is called", "join", {"values": {"name": "record.display_name"}}),
        step("holds", "output", "What it holds", "join", {"values": {"balance": "record.balance"}}),
        step(
            "join",
            "output",
            "Both of it",
            "end",
            {"values": {"name": "steps.both.name.called.name", "balance": "steps.both.money.holds.balance"}},
        ),
        end(),
    ],
    {"kind": "manual", "id": "hand"},
)
REMINDERS = document(
    "pay-reminders",
    "Reminders until it is paid",
    [
        start("first"),
        step(
            "first",
            "create_task",
            "Write to them",
            "wait",
            {"title": "Remind {{ record.display_name }}", "team": "operations"},
        ),
        step("wait", "wait", "Three days", "paid", {"duration": "days(3)"}),
        step("paid", "condition", "Is it paid?", "again", rule("record.balance >= 0", "yes"), yes="end"),
        step("again", "condition", "For the third time?", "back", rule("run.visits > 2", "yes"), yes="desk"),
        step("back", "go_to", "Once more", "first"),
        step(
            "desk",
            "notify",
            "Hand it to the leads",
            "unpaid",
            {"roles": ["operations_lead"], "text": "{{ record.display_name }} does not pay."},
        ),
        end(),
        end("unpaid", "Not paid"),
    ],
    RULE,
)
RATE_ALL = document(
    "rate-all",
    "Whoever has no rating is rated",
    [
        start("rate"),
        step(
            "rate", "sub_workflow", "The other workflow", "known", {"workflow": "side-by-side", "wait": True}
        ),
        step(
            "known",
            "condition",
            "Is there a risk?",
            "end",
            rule("record.risk == 'high' || record.balance > 500", "yes"),
            yes="look",
        ),
        step(
            "look",
            "action",
            "Mark it",
            "end",
            {"operation": "update", "values": {"risk": "'high'"}},
            error="tell",
        ),
        step(
            "tell",
            "notify",
            "It could not be marked",
            "end",
            {"roles": ["operations_lead"], "text": "Mark {{ record.display_name }} by hand."},
        ),
        end(),
    ],
    NIGHTLY | {"segment": "unrated"},
)
NEW_ACCOUNT = document(
    "new-account",
    "A record is made elsewhere, once",
    [
        start("make", field("iban", "IBAN", required=True)),
        step(
            "make",
            "action",
            "Make the account",
            "end",
            {
                "operation": "create",
                "collection": "account",
                "values": {"iban": "input.iban", "customer_id": "record.id", "status": "'open'"},
                "unique": ["iban"],
            },
            error="look",
        ),
        step(
            "look",
            "create_task",
            "Look at it by hand",
            "end",
            {"title": "The account {{ input.iban }} was not made", "team": "operations"},
        ),
        end(),
    ],
    {"kind": "manual", "id": "hand"},
)
CHECKLIST = document(
    "first-week",
    "Checklist of the first week",
    [
        start("facts"),
        step(
            "facts",
            "get_data",
            "What we know",
            "tick",
            {
                "fields": ["display_name", "email", "desk"],
                "related": [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}],
            },
        ),
        step(
            "tick",
            "update_data",
            "Tick off",
            "which",
            {
                "form": [
                    field(
                        "done",
                        "Done",
                        "checklist",
                        options=[
                            {"value": "call", "label": "Called"},
                            {"value": "mail", "label": "Written to"},
                            {"value": "meet", "label": "Met"},
                        ],
                    )
                ]
            },
        ),
        step(
            "which",
            "decision",
            "How did it go?",
            None,
            {
                "options": [
                    {"value": "well", "label": "Well"},
                    {"value": "badly", "label": "Badly", "reason_required": True},
                ]
            },
            well="end",
            badly="talk",
        ),
        step(
            "talk",
            "guidance",
            "Talk to them",
            "end",
            {"text": "Call **{{ record.display_name }}** this week."},
        ),
        end(),
    ],
)
LOW_STOCK = document(
    "low-balance",
    "Something falls below a limit",
    [
        start("below"),
        step(
            "below",
            "condition",
            "Below the limit?",
            "end",
            rule("record.balance < 10 && record.email != null", "yes"),
            yes="tag",
        ),
        step("tag", "update_data", "Note it", "told", {"set": [{"field": "risk", "value": "'medium'"}]}),
        step(
            "told",
            "notify",
            "Tell whoever looks after them",
            "low",
            {"team": "operations", "text": "{{ record.display_name }} holds {{ record.balance }}."},
        ),
        end(),
        end("low", "Below"),
    ],
    {"kind": "record", "id": "hand"},
)
HABITS = [
    ORDER_BY_HOOK,
    DAILY_DIGEST,
    TRIAGE,
    EXPENSE,
    SIDE_BY_SIDE,
    REMINDERS,
    RATE_ALL,
    NEW_ACCOUNT,
    CHECKLIST,
    LOW_STOCK,
]
