"""Ask another system over HTTP: a connection, or one that `CONSOLE_HTTP_TARGETS` names, under the address that stands there.

Values never choose where a request goes: each is one piece of the path, percent-encoded, or one of the query, the body or a header, and is refused where it
could be more. No answer after the request has left is unknown, and is not asked again unless the action says that the target takes a key twice as one.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from console import connectors
from console.connectors import Connection
from console.core import expressions
from console.core.effect_kinds import Http
from console.core.errors import IntegrationError, Invalid, OutcomeUnknown
from console.infra import settings
from console.infra.outbound import http_requests, net, outgoing_secrets, retry_after
from console.steps.effects.effect_call import Call, TryResult

TRIES = 2
PAUSE_S = 0.5
MOST_SHOWN = 2_000
LONGEST_LIST = 1024 * 1024
"""Bytes of the answer to a look-up."""
SERVER_ERRORS = 500
REFUSED, UNREADABLE = "refused", "unreadable"
LOOK_THERE = "Nobody can tell whether it was done. Look there for the key, then say what you found."


@dataclass(frozen=True, slots=True)
class Sending:
    """A request, ready to be sent. `shown` is what a person may see of it: everything but the secret."""

    method: net.Method
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    shown: Mapping[str, Any]
    secret: str | None = None
    connection: Connection | None = None

    def send(self, read_s: float, most_bytes: int = net.MOST_BYTES) -> net.Answer:
        """The answer, without the secret where the other system repeats it. Raises IntegrationError, OutcomeUnknown."""
        if self.connection is not None:
            return connectors.send(
                self.connection,
                self.method,
                self.url,
                self.body,
                self.headers,
                read_s=read_s,
                most_bytes=most_bytes,
            )
        answer = net.send(
            self.method, self.url, self.body, self.headers, read_s=read_s, most_bytes=most_bytes
        )
        return replace(answer, body=http_requests.without_secret(answer.body, self.secret))


def perform(call: Call) -> TryResult:
    """Send the request. If an earlier try may have done it, look first; if the action is idempotent, send again with the same key after no answer."""
    if call.unsure and (before := _find_earlier(call)) is not None:
        return before
    sending = _request_of_effect(call)
    for number in range(TRIES):
        result = _send_once(call, sending)
        if not (result.status == "unknown" and call.define.idempotent) or number + 1 == TRIES:
            break
        time.sleep(PAUSE_S)
    if result.status == "unknown" and call.define.method == "GET":  # to have asked changes nothing
        words = result.message.removesuffix(LOOK_THERE).strip() if result.code == UNREADABLE else ""
        return replace(
            result,
            status="failed",
            passing=True,
            message=words or f"{_named(call.define.system)} gave no answer that could be used.",
        )
    return _refused_or_unknown(call, result) if result.code == REFUSED else result


def _find_earlier(call: Call) -> TryResult | None:
    """The result of an earlier try, if the look-up finds it; None if it was not done, or if the other system has no look-up."""
    try:
        looked_up = check(call)
    except (IntegrationError, OutcomeUnknown) as error:
        passing = isinstance(error, OutcomeUnknown) or not error.permanent
        return TryResult("failed", error.code, error.message, passing=True, unsure=True) if passing else None
    return looked_up if looked_up is not None and looked_up.status == "succeeded" else None


def _refused_or_unknown(call: Call, refused: TryResult) -> TryResult:
    """The refusal; unknown instead if the look-up finds the effect all the same, or cannot answer now."""
    looked_up = _find_earlier(call)
    if looked_up is None:
        return refused
    contradiction = (
        "lists it all the same"
        if looked_up.status == "succeeded"
        else "does not say whether it was done all the same"
    )
    return TryResult(
        "unknown",
        "contradiction",
        f"{_named(call.define.system)} refused it ({refused.message.rstrip('.')}), and {contradiction}.",
        sent=refused.sent,
    )


def recover(call: Call) -> TryResult:
    """The result after a crash: by the look-up, or by another try with the same key where the action is idempotent. Else unknown."""
    if call.define.idempotent or call.define.method == "GET":
        return perform(call)
    sent = _request_of_effect(call).shown
    asked = f"{_named(call.define.system)} was being asked when the console was interrupted."
    unsure = TryResult("unknown", "interrupted", f"{asked} {LOOK_THERE}", sent=sent)
    if call.define.look_up is None:
        return unsure
    try:
        looked_up = check(call)
    except (IntegrationError, OutcomeUnknown):
        return unsure
    return looked_up if looked_up is not None and looked_up.status == "succeeded" else unsure


def check(call: Call) -> TryResult | None:
    """The result that the look-up finds; None if the definition has none. Raises IntegrationError or OutcomeUnknown if there is no clear answer."""
    rule = call.define.look_up
    if rule is None:
        return None
    define: Http = call.define.model_copy(
        update={"method": "GET", "path": rule.path, "query": rule.query, "body": None}
    )
    request = _request(call, define)
    answer = request.send(define.timeout_s, LONGEST_LIST)
    if not answer.good:
        raise IntegrationError(
            f"{_named(define.system)} answered the look-up with status {answer.status}.",
            permanent=answer.permanent,
        )
    said = http_requests.json_of(answer.body)
    for item in _listed_entries(call, said):
        if _holds(call, rule.where, answer=said, item=item):
            if rule.expect is not None and not _holds(call, rule.expect, answer=said, item=item):
                raise IntegrationError(
                    f"{_named(define.system)} lists it with other values than were asked for.",
                    code="contradiction",
                )
            return TryResult(
                "succeeded", values=call.values(rule.result, answer=said, item=item), sent=request.shown
            )
    if rule.more is not None and _holds(call, rule.more, answer=said):
        raise IntegrationError(f"{_named(define.system)} did not list everything.", code="not_whole")
    return TryResult(
        "failed", "not_found", f"{_named(define.system)} knows of no such request.", sent=request.shown
    )


def _listed_entries(call: Call, answer_json: Any) -> list[Any]:
    """The entries of the look-up's answer. Raises IntegrationError for an answer without a list: it proves nothing."""
    within = call.define.look_up.within
    listed = call.value(within, answer=answer_json) if within else [answer_json]
    if answer_json is None or not isinstance(listed, list):
        raise IntegrationError(
            f"{_named(call.define.system)} answered the look-up with something that is no list.",
            code="unreadable",
        )
    return listed


