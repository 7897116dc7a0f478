"""Ask another system, look up what came of it, and follow what is not final."""

import re
from collections.abc import Collection as Many, Iterator
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, StringConstraints, model_validator

from console.core import expressions
from console.core.documents.document_parts import Name
from console.core.documents.fields import Computed, Definition, Located
from console.core.effect_kinds.base import Kind, Placed, Sentence, in_rules, text_of
from console.core.effect_kinds.sql_write import SqlWrite
from console.core.plain_words import humanised

HEADER_PATTERN = r"^[A-Za-z][A-Za-z0-9-]{0,60}$"
LONGEST_S = 30
OURS = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "authorization",
        "user-agent",
        "cookie",
        "te",
        "upgrade",
    }
)


class LookUp(Definition):
    """How to ask the other side whether an effect happened."""

    path: Annotated[str, StringConstraints(pattern=r"^/", max_length=500)]
    query: dict[str, Computed] = Field(default_factory=dict, max_length=20)
    within: str | None = Field(
        None, description="Expression over `answer` for the list to look in; none: the answer itself"
    )
    where: str = Field(description="Expression over `item`, an entry of the list, and `key`: it is ours")
    expect: str | None = Field(
        None, description="Expression over `item` that ours has to fulfil; where it does not, a person looks"
    )
    more: str | None = Field(
        None,
        description="Expression over `answer`: there are entries that were not shown, so that not finding says nothing",
    )
    result: dict[Name, str] = Field(
        default_factory=dict, max_length=40, description="Name to expression over `item`"
    )


class Follow(Definition):
    """What is not final when it is done: it is looked up again until it is, also after the run has ended.

    Expressions look at `results` of all effects of the action, its own among them: everything is done by then.
    """

    pending: str = Field(description="It may still come to something else")
    failed: str = Field(description="It came to nothing after all")
    days: int = Field(
        30, ge=1, le=400, description="So long it is looked up; after that a person is asked to look"
    )
    note: SqlWrite | None = Field(None, description="What is changed in a record when it is final")
    title: Sentence = Field(
        description="The task for a person where it came to nothing, with {{ expressions }}"
    )
    text: Sentence | None = Field(None, description="What one does about it, with {{ expressions }}")


