"""The page behind the link: whoever has it sees what is asked for and nothing else of the run, sends files, stops and comes back, and sends off once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console import log, runs
from console.auth.accounts import throttle
from console.core.document_letters import OUTSIDE
from console.core.errors import Conflict, Invalid, NotFound, TooMany
from console.core.forms import FormField, examine, is_empty
from console.core.papers import iban
from console.documents.requests import request_rows
from console.documents.requests.request_rows import (
    Request,
    by_id,
    by_token,
    close,
    draft,
    keep_draft,
    lock_request,
    settled,
)
from console.infra import files, settings
from console.infra.files import Stored
from console.runs.store.run_events import ENGINE
from console.steps.request_documents import RECEIVED, came

FREE_MISSES = 20  # addresses that were wrong, by one visitor, before each further one costs a wait
MOST_FILES = 60
GONE = "This link is not in use. It may have been replaced by a newer one, or its time may be over: look for a newer letter, or ask who sent it."


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows. `finished`: everything was sent off, and nothing can be changed any more."""

    request: Request
    values: Mapping[str, Any]
    finished: bool

    @property
    def words(self) -> Mapping[str, str]:
        """The page's own words in the language of the request."""
        return OUTSIDE[self.request.asked["language"]]

    @property
    def fields(self) -> list[FormField]:
        """The fields of the form with what was typed so far."""
        return [field.holding(self.values.get(field.name, field.value)) for field in self.request.fields]


def open_link(token: str, address: str) -> Page:
    """What the link leads to. Raises NotFound in the same words for what never was, is over or was taken back; TooMany for who tries many."""
    limit = throttle.Limit("request", address, FREE_MISSES)
    if not throttle.take([limit]):
        raise TooMany(
            "Too many wrong links from your address. Wait half a minute and open yours again.", retry_after=30
        )
    found = by_token(token) if len(token) <= 100 else None
    request = settled(found) if found else None
    if (
        request is None
        or request.status not in ("open", RECEIVED)
        or (request.status == "open" and request.until <= log.now())
    ):
        raise NotFound(GONE)
    throttle.give_back([limit])
    finished = request.status == RECEIVED
    return Page(request, {} if finished else draft(request), finished)


def _open(page: Page) -> Request:
    """The request as it stands now: the page may have been drawn long ago. Raises Conflict where nothing can be added any more."""
    found = by_id(page.request.id)
    request = settled(found) if found else None
    if (
        request is None
        or request.status != "open"
        or request.round != page.request.round
        or request.until <= log.now()
    ):
        raise Conflict("This was sent off already, or is over; nothing more can be added.", code="finished")
    return request


def take(page: Page, wanted: str, name: str, content: bytes) -> Stored:
    """Keep a file for one of the documents. Raises Invalid with a detail for it where the file is refused."""
    with lock_request(page.request.id):
        request = _open(page)
        item = next((one for one in request.items if one.id == wanted), None)
        if item is None:
            raise Invalid("No such document is asked for.", at=(wanted[:100], "Not asked for."))
        stored = keep_file(request, wanted, list(item.types), name, content)
        for former in item.files if not item.many else ():
            if former.id != stored.id:  # replaced once the new one is there
                files.remove(former.id)
    return stored


def keep_file(
    request: Request, wanted: str, types: list[str], name: str, content: bytes, **more: Any
) -> Stored:
    """Keep a file of the request. Raises Invalid with a detail for it where the file is refused, or everything together is too large."""
    most, there = settings.current().request_mb, files.of_request(request.id)
    if len(there) >= MOST_FILES:
        raise Invalid(
            "Too many files.",
            at=(wanted, f"At most {MOST_FILES} files are taken. Take one away, or put several into one PDF."),
        )
    if sum(file.bytes for file in there) + len(content) > most * 1_000_000:
        raise Invalid(
            "Too large together.",
            at=(wanted, f"All files together may have {most} MB. Take one away, or send them smaller."),
        )
    try:
        return files.put(
            request.subject,
            content,
            name,
            types,
            run=request.run,
            slot=wanted,
            now=log.now(),
            request=request.id,
            **more,
        )
    except Invalid as wrong:
        raise Invalid(wrong.message, code=wrong.code, at=wanted) from None


def take_away(page: Page, file_id: str) -> None:
    """Take a file away that was not sent off yet. Raises NotFound for one that is not of this request, or that somebody entered by hand."""
    with lock_request(page.request.id):
        request = _open(page)
        stored = next(
            (file for file in files.of_request(request.id) if file.id == file_id and file.by is None), None
        )
        if stored is None:
            raise NotFound("There is no such file here.")
        files.remove(stored.id)


def keep(page: Page, values: Mapping[str, Any]) -> None:
    """Keep what was typed so far; nothing is checked and nothing is sent off."""
    with lock_request(page.request.id):
        _keep(_open(page), values)


def _keep(request: Request, values: Mapping[str, Any]) -> None:
    known = {field.name for field in request.fields}
    keep_draft(request, {name: value for name, value in values.items() if name in known})


def submit(page: Page, values: Mapping[str, Any]) -> None:
    """Send off: the run goes on. The second of two at once finds it done. Raises Invalid with a detail for each document and field that is missing or wrong."""
    with lock_request(page.request.id):
        request = _open(page)
        _keep(request, values)
        typed, details = examine(page.fields, values)
        details += [
            {"field": field.name, "reason": page.words["iban"]}
            for field in page.fields
            if field.widget == "iban" and typed.get(field.name) and not iban.holds(str(typed[field.name]))
        ]
        items = request.items
        missing = page.words["is_missing"]
        details += [
            {"field": item.id, "reason": missing.format(label=item.label)} for item in items if item.missing
        ]
        if details:
            raise Invalid(page.words["wrong"], details=details)
        for item in items:
            for stored in item.files:
                if stored.by is None:  # who entered one by hand was noted then
                    request_rows.received(request, ENGINE, stored)
        hand_in(request, typed, request.asked["to"])


def hand_in(request: Request, typed: Mapping[str, Any], sender: str | None, by: Any = ENGINE) -> bool:
    """The run goes on with what is there; False where it waits no longer."""
    papers = {item.id: [stored.value for stored in item.files] for item in request.items}
    typed = {field["name"]: None for field in request.asked["form"]} | dict(typed)
    output = came(list(request.asked["documents"]), papers, typed, sender)
    values = {**typed, **{name: kept_there for name, kept_there in papers.items() if kept_there}}
    arrived = runs.arrive(
        by, request.run, request.id, outcome=RECEIVED, values=_plain(values), output=_plain(output)
    )
    if arrived:
        close(request, RECEIVED)
    else:
        settled(request)
    return arrived


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if is_empty(value) and not isinstance(value, list) else value
        for name, value in values.items()
    }