def _holds(call: Call, expression: str, **more: Any) -> bool:
    return expressions.parse(expression).test({**call.roots, **more})


def _send_once(call: Call, sending: Sending) -> TryResult:
    define: Http = call.define
    try:
        answer = sending.send(define.timeout_s)
    except OutcomeUnknown:
        return TryResult(
            "unknown",
            "no_answer",
            f"{_named(define.system)} did not answer. {LOOK_THERE}",
            sent=sending.shown,
        )
    except IntegrationError as error:
        return TryResult("failed", error.code, error.message, sent=sending.shown, passing=not error.permanent)
    body = answer.body
    answer_json = http_requests.json_of(body)
    sent = {
        **sending.shown,
        "status": answer.status,
        "answer": body[:MOST_SHOWN].decode("utf-8", "replace").replace("\x00", ""),
    }
    if answer.good and not define.success and _is_unasked_page(body, sending):
        words = f"{_named(define.system)} answered with a web page in place of data, such as one to sign in or of a proxy. See whether the address is right."
        return TryResult("unknown", UNREADABLE, f"{words} {LOOK_THERE}", sent=sent)
    good = answer.status in define.success if define.success else answer.good
    refused = good and define.refused_if is not None and _holds(call, define.refused_if, answer=answer_json)
    if good and not refused:
        return _result_of_success(call, answer_json, sent)
    if answer.status in define.again:
        return _busy(define, answer, sent)
    if answer.permanent or refused:
        message = _refusal(call, answer_json, answer.status)
        return TryResult(
            "failed",
            REFUSED,
            message,
            errors=[{"field": _field_of(call, answer_json), "reason": message}],
            sent=sent,
        )
    return TryResult(
        "unknown",
        f"status_{answer.status}",
        f"{_named(define.system)} answered with status {answer.status}. {LOOK_THERE}",
        sent=sent,
    )


