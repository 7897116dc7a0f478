"""How SMS leave through a gateway that is asked over HTTP: the request as in the step that asks another system, how its answer is read, and what it tells later.

Expressions of the request know `input.to`, `input.text`, `input.id` (our id of the message, the same at every try) and `input.callback` (where the gateway
tells what became of it); those of the answer `answer`; those of the callback `event`, all that was told, and `item`, it or one entry of its list.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from console.core import expressions
from console.core.documents.document_parts import Name, Part
from console.core.documents.json_shape import read_document
from console.core.effect_kinds import wrong_address
from console.core.expressions import ExpressionError
from console.core.signatures import Header, Signature

INPUT = frozenset({"to", "text", "id", "callback"})
ABOUT_US = (401, 402, 403, 404, 407)
LATER = [*ABOUT_US, 408, 425, 429, 501, 503]
"""Statuses by which a gateway speaks of our account, its address or its load, not of the message."""
Words = Annotated[
    list[str],
    BeforeValidator(lambda said: [each.casefold() if isinstance(each, str) else each for each in said]),
]
EXAMPLE = """{
  "request": {
    "url": "https://sms.example/messages",
    "secret": "sms",
    "body": {"to": "{{ input.to }}", "from": "Fernwick", "text": "{{ input.text }}", "reference": "{{ input.id }}", "receipts": "{{ input.callback }}"}
  },
  "answer": {"id": "answer.message.id"},
  "callback": {"message": "item.reference", "status": "item.status", "delivered": ["delivered"], "failed": ["failed", "expired"], "from": "item.from", "text": "item.text", "id": "item.id"}
}"""


class Request(Part):
    """What is asked, once for each message."""

    method: Literal["POST", "PUT", "GET"] = "POST"
    url: Annotated[str, StringConstraints(min_length=1, max_length=1500)]
    headers: dict[Header, str] = Field(default_factory=dict, max_length=20)
    body: dict[str, Any] | list[Any] | None = None
    encoding: Literal["json", "form"] = "json"
    secret: Name | None = Field(
        None, description="A name of Settings, Secrets, sent as `Authorization: Bearer …`"
    )
    secret_header: Header | None = Field(None, description="The header that carries the secret as it is")
    user: Annotated[str, StringConstraints(pattern=r"^[!-9;-~]{1,200}$")] | None = Field(
        None, description="With it, the secret is a password (HTTP Basic)"
    )
    timeout_s: int = Field(10, ge=1, le=30)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if wrong := wrong_address(self.url):
            raise ValueError(wrong)
        if self.secret is None and (self.user or self.secret_header):
            raise ValueError("name the secret")
        if self.method == "GET" and self.body is not None:
            raise ValueError("GET has no body")
        if self.encoding == "form" and not isinstance(self.body, dict):
            raise ValueError("a form has a body by name")
        texts = [self.url, *expressions.texts_in(self.body)]
        if missing := [name for name in ("to", "text") if not any(f"input.{name}" in text for text in texts)]:
            raise ValueError(
                f"the request sends no input.{' and no input.'.join(missing)}: nobody would get the message"
            )
        return self


class Answer(Part):
    """What its answer means. Without an answer, and where it is unclear, nobody knows whether the message left."""

    id: str | None = Field(None, description="Expression: the gateway's id of the message")
    accepted: str | None = Field(
        None,
        description="Expression that a 2xx has to fulfil; where it is false the message is refused, where unknown nobody knows",
    )
    refused: list[int] = Field(
        default_factory=list,
        description="Statuses that mean: refused for good; none: 400 to 499 but those of `again`",
    )
    again: list[int] = Field(
        default_factory=lambda: LATER, description="Statuses that mean: nothing was sent, ask again later"
    )
    reason: str | None = Field(None, description="Text with {{ expressions }}: why it refused")


class Told(Part):
    """What the gateway tells at its own address: receipts, and what people write."""

    entries: str | None = Field(
        None, description="Expression over `event`: the list, where it tells several at once"
    )
    message: str | None = Field(
        None, description="Expression: our id, where it repeats it; the address of each message has it anyway"
    )
    id: str | None = Field(None, description="Expression: the gateway's id of the message")
    status: str | None = None
    delivered: Words = Field(default_factory=list, description="What `status` says of a message that arrived")
    failed: Words = Field(default_factory=list)
    sent: Words = Field(default_factory=list, description="What it says of one that is on its way")
    reason: str | None = None
    from_: str | None = Field(None, alias="from", description="Expression: the number of who wrote to us")
    text: str | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="Country of numbers that are told without it"
    )
    signature: Signature | None = Field(
        None, description="How it signs; without it the address alone, which is secret, lets in"
    )
    secret: Name | None = Field(None, description="The secret of the signature, a name of Settings, Secrets")
    thanks: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="What it is answered with, such as OK"
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.signature is None) != (self.secret is None):
            raise ValueError("signature and secret belong together")
        if (self.from_ is None) != (self.text is None):
            raise ValueError("from and text belong together")
        if self.status is not None and not (self.delivered or self.failed):
            raise ValueError("say by which words of status a message arrived or failed")
        return self


class SmsGateway(Part):
    """The whole document."""

    request: Request
    answer: Answer = Field(default_factory=lambda: Answer.model_validate({}))
    callback: Told | None = None

    @property
    def origin(self) -> str:
        """Scheme and host, which no expression chooses."""
        scheme, _, rest = self.request.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"

    @property
    def secrets(self) -> list[str]:
        """Names of the secrets that it uses."""
        return [name for name in (self.request.secret, self.callback and self.callback.secret) if name]

    def to_json(self) -> dict[str, Any]:
        """The document without default values."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def read(stored: Any) -> SmsGateway | None:
    """The gateway as it is stored; None for nothing, and for what this release cannot read."""
    try:
        return SmsGateway.model_validate(stored) if stored is not None else None
    except ValidationError:
        return None


