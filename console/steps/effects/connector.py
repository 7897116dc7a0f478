"""Have a connector do one of its operations: as the effect `http` that its file describes, with everything that holds for that one.

In the sandbox (CONSOLE_SANDBOX) what would change something on the public internet is not sent: its result is the example of the file.
"""

from dataclasses import replace
from typing import Any

from console import connectors
from console.core.effect_kinds import Connector
from console.core.errors import Invalid
from console.core.mcp_tools import properties
from console.formats import schema_fields
from console.infra.outbound.http_requests import fill_address
from console.steps.effects import http
from console.steps.effects.effect_call import Call, TryResult, not_really_asked


def perform(call: Call) -> TryResult:
    """Do it. Raises IntegrationError where nothing was done, such as for a connection that is gone, Invalid for a field that does not fit."""
    made = _as_http(call)
    if not _held(made, call.define):
        return http.perform(made)
    return not_really_asked(call, call.define.does.simulated(made.roots["input"], made.key), _sent(made))


def recover(call: Call) -> TryResult:
    """The result after a crash, as of a request over HTTP; unknown where the sandbox is on by now: it may have been off."""
    made = _as_http(call)
    if not _held(made, call.define):
        return http.recover(made)
    return not_really_asked(replace(call, unsure=True), {}, _sent(made))


def check(call: Call) -> TryResult | None:
    """The result that the operation's look-up finds; None if it has none."""
    return http.check(_as_http(call))


def _held(made: Call, define: Connector) -> bool:
    connection = connectors.find_connection(made.define.connection)
    return connectors.held_in_sandbox(connection, reads=define.does.reads)


def _sent(made: Call) -> dict[str, Any]:
    return {"target": made.define.system, "method": made.define.method}


def _as_http(call: Call) -> Call:
    define: Connector = call.define
    made, schema = define.http, define.does.form
    connectors.find_connection(made.connection or "", define.connector)
    given = schema_fields.arguments(schema, http.nested(call.values(define.values)))
    if details := schema_fields.errors(schema, given):
        raise Invalid(f"{define.goes_to} does not take this: {details[0]['reason']}", details=details)
    if define.path is not None:
        made = made.model_copy(update={"path": fill_address(define.path, call.roots)})
    roots: dict[str, Any] = {**call.roots, "input": dict.fromkeys(properties(schema)) | given}
    effect = call.effect
    if not define.does.result:
        effect = replace(effect, request={**effect.request, "answer": "whole"})
    return replace(call, define=made, roots=roots, effect=effect)
