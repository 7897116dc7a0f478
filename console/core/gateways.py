"""An SMS gateway as an administrator describes it: its request as a template, and what its answers mean.

A request goes to `url` by `method` with `headers` (a line each) and a `body` that is JSON or the lines of a form. Placeholders: {to} {text} {from} {id} (our own id)
{secret} {callback} (where it tells what became of this message) {letters} (the word for the letters of the text). Each is written as its place wants it, so that no text can become a field of its own.
`accepted`, `refused` and `again` are rules, one on each line: `[STATUS] contains TEXT`, `[STATUS] FIELD = VALUE`, `[STATUS] FIELD != VALUE`, `[STATUS] FIELD` or `STATUS`; a status is 429 or 5xx.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from console.core.answer_trees import FIELD, at, tree_of, typed_words
from console.core.sms_text import size_of
from console.errors import IntegrationError

PLACES = re.compile(r"\{(to|text|from|id|secret|callback|letters)\}")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type"})
"""Headers that the console sets itself."""
METHODS = ("POST", "GET", "PUT")
BODIES = {"json": "JSON", "form": "Form", "none": "Nothing"}
NUMBERS = {"plus": "+4915123456789", "digits": "4915123456789", "zeros": "004915123456789"}
CHECKS = {"none": "Nothing: the address is secret", "token": "A shared token", "hmac": "A signature (HMAC)"}
Meaning = Literal["accepted", "refused", "again", "unclear"]
ACCEPTED: Meaning = "accepted"
REFUSED: Meaning = "refused"
AGAIN: Meaning = "again"
UNCLEAR: Meaning = "unclear"
MASK = "***"
LONGEST = 10_000
RULE = re.compile(
    r"(?:(?P<status>[1-5](?:[0-9]{2}|xx))(?:\s+|$))?(?:contains\s+(?P<text>.+)|(?P<field>[^\s=]+?)(?:\s*(?P<other>!)?=\s*(?P<value>.+))?)?"
)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What stands on its page, all of it text. `on`: SMS leave through it."""

    on: str = ""
    method: str = "POST"
    url: str = ""
    headers: str = ""
    body_kind: str = "json"
    body: str = ""
    number: str = "plus"
    letters_plain: str = ""
    letters_other: str = ""
    sender: str = ""
    secret: str = ""
    user: str = ""
    idempotency: str = ""
    accepted: str = ""
    refused: str = ""
    again: str = ""
    message_id: str = ""
    status_url: str = ""
    status_missing: str = ""
    status_field: str = ""
    delivered: str = "delivered"
    failed: str = "failed, undelivered, rejected, expired"
    sent: str = "sent, accepted, queued"
    told_list: str = ""
    told_ours: str = ""
    told_message: str = ""
    told_status: str = ""
    told_reason: str = ""
    in_sender: str = ""
    in_text: str = ""
    in_id: str = ""
    in_when: str = ""
    told_answer: str = ""
    check: str = "none"
    check_name: str = ""
    check_secret: str = ""

    def to_json(self) -> dict[str, str]:
        """As it is stored."""
        return asdict(self)

    @property
    def base(self) -> str:
        """Scheme and host, which no placeholder can change."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


NAMES = tuple(field.name for field in fields(Gateway))
NEUTRAL = Gateway(
    url="https://sms.example/messages", headers="Authorization: Bearer {secret}", body='{"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{id}"}',
    message_id="message.id", told_message="message_id", told_ours="reference", told_status="status", in_sender="from", in_text="text", in_id="id",
)  # fmt: skip
"""What an empty page begins with: no gateway in particular."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it leaves, or as it is shown where its secret is masked."""

    method: Literal["GET", "POST", "PUT"]
    url: str
    headers: Mapping[str, str]
    body: bytes | None

    def __str__(self) -> str:
        """As a person reads it."""
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join([*head, "", self.body.decode()] if self.body else head)


@dataclass(frozen=True, slots=True)
class Understood:
    """What an answer means, the gateway's id of the message, and by which rule."""

    meaning: Meaning
    message_id: str = ""
    why: str = ""


def of_json(stored: Any) -> Gateway | None:
    """The gateway of its row, also of one that an older release wrote; None where none was described."""
    return Gateway(**{name: str(stored[name]) for name in NAMES if name in stored}) if isinstance(stored, dict) else None


