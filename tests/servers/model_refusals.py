"""What a real model's service refuses to take, in its manner. The words are ours where the service's own are not known."""

from collections.abc import Iterator, Mapping
from typing import Any

Refusal = tuple[int, str, str]
"""Status, type of the error, message."""

TAKEN = {
    "max_tokens",
    "messages",
    "model",
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "metadata",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "thinking",
    "thread",
    "tool_choice",
    "tools",
}
UNSUPPORTED = {
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "maxItems",
    "uniqueItems",
    "patternProperties",
    "if",
    "then",
    "else",
    "not",
    "oneOf",
}
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
MOST_UNIONS, MOST_OPTIONAL = 16, 24
CHAT_TAKEN = {
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "temperature",
    "top_p",
    "user",
    "stream",
    "stop",
    "seed",
    "n",
    "tools",
    "tool_choice",
    "metadata",
    "stream_options",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
}


def of_message(asked: Any) -> Refusal | None:
    """Why a request of Messages is refused, None where it is taken."""
    if not isinstance(asked, dict):
        return _invalid("The request body is not a JSON object.")
    for name in ("model", "max_tokens", "messages"):
        if name not in asked:
            return _invalid(f"{name}: Field required")
    if unknown := sorted(set(asked) - TAKEN):
        return _invalid(f"{unknown[0]}: Extra inputs are not permitted")
    if (
        not isinstance(asked["max_tokens"], int)
        or isinstance(asked["max_tokens"], bool)
        or asked["max_tokens"] < 0
    ):
        return _invalid("max_tokens: Input should be a valid integer")
    return _messages(asked["messages"]) or _form(asked) or _tools(asked)


def of_chat(asked: Any) -> Refusal | None:
    """Why a request of chat/completions is refused, None where it is taken."""
    if (
        not isinstance(asked, dict)
        or not isinstance(asked.get("messages"), list)
        or not asked["messages"]
        or not asked.get("model")
    ):
        return _invalid("'model' and 'messages' are required")
    if unknown := sorted(set(asked) - CHAT_TAKEN):
        return _invalid(f"Unrecognized request argument supplied: {unknown[0]}")
    form = asked.get("response_format") or {}
    if form.get("type") == "json_object" and "json" not in str(asked["messages"]).lower():
        return _invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
    if (
        form.get("type") == "json_schema"
        and form["json_schema"].get("strict")
        and (reason := unfit(form["json_schema"].get("schema")))
    ):
        return _invalid(f"Invalid schema for response_format '{form['json_schema'].get('name')}': {reason}")
    return None


def _messages(messages: Any) -> Refusal | None:
    if not isinstance(messages, list) or not messages:
        return _invalid("messages: at least one message is required")
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in {"user", "assistant", "system"}:
            return _invalid(f"messages.{at}.role: Input should be 'user', 'assistant' or 'system'")
        if not message.get("content"):
            return _invalid(f"messages.{at}: content must be non-empty")
    if messages[-1]["role"] == "assistant":
        return _invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    return None


def _form(asked: Mapping[str, Any]) -> Refusal | None:
    form = (asked.get("output_config") or {}).get("format")
    if form is None:
        return None
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return _invalid("output_config.format.type: Input should be 'json_schema'")
    reason = unfit(form.get("schema"))
    return _invalid(f"output_config.format.schema: {reason}") if reason else None


def _tools(asked: Mapping[str, Any]) -> Refusal | None:
    names = [tool.get("name") for tool in asked.get("tools", [])]
    for at, tool in enumerate(asked.get("tools", [])):
        if not isinstance(tool.get("input_schema"), dict) or tool["input_schema"].get("type") != "object":
            return _invalid(f"tools.{at}.custom.input_schema.type: Field required")
        if tool.get("strict") and (reason := unfit(tool["input_schema"])):
            return _invalid(f"tools.{at}.custom.input_schema: {reason}")
    choice = asked.get("tool_choice") or {}
    if choice.get("type") == "tool":
        if choice.get("name") not in names:
            return _invalid(f"Tool '{choice.get('name')}' not found in provided tools")
        if (asked.get("thinking") or {}).get("type") in {"adaptive", "enabled"}:
            return _invalid("Thinking may not be enabled when tool_choice forces tool use.")
    return None


def unfit(schema: Any) -> str | None:
    """Why a schema cannot be made a grammar, None where it can."""
    if not isinstance(schema, dict):
        return "Input should be an object"
    parts = list(_parts(schema))
    for part in parts:
        if reason := _unfit_part(part):
            return reason
    unions = sum(1 for part in parts if "anyOf" in part or isinstance(part.get("type"), list))
    if unions > MOST_UNIONS:
        return f"Schemas contains too many parameters with union types ({unions} parameters with type arrays or anyOf). Limit: {MOST_UNIONS}"
    optional = sum(len(set(part.get("properties", {})) - set(part.get("required", []))) for part in parts)
    if optional > MOST_OPTIONAL:
        return f"Schemas contains too many optional parameters ({optional}). Limit: {MOST_OPTIONAL}"
    return None


def _unfit_part(part: Mapping[str, Any]) -> str | None:
    if "$ref" in part and str(part["$ref"]) == "#":
        return "Recursive schemas are not supported"
    if found := sorted(UNSUPPORTED & set(part)):
        return f"For '{part.get('type')}' type, property '{found[0]}' is not supported"
    if part.get("type") == "object" and part.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if part.get("minItems", 0) not in {0, 1}:
        return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if part.get("type") == "string" and "format" in part and part["format"] not in FORMATS:
        return f"For 'string' type, format '{part['format']}' is not supported"
    if any(isinstance(value, dict | list) for value in [*part.get("enum", []), part.get("const")]):
        return "Enum and const values must be scalars"
    return None


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    inner = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("anyOf", []),
        *schema.get("allOf", []),
    ]
    if isinstance(schema.get("items"), dict):
        inner.append(schema["items"])
    for part in inner:
        if isinstance(part, dict):
            yield from _parts(part)


def _invalid(message: str) -> Refusal:
    return 400, "invalid_request_error", message
