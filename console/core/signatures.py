"""How a sender signs what it sends, as data: an HMAC of the body, often with the moment, an id or the address."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl

from pydantic import Field, StringConstraints, model_validator

from console.core.documents.document_parts import Part

TOLERANCE = timedelta(minutes=5)
MOST_FIELDS = 1_000
"""Fields of a form: one with more is refused before its signature is looked at."""
THOUSANDTHS = 100_000_000_000
"""From here on a count since 1970 is one of thousandths of seconds."""
PLACES = re.compile(r"\{(body|form|time|id|url)\}")
LABEL = re.compile(r"[\w-]{1,12}=(?=.)", re.ASCII)
"""What may come before a signature: `sha256=`, `v1=`."""
NO_MATCH = "no matching signature found"
TOO_OLD, TOO_NEW = "message timestamp too old", "message timestamp too new"
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")]


class Signature(Part):
    """The HMAC that a sender puts into a header, in hexadecimal digits or base64; of several with commas between, one has to fit."""

    header: Header = Field(
        description="The header with the signature, alone or with its way before it: `sha256=…`, `t=…,v1=…`"
    )
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    signed: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        default="{body}",
        description="What is signed: a text with {body}, {form} (names and values of a form, sorted), {time}, {id} or {url}, the address that is sent to",
    )
    time: Header | None = Field(
        default=None,
        description="The header with the time, in seconds, milliseconds or ISO 8601, or the part of the signature's header that holds it, such as `t`. More than five minutes away it is refused",
    )
    id: (
        Annotated[str, StringConstraints(pattern=r"^([A-Za-z][A-Za-z0-9-]{0,60}|body\.[A-Za-z0-9_]{1,60})$")]
        | None
    ) = Field(
        default=None,
        description="The header with the id of the delivery, or `body.NAME` for a field of the body",
    )

    @model_validator(mode="after")
    def _places(self) -> Self:
        used = set(PLACES.findall(self.signed))
        if not used & {"body", "form"}:
            raise ValueError("signed needs {body} or {form}: else the body could be anybody's")
        if ("time" in used) != (self.time is not None):
            raise ValueError("time and {time} in signed belong together")
        if "id" in used and (self.id is None or self.id.startswith("body.")):
            raise ValueError("{id} in signed needs the header of the id")
        return self

    @property
    def signs_id(self) -> bool:
        """Whether the id of the delivery is signed too."""
        return "{id}" in self.signed

    def mismatch(
        self,
        secret: str,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,
        *,
        url: str = "",
        form: bool = False,
    ) -> str:
        """Return what is wrong with the signature, empty where it fits. Names of `headers` are in small letters; `form`: the body is a form."""
        given = headers.get(self.header.lower(), "")
        parts = [part.strip() for part in re.split("[,;]", given)]
        time = (
            (
                dict(part.partition("=")[::2] for part in parts).get(self.time)
                or headers.get(self.time.lower(), "")
            )
            if self.time
            else ""
        )
        if "{form}" in self.signed and (not form or body.count(b"&") >= MOST_FIELDS):
            return f"the body is no form of at most {MOST_FIELDS:,} fields"
        values = {
            "body": body,
            "form": form_text(body) if form else b"",
            "time": _bytes(time),
            "id": _bytes(headers.get((self.id or "").lower(), "")),
            "url": _bytes(url),
        }
        texts = PLACES.split(self.signed)
        mac = hmac.digest(
            secret.encode(),
            b"".join(values[text] if n % 2 else text.encode() for n, text in enumerate(texts)),
            self.algorithm,
        )
        sent = [_bytes(each) for part in parts for each in (part, LABEL.sub("", part, count=1))]
        fits = any(
            hmac.compare_digest(each.lower(), mac.hex().encode())
            or hmac.compare_digest(each, base64.b64encode(mac))
            for each in sent
        )
        if not (secret and fits):
            return NO_MATCH
        return _lateness(time, now) if self.time else ""

    def identity(self, body: bytes) -> str:
        """Return the name of a delivery by what is signed of it, without its time: the same when it is sent again."""
        form = "{body}" not in self.signed
        return f"{'form' if form else 'body'} {hashlib.sha256(form_text(body) if form else body).hexdigest()}"


def form_text(body: bytes) -> bytes:
    """Return the names and values of a form, sorted and without anything between, as Twilio signs them."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _bytes("".join(f"{name}{value}" for name, value in sorted(set(pairs))))


def _lateness(time: str, now: datetime) -> str:
    """Return why the time is not near enough to now, empty where it is."""
    try:
        seconds = (
            float(time)
            if time.isascii() and time.isdigit() and len(time) < 15
            else datetime.fromisoformat(time).timestamp()
        )
    except (ValueError, OverflowError):
        return "it says no time"
    late = now.timestamp() - (seconds / 1000 if seconds >= THOUSANDTHS else seconds)
    return "" if abs(late) <= TOLERANCE.total_seconds() else TOO_OLD if late > 0 else TOO_NEW


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