def typed(form: Mapping[str, str]) -> tuple[Gateway, list[dict[str, Any]]]:
    """(what was typed, what is wrong with it by field)."""
    made = Gateway(**{name: form.get(name, "").replace("\r\n", "\n").strip() for name in NAMES})
    wrong: dict[str, str] = {}
    for name, value in made.to_json().items():
        if len(value) > LONGEST or "\x00" in value:
            wrong[name] = f"At most {LONGEST:,} characters."
    for name, choices in (("method", METHODS), ("body_kind", BODIES), ("number", NUMBERS), ("check", CHECKS)):
        if getattr(made, name) not in choices:
            wrong[name] = "Choose one of these."
    wrong |= _wrong_request(made) | _wrong_words(made)
    return made, [{"field": name, "reason": reason} for name, reason in wrong.items()]


def _wrong_request(made: Gateway) -> dict[str, str]:
    """What is wrong with how it is asked."""
    wrong = {}
    for name in ("url", "status_url"):
        url = getattr(made, name)
        if (url or name == "url") and not _good_address(url):
            wrong[name] = "An address such as https://sms.example/send, with placeholders behind the host only."
    if made.status_url and "url" not in wrong and "status_url" not in wrong:
        template = "\n".join((made.url, made.headers, made.body if made.body_kind != "none" and made.method != "GET" else ""))
        if urlsplit(made.status_url).netloc != urlsplit(made.url).netloc:
            wrong["status_url"] = "It is of the same host as the address above: the secret goes nowhere else."
        elif "{id}" not in made.status_url or not ("{id}" in template or made.idempotency):
            wrong["status_url"] = "A message is looked up by our own id: write {id} here, and in the request too."
        elif not made.status_missing:
            wrong["status_missing"] = "Say how it answers that there is no such message, such as 404."
    for number, line in enumerate(made.headers.splitlines(), 1):
        name, colon, value = line.partition(":")
        if line.strip() and (
            not colon or not HEADER.fullmatch(name.strip()) or name.strip().lower() in OURS or "{text}" in value or not line.isascii()
        ):
            wrong["headers"] = f"Line {number}: write Name: value, without the text; {', '.join(sorted(OURS))} are set by the console."
    if made.idempotency and (not HEADER.fullmatch(made.idempotency) or made.idempotency.lower() in OURS):
        wrong["idempotency"] = "The name of a header, such as Idempotency-Key."
    if made.user and not made.secret:
        wrong["secret"] = "Choose the secret that is the password."  # noqa: S105 (words for a person)
    if not made.secret and "{secret}" in made.url + made.headers + made.body + made.status_url:
        wrong["secret"] = "Choose what {secret} stands for."  # noqa: S105 (as above)
    carries = made.method != "GET" and made.body_kind != "none"
    if carries and not made.body:
        wrong["body"] = "Write what is sent, or choose that nothing is."
    elif carries and made.body_kind == "json":
        try:
            json.loads(made.body)
        except (ValueError, RecursionError):
            wrong["body"] = 'This is no JSON. Placeholders stand in quotes: {"to": "{to}"}.'
    elif carries and (odd := next((each for each in made.body.splitlines() if each.strip() and "=" not in each), None)):
        wrong["body"] = f"“{odd[:60]}” is no field: write name = value on each line."
    used = made.url + (made.body if carries else "")
    for name in ("letters_plain", "letters_other"):
        if "{letters}" in used and not getattr(made, name):
            wrong[name] = "Write what stands for {letters} then."
    missing = [place for place in ("{to}", "{text}") if place not in used]
    if missing and "url" not in wrong:
        wrong.setdefault("body" if carries else "url", f"{' and '.join(missing)} must stand in the request: nobody would get the message.")
    return wrong


