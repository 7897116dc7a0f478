"""What is at stake in actions and columns: as their documents say, else by names and types."""

from typing import Any

from console.core import stakes
from console.core.documents import action_document
from tests.tables import cases

WRITE = {"name": "done", "summary": "Does it", "kind": "sql_write", "set": {"note": "'x'"}}


def made(**more: Any) -> action_document.Action:
    return action_document.read(
        {"format": 1, "id": "thing.do", "title": "Do", "collection": "customer", "effects": [WRITE]} | more
    )


@cases(
    ("more", "wanted"),
    [
        ({}, set()),
        ({"irreversible": True}, {"irreversible"}),
        ({"stakes": ["money"]}, {"money"}),
        ({"id": "charge.refund", "stakes": []}, set()),
        ({"id": "charge.refund", "stakes": [], "irreversible": True}, {"irreversible"}),
        ({"id": "charge.refund"}, {"money"}),
        ({"id": "wallet.top_up", "form": [{"name": "sum", "label": "Sum", "type": "money"}]}, {"money"}),
        ({"effects": [WRITE | {"set": {"account_blocked": "true"}}]}, {"restriction"}),
        ({"effects": [WRITE | {"set": {"frozen_at": "now"}}]}, {"restriction"}),
        ({"id": "member.suspend"}, {"restriction"}),
        (
            {
                "effects": [
                    {
                        "name": "x",
                        "summary": "Adds",
                        "kind": "sql_insert",
                        "collection": "payout",
                        "values": {"id": "key"},
                    }
                ]
            },
            {"money"},
        ),
        (
            {
                "effects": [
                    {
                        "name": "x",
                        "summary": "Asks",
                        "kind": "http",
                        "target": "bank",
                        "path": "/p",
                        "body": {"value": "input.n"},
                    }
                ],
                "form": [{"name": "n", "label": "N", "type": "decimal"}],
            },
            {"money"},
        ),
        (
            {
                "effects": [
                    {
                        "name": "x",
                        "summary": "Asks",
                        "kind": "http",
                        "target": "crm",
                        "path": "/p",
                        "body": {"text": "input.n"},
                    }
                ],
                "form": [{"name": "n", "label": "N", "type": "text"}],
            },
            set(),
        ),
        ({"id": "ticket.close"}, set()),
        (
            {
                "effects": [WRITE | {"set": {"limit": "input.limit"}}],
                "form": [
                    {"name": "limit", "label": "Limit", "type": "integer", "currency": "EUR", "minor": True}
                ],
            },
            set(),
        ),
        ({"effects": [WRITE | {"set": {"feedback": "'x'"}}]}, set()),
    ],
)
def test_what_an_action_puts_at_stake(more: dict[str, Any], wanted: set[str]) -> None:
    assert stakes.of_action(made(**more)) == wanted


@cases(
    ("name", "kind", "wanted"),
    [
        ("credit_limit", "decimal", {"money"}),
        ("price", "text", {"money"}),
        ("worth", "money", {"money"}),
        ("lockedUntil", "date", {"restriction"}),
        ("risk", "enum", set()),
        ("bankrupt", "boolean", set()),
    ],
)
def test_what_a_column_puts_at_stake(name: str, kind: str, wanted: set[str]) -> None:
    assert stakes.of_column(name, kind) == wanted