def checked(text: str) -> tuple[SmsGateway | None, list[str]]:
    """(the gateway, all that is wrong with the document)."""
    made, spots = read_document(text, SmsGateway, 1, "The document")
    wrong = [f"{spot.path}: {spot.reason}" if spot.path else spot.reason for spot in spots]
    if made is None:
        return None, wrong
    for place, written, template, roots in _texts(made):
        try:
            parsed = expressions.templates(written) if template else [expressions.parse(written)]
        except ExpressionError as error:
            wrong.append(f"{place}: {error.reason}")
            continue
        for path in sorted({path for each in parsed for path in expressions.paths(each)}, key=str):
            if path[0] not in roots:
                wrong.append(f"{place}: {path[0]} is not known here, but {' and '.join(sorted(roots))}.")
            elif path[0] == "input" and (len(path) < 2 or path[1] not in INPUT):
                wrong.append(f"{place}: of a message there are input.{', input.'.join(sorted(INPUT))}.")
    return (made if not wrong else None), wrong


def _texts(made: SmsGateway) -> Iterator[tuple[str, str, bool, frozenset[str]]]:
    """(place, text, whether it is a template, what it may read)."""
    message, said, told = frozenset({"input"}), frozenset({"answer"}), frozenset({"event", "item"})
    for name, text in (
        ("url", made.request.url),
        *((f"headers.{name}", text) for name, text in made.request.headers.items()),
    ):
        yield f"request.{name}", text, True, message
    yield from (("request.body", text, True, message) for text in expressions.texts_in(made.request.body))
    yield from _given("answer", {"id": made.answer.id, "accepted": made.answer.accepted}, said)
    if made.answer.reason is not None:
        yield "answer.reason", made.answer.reason, True, said
    if (callback := made.callback) is not None:
        named = {
            name: getattr(callback, name) for name in ("entries", "message", "id", "status", "reason", "text")
        }
        yield from _given("callback", {**named, "from": callback.from_}, told)


def _given(
    place: str, named: Mapping[str, str | None], roots: frozenset[str]
) -> Iterator[tuple[str, str, bool, frozenset[str]]]:
    yield from ((f"{place}.{name}", text, False, roots) for name, text in named.items() if text is not None)
