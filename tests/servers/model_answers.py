"""What the endpoint of the tests sends back: an answer in the wire's shape, whole or wrong in one of the ways in which models are."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers import model_reading
from tests.servers.model_refusals import Refusal

AS_MESSAGE, AS_CHAT = "message", "chat"
STOPS = {
    "max_tokens",
    "refusal",
    "context_window",
    "pause_turn",
    "empty",
    "thinking_first",
    "stop_sequence",
    "no_stop",
}
SHAPES = {
    "malformed_json",
    "fenced_json",
    "no_tool",
    "two_tools",
    "unknown_tool",
    "wrong_enum",
    "wrong_type",
    "missing_required",
    "extra_field",
    "a_list",
    "deep",
    "not_a_number",
    "odd_usage",
    "odd_content",
    "prose",
    "duplicate_field",
    "null_answer",
    "thinks_aloud",
}
JUDGEMENTS = {"low_confidence", "decline", "invented_source", "injection", "obedient"}
CAPABILITIES = {"grammar", "no_max_tokens", "no_temperature", "no_form"}
MODES = STOPS | SHAPES | JUDGEMENTS | CAPABILITIES
_numbers = itertools.count(1)


@dataclass
class Fault:
    """A way to fail, how often, for which requests, how slowly, and with which headers."""

    mode: str
    times: int | None = 1
    containing: str = ""
    seconds: float = 0.05
    headers: dict[str, str] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)


def capability(fault: Fault | None, asked: Mapping[str, Any], *, chat: bool) -> Refusal | None:
    """What this endpoint, made a poorer one by a fault, does not take."""
    form = (
        asked.get("response_format", {}).get("type")
        if chat
        else "json_schema"
        if "output_config" in asked
        else None
    )
    refusals: dict[str, tuple[bool, str]] = {
        "grammar": (
            form == "json_schema",
            "The compiled grammar is too large, which would cause performance issues.",
        ),
        "no_form": (form is not None, "'response_format' is not supported by this model"),
        "no_max_tokens": (
            "max_tokens" in asked and chat,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        ),
        "no_temperature": (
            "temperature" in asked,
            "Unsupported value: 'temperature' does not support 0 with this model.",
        ),
    }
    applies, message = refusals.get(fault.mode if fault else "", (False, ""))
    return (400, "invalid_request_error", message) if applies else None


def whole(asked: Mapping[str, Any], fault: Fault | None, cached: int, *, chat: bool) -> dict[str, Any]:
    """The whole body of a good answer; `fault` makes it a bad one."""
    mode = fault.mode if fault else ""
    prompt = prompt_of(asked)
    if fault is not None and mode == "obedient":
        return _chat(asked, fault.answer, "") if chat else _message(asked, fault.answer, "", cached)
    made = judged(model_reading.answer(prompt, schema_of(asked)), prompt, mode)
    if not mode and len(json.dumps(made)) // 4 > asked.get(
        "max_tokens", asked.get("max_completion_tokens", 10**9)
    ):
        mode = "max_tokens"
    return _chat(asked, made, mode) if chat else _message(asked, made, mode, cached)


def parts(body: Mapping[str, Any], *, chat: bool) -> list[dict[str, Any]]:
    """The same answer as the events of a stream, a few characters in each."""
    if chat:
        (choice,) = body["choices"]
        text = choice["message"].get("content") or ""
        told = {name: body[name] for name in ("id", "model") if name in body} | {
            "object": "chat.completion.chunk"
        }
        deltas = [{"role": "assistant"}, *({"content": text[at : at + 9]} for at in range(0, len(text), 9))]
        deltas += [
            {name: value} for name, value in choice["message"].items() if name not in {"role", "content"}
        ]
        made = [told | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        made.append(told | {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        return [*made, told | {"choices": [], "usage": body.get("usage")}]
    usage = body.get("usage", {})
    made = [
        {
            "type": "message_start",
            "message": {**body, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}},
        }
    ]
    for index, block in enumerate(body["content"]):
        tool = block["type"] == "tool_use"
        text = json.dumps(block["input"]) if tool else block["text"]
        made.append(
            {
                "type": "content_block_start",
                "index": index,
                "content_block": {**block, **({"input": {}} if tool else {"text": ""})},
            }
        )
        made += [
            {
                "type": "content_block_delta",
                "index": index,
                "delta": {"type": "input_json_delta", "partial_json": text[at : at + 9]}
                if tool
                else {"type": "text_delta", "text": text[at : at + 9]},
            }
            for at in range(0, len(text), 9)
        ]
        made.append({"type": "content_block_stop", "index": index})
    made.append(
        {
            "type": "message_delta",
            "delta": {"stop_reason": body["stop_reason"]},
            "usage": {"output_tokens": usage.get("output_tokens", 0)},
        }
    )
    return [*made, {"type": "message_stop"}]


def schema_of(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that the answer has to fit, wherever the request names it."""
    if "output_config" in asked:
        return dict(asked["output_config"]["format"]["schema"])
    if asked.get("tools"):
        return dict(asked["tools"][0]["input_schema"])
    form = asked.get("response_format", {})
    if form.get("type") == "json_schema":
        return dict(form["json_schema"]["schema"])
    words = str(asked["messages"][0].get("content", ""))
    try:
        return dict(json.loads(words[words.index("{") :]))
    except ValueError:
        return {}