def _wrong_words(made: Gateway) -> dict[str, str]:
    """What is wrong with how its answers and callbacks are understood."""
    wrong = {}
    for name in ("accepted", "refused", "again", "status_missing"):
        for number, line in enumerate(getattr(made, name).splitlines(), 1):
            if line.strip() and not _rule(line):
                wrong[name] = (
                    f"Line {number}: write a status (429, 5xx), “contains ERR:”, or a field and its value, such as messages.0.status = 0."
                )
    for name in ("status_field", "told_list", "told_ours", "told_message", "told_status", "told_reason", "in_sender", "in_text", "in_id"):
        if getattr(made, name) and not FIELD.fullmatch(getattr(made, name)):
            wrong[name] = "The name of a field, with dots between names within one another, such as message.id."
    if made.message_id and "*" not in made.message_id and not FIELD.fullmatch(made.message_id):
        wrong["message_id"] = "A field such as message.id, or the text around the id, such as OK: *"
    if made.told_status and not (typed_words(made.delivered) or typed_words(made.failed)):
        wrong["delivered"] = "Say by which words it tells that a message arrived."
    if bool(made.in_sender) != bool(made.in_text):
        wrong["in_text" if made.in_sender else "in_sender"] = "Who wrote and what they wrote are named together."
    for number, line in enumerate(made.in_when.splitlines(), 1):
        if line.strip() and not ((rule := _rule(line)) and rule["field"] and not rule["status"]):
            wrong["in_when"] = f"Line {number}: write a field and its value, such as direction = incoming."
    if made.in_when and not made.in_sender:
        wrong.setdefault("in_sender", "Name the field of who wrote.")
    if made.check != "none":
        if not made.check_secret:
            wrong["check_secret"] = "Choose the secret by which it is checked."  # noqa: S105 (words for a person)
        if not HEADER.fullmatch(made.check_name):
            wrong["check_name"] = "The name of the header or field, such as X-Signature."
    return wrong


def _good_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not set("{}@") & set(parts.netloc)
            and not parts.fragment
            and url.isascii()
            and not re.search(r"\s", url)
        )
    except ValueError:
        return False


def written(number: str, form: str) -> str:
    """A telephone number as the gateway wants it."""
    return {"plus": "", "digits": "", "zeros": "00"}[form] + (number if form == "plus" else number.removeprefix("+"))


def read_number(text: str) -> str:
    """A number as a gateway tells it: 00 for +, or digits alone; a short number of a service stays as it is."""
    bare = re.sub(r"[\s()/.-]", "", text)
    if bare.startswith("00"):
        return f"+{bare[2:]}"
    return f"+{bare}" if bare.isdecimal() and bare.isascii() and len(bare) >= 9 and bare[0] != "0" else text.strip()


def request_of(gateway: Gateway, to: str, text: str, our_id: str, *, secret: str = "", callback: str | None = None) -> Request:
    """The request that sends this text. Raises IntegrationError where a header would hold what none can."""
    values = {
        "to": written(to, gateway.number),
        "text": text,
        "from": gateway.sender,
        "id": our_id,
        "secret": secret,
        "callback": callback or "",
        "letters": gateway.letters_plain if size_of(text).plain else gateway.letters_other,
    }
    headers, body = _headers(gateway, values), None
    if gateway.method != "GET" and gateway.body_kind == "json":
        headers["Content-Type"] = "application/json"
        body = json.dumps(_filled_tree(json.loads(gateway.body), values), ensure_ascii=False).encode()
    elif gateway.method != "GET" and gateway.body_kind == "form":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        pairs = (line.partition("=") for line in gateway.body.splitlines() if line.strip())
        body = urlencode([(name.strip(), _filled(value.strip(), values)) for name, _, value in pairs]).encode()
    return Request(gateway.method, _address(gateway.url, values), headers, body)  # type: ignore[arg-type]  # `typed` has checked it


def status_request_of(gateway: Gateway, to: str, our_id: str, secret: str) -> Request:
    """The request that asks what became of a message."""
    values = {
        "to": written(to, gateway.number),
        "text": "",
        "from": gateway.sender,
        "id": our_id,
        "secret": secret,
        "callback": "",
        "letters": "",
    }
    headers = {name: value for name, value in _headers(gateway, values).items() if name != gateway.idempotency}
    return Request("GET", _address(gateway.status_url, values), headers, None)


def _headers(gateway: Gateway, values: Mapping[str, str]) -> dict[str, str]:
    lines = (line.partition(":") for line in gateway.headers.splitlines() if line.strip())
    headers = {name.strip(): _filled(value.strip(), values) for name, _, value in lines}
    if gateway.user:
        pair = f"{gateway.user}:{values['secret']}"
        headers["Authorization"] = f"Basic {MASK if values['secret'] == MASK else base64.b64encode(pair.encode()).decode()}"
    if gateway.idempotency:
        headers[gateway.idempotency] = values["id"]
    if any(not (value.isascii() and value.isprintable()) for value in headers.values()):
        raise IntegrationError("A header of the gateway would hold something else than plain letters.", permanent=True, code="bad_header")
    return headers


