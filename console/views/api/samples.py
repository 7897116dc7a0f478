"""Examples of what the API answers with, made from the schemas of its description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ULID = "01j0000000000000000000000a"
PREFIXES = {
    **dict.fromkeys(
        ("answered_by", "by", "decided_by", "holder", "person", "requested_by", "started_by", "substitute"),
        "usr",
    ),
    **dict.fromkeys(("run", "run_id", "Run", "RunHead"), "run"),
    **dict.fromkeys(("workflow_id", "Workflow", "WorkflowRef"), "wf"),
    "lead_id": "lead",
    "Approval": "apr",
    "Message": "msg",
    "OutgoingWebhook": "whk",
    "File": "fil",
}
"""Names of properties that hold an id, and of schemas that have one, and how it begins."""
TYPICAL: Mapping[str, Any] = {
    "action": "refund",
    "actor": "Olivia Petrauskaitė",
    "attempt": 1,
    "branch": "screening",
    "channel": "email",
    "code": "waiting",
    "collection": "customer",
    "columns": ["display_name", "email"],
    "description": "Checks who a customer is before the account is opened.",
    "email": "olivia@fernwick.example",
    "event": "run.completed",
    "events": ["run.completed"],
    "field": "amount",
    "filter": "record.risk == 'high'",
    "first": "2027-03-01",
    "from": ["hand"],
    "hash": "9fd43f1ad17e9454103678e324f36cd796c4423525b4685e4aba7501175bf341",
    "hosts": ["api.bank.example"],
    "inbox": "desk",
    "key": "17",
    "kind": "run",
    "label": "Approved",
    "language": "en",
    "last": "2027-03-05",
    "message": "Nobody who may approve this is at work.",
    "name": "amount",
    "node_id": "node_wait",
    "note": "Clearer words for the second step",
    "outcome": "approve",
    "people": ["Mona Verbeek"],
    "provider": "smtp",
    "question": "Is the invoice paid?",
    "reason": "The customer called.",
    "record": "17",
    "role": "operator",
    "roles": ["operator"],
    "row": 0,
    "sandbox": True,
    "sha256": "9fd43f1ad17e9454103678e324f36cd796c4423525b4685e4aba7501175bf341",
    "slug": "kyc-review",
    "source": "fernwick",
    "status": "done",
    "step": "decide",
    "tags": ["lead"],
    "team": "operations",
    "teams": ["operations"],
    "text": "The address is confirmed by the bill of May.",
    "title": "KYC review",
    "type": "text",
    "url": "https://events.example.com/handrail",
    "value": "42.50",
    "workflow": "kyc-review",
    "zone": "Europe/Vilnius",
}
"""What stands under a name in an example where its type allows it."""
KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
MOMENT = "2026-12-01T09:30:00.000000Z"


def example(name: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example of the named schema: the names that it always has, lists with one item."""
    return _Samples(schemas).named(name, ())


@dataclass(frozen=True, slots=True)
class _Samples:
    """The schemas of one description."""

    schemas: Mapping[str, Any]

    def named(self, model: str, within: tuple[str, ...]) -> dict[str, Any]:
        return self._object(self.schemas[model], (*within, model))

    def _object(self, schema: Mapping[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        properties = schema.get("properties", {})
        return {name: self._value(name, properties[name], within) for name in schema.get("required", ())}

    def _value(self, name: str, schema: Mapping[str, Any], within: tuple[str, ...]) -> Any:
        if "$ref" in schema:
            return self.named(schema["$ref"].rpartition("/")[2], within)
        if "anyOf" in schema:
            return self._choice(name, schema["anyOf"], within)
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        kind, typical = str(schema.get("type")), TYPICAL.get(name)
        if schema.get("format") == "date-time":
            return MOMENT
        if kind == "array":
            return self._list(name, schema.get("items", {}), within)
        if kind == "string" and (name in PREFIXES or name == "id"):
            return f"{PREFIXES.get(within[-1] if name == 'id' else name, 'id')}_{ULID}"
        if type(typical) is KINDS.get(kind):
            return typical
        return {"string": name, "integer": 1, "number": 1.5, "boolean": False, "object": {}}.get(kind)

    def _choice(self, name: str, choices: Sequence[Mapping[str, Any]], within: tuple[str, ...]) -> Any:
        """Return the first choice, or null where it is one and nothing typical is there to say."""
        first = next(each for each in choices if each != {"type": "null"})
        shown = name in TYPICAL or name in PREFIXES or ("$ref" in first and len(within) == 1)
        return self._value(name, first, within) if shown or {"type": "null"} not in choices else None

    def _list(self, name: str, items: Mapping[str, Any], within: tuple[str, ...]) -> list[Any]:
        if items.get("$ref", "").rpartition("/")[2] in within:
            return []
        typical = TYPICAL.get(name)
        if isinstance(typical, list) and items.get("type") == "string":
            return typical
        return [self._value(name, items, within)]