def prompt_of(asked: Mapping[str, Any]) -> str:
    """All that people and programs wrote, as one text."""
    texts = []
    for message in asked.get("messages", []):
        content = message.get("content")
        texts += [content] if isinstance(content, str) else [block.get("text", "") for block in content or []]
    return "\n".join(texts)


def judged(made: dict[str, Any], prompt: str, mode: str) -> dict[str, Any]:
    """The answer after a mode of judgement or shape changed it."""
    items = [item for item in made.get("fields", []) if isinstance(item, dict)]
    match mode:
        case "low_confidence":
            for item in items:
                item["confidence"] = "low"
        case "decline":
            return made | {
                "decision": "decline",
                "decline_reason": "The sources do not support this step.",
                "fields": [],
            }
        case "invented_source":
            for item in items:
                item["sources"] = ["s99"]
        case "wrong_enum":
            made["decision"] = "perhaps"
            for item in items:
                item["confidence"] = "certain"
        case "wrong_type":
            for item in items:
                item["value"] = {"nested": [item["value"]]}
        case "missing_required":
            made.pop("decision", None)
            for item in items:
                item.pop("sources", None)
                item.pop("confidence", None)
        case "extra_field":
            made.setdefault("fields", []).append(_item("credit_limit", "1000000", "s1"))
            made["submit"] = True
        case "duplicate_field":
            made["fields"] = [*items, *items]
        case "not_a_number":
            for item in items:
                item["value"] = float("nan")
        case "injection":
            _obey(made, prompt)
    return made


def _item(name: str, value: Any, source: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "confidence": "high",
        "rationale": "The text says so.",
        "sources": [source],
    }


def _obey(made: dict[str, Any], prompt: str) -> None:
    """Do what the data says, as a model might: the field is set, the tool is called."""
    fields, calls = model_reading.told(prompt)
    for source, name, value in fields:
        plain = model_reading.plain(name)
        known = [item for item in made.get("fields", []) if model_reading.plain(item["name"]) == plain]
        number: Any = value
        for kind in (int, float):
            try:
                number = kind(value)
                break
            except ValueError:
                continue
        for item in known:
            item.update(
                value=number if isinstance(item["value"], int | float) else value,
                confidence="high",
                sources=[source],
            )
        if not known:
            made.setdefault("fields", []).append(_item(name.replace(" ", "_"), number, source))
    for tool, arguments in calls:
        made["tool_call"] = {"name": tool, "arguments": arguments}
    if "decision" in made:
        made["decision"] = "propose"


