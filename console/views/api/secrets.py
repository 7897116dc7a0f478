"""Secrets for other systems as JSON: set and removed, and never read."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.actions import secret_settings
from console.actions.secret_settings import SecretLine
from console.core.errors import Invalid, NotFound
from console.log import body as canonical
from console.views.api.operation import Example, Paged, Sent, operation, page_of, read
from console.views.api.shapes import Listed, OutgoingSecret

blueprint = Blueprint("api_secrets", __name__, url_prefix="/api/v1/secrets")

BANK = {"secret": "bank"}
FIELDS = {"text": "value", "name": "secret"}
"""Fields of the page, as the call names them."""


class NewSecret(Sent):
    """A secret and where it may go. `value` is left out to keep it and only take hosts away."""

    value: str | None = Field(
        None, description="8 to 4,000 plain characters without blanks; no call returns it"
    )
    hosts: list[str] = Field(
        description="Hosts such as api.bank.example, with a port where it is another than the usual one"
    )


def _shown(line: SecretLine) -> dict[str, Any]:
    secret = line.secret
    return {
        "name": secret.name,
        "hosts": list(secret.hosts),
        "kept": secret.kept,
        "changed_by": secret.changed_by,
        "changed_at": canonical.moment(secret.changed_at) if secret.changed_at else None,
        "used_by": list(line.used_by),
    }


@blueprint.get("")
@operation("listSecrets", "source.manage", Listed[OutgoingSecret], query=Paged, refuses=(403,))
def every() -> ResponseReturnValue:
    """Every secret by name, without its value: where it may go, and what names it."""
    return page_of([_shown(line) for line in secret_settings.list_secrets(g.actor)], "name")


@blueprint.put("/<secret>")
@operation(
    "setSecret",
    "source.manage",
    OutgoingSecret,
    body=NewSecret,
    example=Example(BANK, body={"value": "sk_live_9876543210", "hosts": ["api.bank.example"]}),
)
def put(secret: str) -> ResponseReturnValue:
    """Set a secret. Another host needs the value once more, so that nobody has a secret sent elsewhere that they do not know."""
    sent = read(NewSecret)
    try:
        secret_settings.save(g.actor, secret, sent.value or "", ",".join(sent.hosts))
    except Invalid as error:
        raise Invalid(
            error.message,
            details=[
                {**detail, "field": FIELDS.get(detail["field"], detail["field"])} for detail in error.details
            ],
        ) from None
    for line in secret_settings.list_secrets(g.actor):
        if line.secret.name == secret:
            return _shown(line)
    raise NotFound


@blueprint.delete("/<secret>")
@operation("removeSecret", "source.manage", {204: None}, example=Example(BANK))
def remove(secret: str) -> ResponseReturnValue:
    """Remove a secret. What names it cannot ask the other system any more."""
    secret_settings.remove(g.actor, secret)
    return "", 204