def _address(template: str, values: Mapping[str, str]) -> str:
    return _filled(template, values, lambda text: text if text == MASK else quote(text, safe=""))


def _filled(template: str, values: Mapping[str, str], written_as: Callable[[str], str] = str) -> str:
    """The template with its placeholders filled in once: what is filled in is not looked at again."""
    return PLACES.sub(lambda found: written_as(values[found[1]]), template)


def _filled_tree(tree: Any, values: Mapping[str, str]) -> Any:
    if isinstance(tree, dict):
        return {name: _filled_tree(value, values) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_filled_tree(value, values) for value in tree]
    return _filled(tree, values) if isinstance(tree, str) else tree


def understood(gateway: Gateway, status: int, body: bytes, *, whole: bool = True) -> Understood:
    """What an answer means: what is to be tried again first, then what is refused, then what is accepted; where no rule fits, by its status.

    Where rules say what is accepted, another 2xx is unclear: nobody knows then whether the message left.
    """
    text = body.decode("utf-8", "replace")
    tree = tree_of(text) if whole else None
    for meaning, rules in ((AGAIN, gateway.again), (REFUSED, gateway.refused), (ACCEPTED, gateway.accepted)):
        if (line := _first(rules, status, text, tree)) is not None:
            found = _id_in(gateway.message_id, text, tree) if meaning == ACCEPTED else ""
            return Understood(meaning, found, f"the rule “{line}”")
    why = f"its status {status}"
    if 200 <= status < 300:
        page = text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))
        if gateway.accepted.strip() or page:
            return Understood(UNCLEAR, why="a web page" if page else "something that no rule knows")
        return Understood(ACCEPTED, _id_in(gateway.message_id, text, tree), why)
    if status in (408, 425, 429, 501, 503, 401, 402, 403, 404, 407) or 300 <= status < 400:
        return Understood(AGAIN, why=why)
    return Understood(REFUSED if 400 <= status < 500 else UNCLEAR, why=why)


def missing_there(gateway: Gateway, status: int, body: bytes) -> bool:
    """Whether the answer to a status request says that there is no such message."""
    text = body.decode("utf-8", "replace")
    return _first(gateway.status_missing, status, text, tree_of(text)) is not None


def comes_in(gateway: Gateway, told: Sequence[Any]) -> bool | None:
    """Whether what was told, as trees of names, is an incoming message by the rules that say so; None where there are none."""
    if not gateway.in_when.strip():
        return None
    return any(_first(gateway.in_when, 0, "", tree) is not None for tree in told)


def outcome_of(gateway: Gateway, word: str | None) -> str:
    """How a message ended by a word of the gateway; "" where it is on its way, or the word is not known."""
    said = (word or "").strip().casefold()
    return "delivered" if said in typed_words(gateway.delivered) else "failed" if said in typed_words(gateway.failed) else ""


def _rule(line: str) -> re.Match[str] | None:
    """The parts of a rule; None where the line is none: a number that is no status, or a field that no path names."""
    found = RULE.fullmatch(line.strip())
    if found is None or not any(found.groupdict().values()):
        return None
    field = found["field"]
    return found if field is None or (FIELD.fullmatch(field) and not field.isdecimal() and field != "contains") else None


def _first(rules: str, status: int, text: str, tree: Any) -> str | None:
    """The first line that fits; None where none does."""
    for line in rules.splitlines():
        rule = _rule(line)
        if rule is None or (rule["status"] and not re.fullmatch(rule["status"].replace("xx", "[0-9]{2}"), str(status))):
            continue
        if rule["text"] and rule["text"].strip().casefold() not in text.casefold():
            continue
        if rule["field"]:
            value = at(tree, rule["field"])
            wanted = (rule["value"] or "").strip().strip('"').casefold()
            if value is None or (wanted and (value.strip().casefold() == wanted) is bool(rule["other"])):
                continue
        return line.strip()
    return None


def _id_in(where: str, text: str, tree: Any) -> str:
    """The gateway's id of the message: a field, or what stands for the * of a text. "" where there is none."""
    if "*" in where:
        before, _, after = where.partition("*")
        found = re.search(re.escape(before.strip()) + r"\s*([^\s<>\"',;|&]+)" + re.escape(after.strip()), text, re.IGNORECASE)
        return found[1][:200] if found else ""
    return (at(tree, where) or "")[:200].strip() if where else ""