def _is_unasked_page(body: bytes, sending: Sending) -> bool:
    """Whether a web page came where the request did not ask for one by its header Accept: whoever stands before the other system says yes to everything."""
    wanted = any(
        "html" in value or value.strip() == "*/*"
        for name, value in sending.headers.items()
        if name.lower() == "accept"
    )
    return http_requests.is_page(body) and not wanted


def _result_of_success(call: Call, answer_json: Any, sent: Mapping[str, Any]) -> TryResult:
    """Succeeded; unknown if the answer cannot be read although values are needed, or if it is about something else than was asked for."""
    define: Http = call.define
    if answer_json is None and (define.result or define.expect is not None):
        return TryResult(
            "unknown",
            UNREADABLE,
            f"{_named(define.system)} gave an answer that cannot be read. {LOOK_THERE}",
            sent=sent,
        )
    if define.expect is not None and not _holds(call, define.expect, answer=answer_json):
        message = f"{_named(define.system)} said yes to something else than was asked for. {LOOK_THERE}"
        return TryResult("unknown", "contradiction", message, sent=sent)
    if call.effect.request.get("answer") == "whole":
        return TryResult("succeeded", values=_whole_answer(answer_json, sent), sent=sent)
    return TryResult("succeeded", values=call.values(define.result, answer=answer_json), sent=sent)


