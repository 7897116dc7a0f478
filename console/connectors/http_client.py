"""Requests to the system of a connection, over the one way out, with the credentials of the connection."""

from collections.abc import Mapping
from dataclasses import replace

from console.connectors import credentials
from console.connectors.connections import Connection
from console.core import expressions
from console.core.connectors import CONNECTORS
from console.core.errors import IntegrationError, OutcomeUnknown
from console.core.plain_words import one_line
from console.infra.outbound import http_requests, net

UNAUTHORISED = 401


def send(
    connection: Connection,
    method: net.Method,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    read_s: float = net.READ_S,
    most_bytes: int = net.MOST_BYTES,
) -> net.Answer:
    """The answer to one request, without our secrets where it repeats them. A token that was refused is renewed once, for nothing was done then.

    Raises IntegrationError, OutcomeUnknown as `net.send` does.
    """
    for renewed in (False, True):
        shown, secrets = credentials.shown(connection, renewed=renewed)
        answer = net.send(method, url, body, {**headers, **shown}, read_s=read_s, most_bytes=most_bytes)
        if answer.status != UNAUTHORISED or connection.auth.get("kind") != "oauth":
            break
    return replace(answer, body=http_requests.without_secrets(answer.body, secrets))


def test(connection: Connection) -> str:
    """What is wrong with the connection by the test call of its connector; empty where it answers as it should."""
    connector = CONNECTORS.get(connection.kind)
    if connector is None:
        return f"There is no connector {connection.kind} any more."
    call = connector.test
    try:
        if call is None:
            net.judge(connection.url or "")
            credentials.shown(connection, renewed=True)
            return ""
        answer = send(connection, "GET", f"{connection.url}{call.path}", None, {"Accept": "application/json"})
    except (IntegrationError, OutcomeUnknown) as error:
        return error.message
    told = {"answer": http_requests.json_of(answer.body)}
    if answer.status in (UNAUTHORISED, 403):
        return f"{connector.title} refuses the credentials (status {answer.status})."
    if not answer.good:
        return f"{connector.title} answered with status {answer.status}: see whether the address is right."
    if call.expect is not None and not expressions.parse(call.expect).test(told):
        said = one_line(answer.body[:200].decode("utf-8", "replace"), 200)
        return f"{connector.title} does not answer as it should: {said}"
    return ""
