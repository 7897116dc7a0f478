"""The pages of reference of connectors, made from their files: `bin/fix` writes them, and tests say when it is due."""

from collections.abc import Iterator, Mapping
from typing import Any

from console.core.connectors import CONNECTORS, Connector, Operation
from console.core.mcp_tools import properties, required

WAYS = {
    "key": "a key",
    "basic": "a user and a password",
    "oauth": "OAuth 2 client credentials",
}


def pages() -> dict[str, str]:
    """Name of the file in docs/reference/connectors → its text."""
    made = {f"{name}.md": "\n".join(_page(each)) + "\n" for name, each in CONNECTORS.items()}
    return {**made, "README.md": "\n".join(_list()) + "\n"}


def _list() -> Iterator[str]:
    yield from ("# Connectors", "", "Written by `bin/fix` from the files in `console/core/connectors/`.", "")
    yield "An administrator adds a connection under *Settings, Developers, Connections*, with the address and the credentials; **Test** asks for something that changes nothing. A step of type [action](../steps.md#action) and an effect of an [action file](../action-file.md#effects) name connector and operation."
    yield from ("", "| connector | for |", "| --- | --- |")
    yield from (f"| [{each.title}]({name}.md) | {each.text} |" for name, each in CONNECTORS.items())
    yield from ("", "[Add a connector](../../developers/add-a-connector.md) of your own.")


def _page(connector: Connector) -> Iterator[str]:
    yield from (
        f"# {connector.title}",
        "",
        f"Written by `bin/fix` from `console/core/connectors/{connector.id}.toml`.",
    )
    yield from ("", f"{connector.text} The calls are those of <{connector.manual}>.", "")
    yield from ("| connection | |", "| --- | --- |")
    place = f"`{connector.address}`" if connector.fixed else f"such as `{connector.address}`"
    yield f"| Address | {place} |"
    yield f"| Sign-in | {', or '.join(WAYS[each] for each in connector.auth)} |"
    yield f"| Key | {connector.secret} |"
    if connector.user:
        yield f"| User | {connector.user} |"
    told = f"`GET {connector.test.path}`" if connector.test else "the address, and with OAuth 2 a token"
    yield f"| Test | {told} |"
    for name, operation in connector.operations.items():
        yield from _operation(connector.id, name, operation)


def _operation(connector: str, name: str, operation: Operation) -> Iterator[str]:
    path = operation.path or "path` of the step or effect`"
    method = operation.request.get("method", "POST")
    yield from ("", f"## {operation.title}", "", f"`{name}`, as `{method} {path}`".replace("``", ""), "")
    yield operation.consequence
    fields = properties(operation.form)
    if fields:
        yield from ("", "| field | takes | meaning |", "| --- | --- | --- |")
        yield from (_field(each, schema, each in required(operation.form)) for each, schema in fields.items())
    if operation.result:
        yield from ("", "| result | meaning |", "| --- | --- |")
        yield from (f"| `{each}` | {value.means} |" for each, value in operation.result.items())
    else:
        yield from ("", "The result is the whole answer.")
    if not operation.reads:
        yield from ("", _unknown(operation.request))


def _field(name: str, schema: Mapping[str, Any], needed: bool) -> str:
    choices = ", ".join(f"`{each}`" for each in schema.get("enum", ()))
    takes = choices or str(schema.get("type"))
    words = schema.get("description") or schema.get("title") or ""
    return f"| `{name}` | {takes} | {words}{' (required)' if needed else ''} |"


def _unknown(request: Mapping[str, Any]) -> str:
    if request.get("idempotent"):
        header = request.get("key_header", "Idempotency-Key")
        found = " It can be looked up by the key." if "look_up" in request else ""
        return f"Where no answer came it is sent once more under the same `{header}`.{found}"
    if "look_up" in request:
        return "Where no answer came a person is asked; **Check again** looks it up by the key."
    return "Where no answer came a person is asked what happened."
