"""The body of a delivery as objects: a JSON object is one, a list of objects several (as HubSpot and SendGrid send events), a form one object of its fields."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from console.automation.sender_signatures import GITHUB, MOST_FIELDS, SLACK, TWILIO
from console.errors import Malformed
from console.formats import json_in, object_in

FORM = "application/x-www-form-urlencoded"
MOST = 500
"""Objects of one delivery: each starts a run before it is answered."""
PAYLOAD = "payload"
"""The one field of a form in which GitHub and Slack send JSON."""

RAW_REQUEST = "rawRequest"
"""The field in which Jotform sends the answers as JSON, beside what it says of them."""


def objects_in(raw: bytes, *, form: bool, signed_by: str | None = None) -> tuple[Sequence[dict[str, Any]], bool]:
    """(the objects, whether they came as a list; none of a list without any, which is signed). Raises Malformed for what is none. `signed_by` is the header of the sender's signature, None for a key or Standard Webhooks."""
    if form and (signed_by == TWILIO or not _is_json(raw)):  # as curl and small programs send JSON that say nothing of its kind
        return [_of_form(raw, signed_by)], False
    if signed_by == TWILIO:
        raise Malformed(
            "What Twilio sends is no form, and bodySHA256 is missing in the address, by which its JSON is signed. Nothing was started."
        )
    if not raw.strip():
        raise Malformed("The body is empty: send a JSON object. Nothing was started.")
    sent = json_in(raw)
    listed = sent if isinstance(sent, list) else [sent]
    if (not listed and signed_by is None) or not all(isinstance(each, dict) for each in listed):
        raise Malformed("The body is not a JSON object.")
    if len(listed) > MOST:
        raise Malformed(f"The body is a list of {len(listed):,} objects: send at most {MOST} at once. Nothing was started.")
    return listed, isinstance(sent, list)


def _is_json(raw: bytes) -> bool:
    """Whether a body is JSON, though it was sent as a form."""
    if raw.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def spelled(each: Mapping[str, Any]) -> bytes:
    """One object of a list as bytes by which it is known again: without the number of times that it was sent."""
    return json.dumps({name: value for name, value in each.items() if name != "attemptNumber"}, sort_keys=True, default=str).encode(
        "utf-8", "surrogatepass"
    )


def _of_form(raw: bytes, signed_by: str | None) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Malformed(f"The body is no form in UTF-8 of at most {MOST_FIELDS:,} fields.") from None
    if [name for name, _ in pairs] == [PAYLOAD] and pairs[0][1].startswith("{"):
        return object_in(pairs[0][1].encode("utf-8", "surrogatepass"))
    if signed_by not in (None, SLACK, TWILIO):
        raise Malformed(
            "A form signed like this cannot be read: let the sender send JSON."
            if signed_by != GITHUB
            else "Of GitHub a form has one field, payload."
        )
    if any("\x00" in name for name, _ in pairs):
        raise Malformed("A name in the body has a NUL character, which cannot be stored: remove it.")
    names = dict.fromkeys(name for name, _ in pairs)
    told = {name: [value for other, value in pairs if other == name] for name in names}
    fields: dict[str, Any] = {name: values[0] if len(values) == 1 else values for name, values in told.items()}
    if isinstance(raw_request := fields.get(RAW_REQUEST), str) and raw_request.startswith("{"):
        fields[RAW_REQUEST] = object_in(raw_request.encode("utf-8", "surrogatepass"))
    return fields