def _whole_answer(answer_json: Any, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as later steps find it: the object that came back; of anything else `answer`, and of what is no JSON its beginning as `text`."""
    if isinstance(answer_json, dict):
        return answer_json
    return {"answer": answer_json} if answer_json is not None else {"text": sent["answer"]}


def _busy(define: Http, answer: net.Answer, sent: Mapping[str, Any]) -> TryResult:
    """The other system is busy. With status 429 nothing was done; after a server error the next try looks first."""
    minutes = (
        math.ceil((answer.wait_s or 0.0) / 60)
        if (answer.wait_s or 0.0) < retry_after.LONGEST.total_seconds()
        else 0
    )
    again = f"It asks for {minutes} minutes of patience." if minutes > 1 else "Try again in a moment."
    message = f"{_named(define.system)} is busy (status {answer.status}); nothing was done. {again}"
    unsure = answer.status >= SERVER_ERRORS and define.look_up is not None
    return TryResult("failed", "busy", message, sent=sent, passing=True, unsure=unsure, wait_s=answer.wait_s)


def _named(system: str) -> str:
    """The other system, at the beginning of a sentence."""
    return system[:1].upper() + system[1:]


def _refusal(call: Call, answer_json: Any, status: int) -> str:
    """Why the other system refused, as short text."""
    if call.define.refused is not None:
        reason = expressions.render(call.define.refused, {**call.roots, "answer": answer_json}).strip()
    else:
        error = answer_json.get("error", answer_json) if isinstance(answer_json, dict) else answer_json
        reason = (
            str(error.get("message", ""))
            if isinstance(error, dict)
            else error
            if isinstance(error, str)
            else ""
        )
    reason = " ".join(reason.split())[:300]
    return reason or f"{_named(call.define.system)} refused it (status {status})."


def _field_of(call: Call, answer_json: Any) -> str:
    """The field of the form that the refusal names; empty if it names none."""
    error = answer_json.get("error", {}) if isinstance(answer_json, dict) else {}
    named = error.get("param") or error.get("field") if isinstance(error, dict) else None
    return named if isinstance(named, str) and named in call.roots["input"] else ""


def _request_of_effect(call: Call) -> Sending:
    return _request(call, call.define)


def _request(call: Call, define: Http) -> Sending:
    """The request with its values filled in. Raises IntegrationError for a target or secret that no setting names, Invalid for a value that does not fit."""
    connection = None if define.connection is None else connectors.find_connection(define.connection)
    base = _base(define) if connection is None else str(connection.url).rstrip("/")
    query = {
        name: http_requests.text_of(value, f"query.{name}")
        for name, value in call.values(define.query).items()
        if value is not None
    }
    path = http_requests.fill_address(define.place, call.roots)
    url = base + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    body, kind = _body(call, define)
    headers = {"Accept": "application/json", **({"Content-Type": kind} if kind else {})}
    headers |= {
        name: http_requests.header(name, value)
        for name, value in call.values(define.headers).items()
        if value is not None
    }
    if define.method != "GET":
        headers[define.key_header] = http_requests.header(define.key_header, call.key)
    shown = {
        "target": define.system,
        "method": define.method,
        "path": path,
        "query": query,
        "key": call.key,
        "body": (body or b"").decode()[:MOST_SHOWN],
    }
    secret = None
    if define.secret is not None:
        secret = outgoing_secrets.for_address(define.secret, base)
        headers |= http_requests.credentials(secret, define.secret_header)
    told = {name: value for name, value in shown.items() if value}
    return Sending(define.method, url, body, headers, told, secret, connection)


def _base(define: Http) -> str:
    """The fixed beginning of the address. Raises IntegrationError for a target that no setting names."""
    if define.target is None:
        return define.origin or ""
    base = settings.current().http_targets.get(define.target)
    if base is None:
        raise IntegrationError(
            f"CONSOLE_HTTP_TARGETS names no target {define.target}: tell who runs the console.",
            permanent=True,
            code="no_target",
        )
    return base


def _body(call: Call, define: Http) -> tuple[bytes | None, str]:
    """(body, its media type); (None, "") without a body. Sorted by name, so that every try of one effect sends the same bytes under its key."""
    if define.body is None:
        return None, ""
    if isinstance(define.body, str):
        return json.dumps(
            call.value(define.body), ensure_ascii=False, separators=(",", ":"), sort_keys=True
        ).encode(), "application/json"
    values = {name: value for name, value in sorted(call.values(define.body).items()) if value is not None}
    made = nested(values)
    if define.encoding == "form":
        return urlencode(dict(_flat(made))).encode(), "application/x-www-form-urlencoded"
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode(), "application/json"


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values by name, in the order of names; a dot in a name makes an object inside, numbers from 0 after it a list."""
    made: dict[str, Any] = {}
    for name, value in sorted(values.items()):
        *above, last = name.split(".")
        place = made
        for part in above:
            if not isinstance(found := place.setdefault(part, {}), dict):
                raise Invalid(
                    "A value does not fit.", at=(name, f"{part} is no object that {last} could stand in.")
                )
            place = found
        place[last] = {**value} if isinstance(value, dict) else value
    return {name: _listed(value) for name, value in made.items()}


def _listed(value: Any) -> Any:
    """The value with a list for each object whose names are the numbers from 0."""
    if not isinstance(value, dict):
        return value
    parts = {name: _listed(each) for name, each in value.items()}
    numbered = parts and all(str(place) in parts for place in range(len(parts)))
    return [parts[str(place)] for place in range(len(parts))] if numbered else parts


def _flat(values: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Values as forms write them: `order` of `metadata` as `metadata[order]`. What is null is left out."""
    for name, value in values.items():
        full = f"{within}[{name}]" if within else name
        if isinstance(value, dict):
            yield from _flat(value, full)
        elif value is not None:
            yield full, http_requests.text_of(value, f"body.{full}")
