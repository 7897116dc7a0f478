"""The body of a delivery as objects: a JSON object is one, a list of objects several, a form one object of its fields."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from console.core.errors import Malformed
from console.core.signatures import MOST_FIELDS
from console.formats import json_in, object_in

FORM = "application/x-www-form-urlencoded"
MOST = 500
"""Objects of one delivery: each starts a run before it is answered."""
PAYLOAD = "payload"
"""The one field of a form in which GitHub and Slack send JSON."""


def objects_in(
    raw: bytes, *, form: bool, fields: bool = True, as_json: bool = True
) -> tuple[Sequence[dict[str, Any]], bool]:
    """(the objects, whether they came as a list). Raises Malformed for what is none.

    `fields`: a form is its fields; else only the JSON in its one field `payload` is taken. `as_json`: JSON that was sent as a form is read as JSON.
    """
    if form and not (
        as_json and _is_json(raw)
    ):  # as curl and small programs send JSON that say nothing of its kind
        return [_of_form(raw, fields=fields)], False
    if not raw.strip():
        raise Malformed("The body is empty: send a JSON object. Nothing was started.")
    sent = json_in(raw)
    listed = sent if isinstance(sent, list) else [sent]
    if not listed or not all(isinstance(each, dict) for each in listed):
        raise Malformed("The body is not a JSON object.")
    if len(listed) > MOST:
        raise Malformed(
            f"The body is a list of {len(listed):,} objects: send at most {MOST} at once. Nothing was started."
        )
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
    """One object of a list as bytes by which it is known again."""
    return json.dumps(each, sort_keys=True, default=str).encode("utf-8", "surrogatepass")


def _of_form(raw: bytes, *, fields: bool) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Malformed(f"The body is no form in UTF-8 of at most {MOST_FIELDS:,} fields.") from None
    if [name for name, _ in pairs] == [PAYLOAD] and pairs[0][1].startswith("{"):
        return object_in(pairs[0][1].encode("utf-8", "surrogatepass"))
    if not fields:
        raise Malformed(
            "A form signed like this cannot be read, but for JSON in its one field payload: let the sender send JSON."
        )
    if any("\x00" in name for name, _ in pairs):
        raise Malformed("A name in the body has a NUL character, which cannot be stored: remove it.")
    names = dict.fromkeys(name for name, _ in pairs)
    told = {name: [value for other, value in pairs if other == name] for name in names}
    return {name: values[0] if len(values) == 1 else values for name, values in told.items()}