class Http(Kind):
    """Ask another system: a connection or a target that CONSOLE_HTTP_TARGETS names, under its own address, or any public host by its whole `url`."""

    deed = "call of another system"
    kind: Literal["http"]
    target: Name | None = Field(None, description="A name of CONSOLE_HTTP_TARGETS")
    connection: Name | None = Field(
        None,
        description="In place of target and secret: a name of Settings, Connections, which has its address and credentials",
    )
    url: Annotated[str, StringConstraints(min_length=1, max_length=1500)] | None = Field(
        None,
        description="In place of target and path: the whole address; each {{ expression }} in its path or query is one piece of it",
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[str, StringConstraints(pattern=r"^/", max_length=500)] | None = Field(
        None,
        description="After the target's address; {{ expressions }} are filled in as one piece of the path each",
    )
    query: dict[str, Computed] = Field(default_factory=dict, max_length=20)
    body: Annotated[dict[str, Computed], Field(max_length=60)] | str | None = Field(
        None,
        description="Name to expression, a dot in a name makes an object inside; or one expression for all of it, as JSON",
    )
    encoding: Literal["json", "form"] = "json"
    headers: dict[Annotated[str, StringConstraints(pattern=HEADER_PATTERN)], Computed] = Field(
        default_factory=dict, max_length=20
    )
    secret: Name | None = Field(
        None,
        description="A name of Settings, Secrets or of CONSOLE_HTTP_SECRETS, sent as `Authorization: Bearer …`",
    )
    secret_header: Annotated[str, StringConstraints(pattern=HEADER_PATTERN)] | None = Field(
        None, description="The header that carries the secret as it is, in place of `Authorization`"
    )
    key_header: Annotated[str, StringConstraints(pattern=HEADER_PATTERN)] = Field(
        "Idempotency-Key", description="The header that carries `key`"
    )
    timeout_s: int = Field(10, ge=1, le=LONGEST_S, description="Seconds to wait for an answer")
    success: list[Annotated[int, Field(ge=200, le=499)]] = Field(
        default_factory=list, description="Statuses that mean done; none: 200 to 299"
    )
    again: list[Annotated[int, Field(ge=400, le=599)]] = Field(
        default_factory=lambda: [429], description="Statuses that mean: nothing was done, ask again later"
    )
    idempotent: bool = Field(
        False,
        description="The target takes the same key twice as one request: it is asked again where no answer came",
    )
    result: dict[Name, str] = Field(
        default_factory=dict,
        max_length=40,
        description="Name to expression over `answer`, the JSON that came back",
    )
    expect: str | None = Field(
        None,
        description="Expression over `answer` that a yes has to fulfil; where it does not, it is unknown what was done",
    )
    refused_if: str | None = Field(
        None, description="Expression over `answer`: what looks like a yes is a refusal, and nothing was done"
    )
    refused: Sentence | None = Field(
        None, description="What a refusal is told as; {{ expressions }} over `answer`"
    )
    look_up: LookUp | None = None
    follow: Follow | None = None

    @model_validator(mode="after")
    def _headers(self) -> Self:
        if self.follow is not None and self.look_up is None:
            raise ValueError("follow needs look_up: it is what tells how it stands")
        named = [*self.headers, self.key_header, *([self.secret_header] if self.secret_header else [])]
        if wrong := sorted(name for name in named if name.lower() in OURS):
            raise ValueError(f"these headers are set by the console itself: {', '.join(wrong)}")
        if len({name.lower() for name in named}) < len(named):
            raise ValueError("a header is named twice")
        if self.method in ("GET", "DELETE") and self.body is not None:
            raise ValueError(f"{self.method} has no body: use query")
        if isinstance(self.body, str) and self.encoding == "form":
            raise ValueError("a form has a body by name: name to expression")
        return self

    @model_validator(mode="after")
    def _address(self) -> Self:
        if [self.target, self.url, self.connection].count(None) != 2:
            raise ValueError(
                "say where the request goes: a connection or target with its path, or a url; one of them"
            )
        if self.url is None and self.path is None:
            raise ValueError("a target needs a path")
        if self.connection is not None and self.secret is not None:
            raise ValueError("a connection has its own secret")
        if self.url is not None and (self.path is not None or self.query):
            raise ValueError("a url has its path and query in itself")
        if self.url is not None and (wrong := wrong_address(self.url)):
            raise ValueError(wrong)
        if self.path is not None and expressions.chooses(self.path):
            raise ValueError(NO_CHOICE)
        return self

    @property
    def system(self) -> str:
        """The other system, as people call it: the name of the connection or target, or the host."""
        return self.connection or self.target or str(_parts(self.url or "").hostname)

    @property
    def origin(self) -> str | None:
        """Scheme and host of the url, such as `https://api.bank.example`; None where a setting has it."""
        return None if self.url is None else "{0.scheme}://{0.netloc}".format(_parts(self.url))

    @property
    def place(self) -> str:
        """The template of what follows the address: path and query."""
        if self.path is not None:
            return self.path
        after = re.search(r"[/?].*", (self.url or "").partition("://")[2], re.DOTALL)
        return "/" if after is None else after[0] if after[0].startswith("/") else f"/{after[0]}"

    def texts(self) -> Iterator[Placed]:
        """The path, what is sent, what is made of the answer, and the look-up."""
        yield Located("path" if self.url is None else "url", self.place), True
        if isinstance(self.body, str):
            yield Located("body", self.body), False
        named = {} if isinstance(self.body, str) else self.body or {}
        for name, rules in (
            ("query", self.query),
            ("body", named),
            ("headers", self.headers),
            ("result", self.result),
        ):
            yield from in_rules(name, rules)
        for name, text in (("expect", self.expect), ("refused_if", self.refused_if)):
            if text is not None:
                yield Located(name, text), False
        if self.refused is not None:
            yield Located("refused", self.refused), True
        if self.look_up is not None:
            yield from _look_up(self.look_up)

    def later_texts(self) -> Iterator[Placed]:
        """What is followed."""
        yield from follow_texts(self.follow)

    def names(self) -> Iterator[str]:
        """What is sent, unless it only asks."""
        yield from self.body if self.outside and isinstance(self.body, dict) else ()

    @property
    def outside(self) -> bool:
        """Unless it only asks."""
        return self.method != "GET"

    @property
    def goes_to(self) -> str:
        """The connection or target in words, or the host."""
        return self.system if self.url else humanised(self.system)

    @property
    def request(self) -> str:
        """What is asked of the target."""
        return f"{self.method} {self.place}"

    def warnings(self, functions: Many[str] | None) -> Iterator[tuple[str, str]]:
        """A call that cannot be told to have happened."""
        if self.method not in ("GET", "PUT", "DELETE") and not self.idempotent and self.look_up is None:
            yield (
                "look_up",
                "Where no answer comes nobody can tell what happened: give look_up, or say that the target is idempotent.",
            )


NO_CHOICE = "an address cannot choose by {{ if … }}: two requests are two effects, each with its condition"
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")


def wrong_address(url: str) -> str | None:
    """What is wrong with the address of a request; None where nothing is. No expression chooses the host."""
    host, _, _ = url.partition("://")[2].partition("/")
    if expressions.chooses(url):
        return NO_CHOICE
    if "{{" in host.partition("?")[0] or "{{" in url.partition("://")[0]:
        return "the host is fixed: an expression may stand in the path or the query, not before"
    try:
        parts = _parts(url)
        fits = bool(
            parts.scheme in ("http", "https")
            and parts.hostname
            and parts.port != 0
            and _HOST.fullmatch(re.split(r"[/?#]", url.partition("://")[2])[0])
            and not parts.fragment
        )
    except ValueError:
        fits = False
    return (
        None
        if fits
        else "this is no address that a request could go to: it begins with https:// and a host, without a name, password or #"
    )


def _parts(url: str) -> SplitResult:
    """The address, taken apart; expressions in it are left out."""
    return urlsplit(expressions.TEMPLATE.sub("x", url))


def follow_texts(follow: Follow | None) -> Iterator[Placed]:
    """The expressions and templates of what is followed."""
    if follow is None:
        return
    for name in ("pending", "failed", "title", "text"):
        if (text := getattr(follow, name)) is not None:
            yield Located(f"follow.{name}", text), name in ("title", "text")
    if follow.note is not None:
        yield from (
            (text._replace(field=f"follow.note.{text.field}"), form) for text, form in text_of(follow.note)
        )


def _look_up(look_up: LookUp) -> Iterator[tuple[Located, bool]]:
    yield Located("look_up.path", look_up.path), True
    yield from in_rules("look_up.query", look_up.query)
    told_of = {
        "within": look_up.within,
        "where": look_up.where,
        "expect": look_up.expect,
        "more": look_up.more,
    }
    yield from (
        (Located(f"look_up.{name}", text), False) for name, text in told_of.items() if text is not None
    )
    yield from in_rules("look_up.result", look_up.result)