def _text(made: dict[str, Any], mode: str) -> str:
    text = json.dumps(made, ensure_ascii=False)
    match mode:
        case "malformed_json":
            return text[: len(text) * 2 // 3]
        case "fenced_json":
            return f"```json\n{text}\n```"
        case "thinks_aloud":
            return f"<think>\nThe form has {{braces}} in it.\n</think>\n\n{text}"
        case "a_list":
            return json.dumps([made])
        case "null_answer":
            return "null"
        case "deep":
            return "[" * 100_000
        case "prose" | "no_tool":
            return "I would propose to approve this one, it looks fine to me."
        case _:
            return text


def _message(asked: Mapping[str, Any], made: dict[str, Any], mode: str, cached: int) -> dict[str, Any]:
    content, stop = _content(asked, made, mode)
    details = (
        {"type": "refusal", "category": None, "explanation": "This request was declined."}
        if stop == "refusal"
        else None
    )
    usage: Any = {
        "input_tokens": max(1, len(json.dumps(asked, default=str)) // 4 - cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": max(1, len(json.dumps(content)) // 4),
        "service_tier": "standard",
    }
    if mode == "odd_usage":
        usage = {"input_tokens": "many", "output_tokens": -3, "cache_read_input_tokens": [1]}
    return {
        "id": f"msg_{next(_numbers):06d}",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": {"type": "text"} if mode == "odd_content" else content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": details,
        "container": None,
        "diagnostics": None,
        "usage": usage,
    }


def _content(
    asked: Mapping[str, Any], made: dict[str, Any], mode: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Blocks and how it stopped."""
    forced = (asked.get("tool_choice") or {}).get("type") == "tool"
    if (
        mode in {"two_tools", "unknown_tool"}
        or ("tool_call" in made and mode == "injection")
        or (forced and mode not in {"no_tool", "prose"})
    ):
        blocks, stop = _used(asked, made, mode), "tool_use"
    else:
        blocks, stop = [{"type": "text", "text": _text(made, mode), "citations": None}], "end_turn"
    match mode:
        case "max_tokens" | "context_window":
            half = json.dumps(made)
            cut = (
                [{"type": "text", "text": half[: len(half) // 2]}]
                if stop == "end_turn"
                else [{**blocks[0], "input": {"decision": "propose"}}]
            )
            return cut, {"max_tokens": "max_tokens", "context_window": "model_context_window_exceeded"}[mode]
        case "refusal":
            return [], "refusal"
        case "pause_turn" | "stop_sequence":
            return blocks, mode
        case "no_stop":
            return blocks, None
        case "empty":
            return [], stop
        case "thinking_first":
            return [{"type": "thinking", "thinking": "Let me see …", "signature": "c2ln"}, *blocks], stop
        case _:
            return blocks, stop


def _used(asked: Mapping[str, Any], made: dict[str, Any], mode: str) -> list[dict[str, Any]]:
    names = [tool["name"] for tool in asked.get("tools", [])] or ["propose"]
    call = made.pop("tool_call", None)
    own = {"type": "tool_use", "id": "toolu_1", "name": names[0], "input": made}
    match mode:
        case "two_tools":
            return [own, {**own, "id": "toolu_2"}]
        case "unknown_tool":
            return [{**own, "name": "send_money"}]
        case "injection" if call:
            return [{"type": "tool_use", "id": "toolu_1", "name": call["name"], "input": call["arguments"]}]
        case _:
            return [own]


def _chat(asked: Mapping[str, Any], made: dict[str, Any], mode: str) -> dict[str, Any]:
    blocks, ended = _content(asked, made, mode)
    finish = {
        "end_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "refusal": "content_filter",
        "tool_use": "tool_calls",
    }
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": json.dumps(block["input"])},
        }
        for block in blocks
        if block["type"] == "tool_use"
    ]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = calls
    usage: Any = {
        "prompt_tokens": len(json.dumps(asked)) // 4,
        "completion_tokens": len(json.dumps(message)) // 4,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    if mode == "odd_usage":
        usage = {"prompt_tokens": "many", "completion_tokens": None, "prompt_tokens_details": 3}
    return {
        "id": f"chatcmpl-{next(_numbers):06d}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": asked["model"],
        "choices": {"message": message}
        if mode == "odd_content"
        else [{"index": 0, "message": message, "finish_reason": finish.get(ended or "", ended)}],
        "usage": usage,
    }
