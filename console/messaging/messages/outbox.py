"""The outbox: every message that left, waits, was skipped or failed, and those that came in, for one reader.

Who may not see the contact sees nothing of its messages, not even that there are any. Newest first, by keyset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import browse, records, workflows
from console.auth import access
from console.core.actor import Actor
from console.core.contacting import KINDS, WORDS
from console.core.errors import ConsoleError, Malformed, NotAllowed, NotFound
from console.core.list_addresses import cursor_of
from console.core.moments import moment_text
from console.core.stop_words import asks_again
from console.infra import jobs, subjects
from console.infra.db.engine import fetch
from console.log import masking
from console.messaging.messages import inbound, message_reasons, message_rows, opting_out
from console.messaging.messages.message_rows import Message
from console.runs.views import reader_reach
from console.runs.views.lists import visible_pairs

STATUSES = (
    "waiting",
    "sent",
    "delivered",
    "skipped",
    "expired",
    "failed",
    "received",
    "unknown",
    "cancelled",
)
SHOWN_AS = {"sending": "waiting"}
UNKNOWN = "unknown"
SETTLED = {
    "sent": ("sent", "Somebody has looked, and said that it reached them."),
    "skipped": ("skipped", "Somebody has looked, and went on without it."),
    "again": ("skipped", "Somebody has looked, and had it sent again."),
}
"""What came of a message by the word of a person, where nobody could tell whether it left → the status that it is shown with, a sentence."""
_BY_HAND = """
case when exists (select from console.message l where l.run = message.run and l.n = message.n and l.asked_at > message.asked_at and l.of is distinct from message.id)
then 'again' else (select case when a.outcome in ('skipped', 'failed', 'expired', 'error') then 'skipped' else 'sent' end
from console.attempt a where a.run = message.run and a.n = message.n and a.status = 'done') end
"""
SHOWN = f"case when status <> 'unknown' then status else coalesce((case {_BY_HAND} when 'sent' then 'sent' when 'skipped' then 'skipped' when 'again' then 'skipped' end), 'unknown') end"
MOST = 100
GONE = "A contact that is gone"
ROUNDS = 5
"""How many pages of rows are read for one page of a reader who sees few of the contacts."""


@dataclass(frozen=True, slots=True)
class OutboxQuery:
    """Filters of the URL. `contact` is a record's key, with its collection and a slash before it where several have that key, or `unknown`: what came
    from strangers and was not put aside. `status` may be several with commas between them; `since` and `before` bound when it changed last; `after` is a cursor.
    """

    contact: str = ""
    workflow: str = ""
    channel: str = ""
    status: str = ""
    run: str = ""
    limit: int = 50
    after: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A message for one reader. `who` is the contact's title, None for nobody in the users' databases; `text` None where it was erased.

    `hidden`: its texts were made of something that the reader may not read, and are left out, with what came back. `result`: what became of it in words. `settled`: what came of it by the word of a person, as in `SETTLED`. `sender`: the address or number of one that came in; `ended`: it took consent back.
    """

    message: Message
    who: str | None
    workflow: str
    text: str | None
    subject: str
    result: Mapping[str, Any]
    hidden: bool = False
    sender: str = ""
    settled: str = ""
    ended: bool = False

    @property
    def gone(self) -> bool:
        """Whether its contact is no longer there."""
        return self.who == GONE

    @property
    def status(self) -> str:
        """The status as people read it; of one of which nobody could tell whether it left, what a person has said."""
        return (
            SETTLED[self.settled][0]
            if self.settled
            else SHOWN_AS.get(self.message.status, self.message.status)
        )

    @property
    def reason(self) -> str:
        """Why it waits, was skipped or failed; of one that came in, what it ended."""
        if self.message.direction == "in" and self.who is not None and self.ended:
            named = [WORDS[channel] for channel in inbound.STOPPED.get(self.message.channel, ())]
            return (
                f"Says stop: consent to {' and '.join(', '.join(named).rsplit(', ', 1))} is withdrawn."
                if named
                else ""
            )
        if self.message.direction == "in" and self.who is not None and self.text and asks_again(self.text):
            return "Says start. Consent that was withdrawn stays so until somebody notes on the contact's page that they agreed again."
        if self.message.status == "cancelled":
            return message_reasons.of_many(self.message.code or "")
        if held := self._held():
            return held
        if self.settled:
            return f"It could not be told whether it left. {SETTLED[self.settled][1]}"
        if self.message.status == UNKNOWN and self.message.outcome is None:
            return f"{self.result.get('reason', '')} The provider is asked again; until it is clear nothing is sent.".strip()
        if self.message.status == "sent" and self.message.channel == "call" and self.message.outcome is None:
            return "The call is asked for; how it ends is awaited."
        others = self.result.get("not_to")
        alone = (
            f"It went to the first address alone, not to {others}."
            if others and self.message.sent_at is not None
            else ""
        )
        return f"{alone} {self.result.get('reason', '')}".strip()

    @property
    def said(self) -> str:
        """What the provider says of the reason in its own words; empty where it says nothing, or something else holds the message now."""
        return (
            str(self.result.get("said", ""))
            if self.reason.endswith(str(self.result.get("reason") or "-"))
            else ""
        )

    def _held(self) -> str:
        """What holds a message that waits, as long as nobody ends it; empty for nothing."""
        message = self.message
        if message.status != "waiting":
            return ""
        if jobs.paused():
            return "Everything is paused: it leaves when that ends, if it may then."
        paused = message.run is not None and any(
            each.id == message.workflow and each.status == "paused" for each in workflows.all_known()
        )
        return (
            "Its workflow is paused: it leaves when that is active again, if it may then." if paused else ""
        )

    @property
    def until(self) -> datetime | None:
        """When it leaves, for one that waits; None where nobody knows."""
        return self.message.due_at if self.message.status == "waiting" and not self._held() else None

    def to_json(self) -> dict[str, Any]:
        """MESSAGE of the API."""
        message, result = self.message, self.result
        return {
            "id": message.id,
            "channel": message.channel,
            "direction": message.direction,
            "contact": message.record,
            "collection": message.collection,
            "name": self.who,
            "status": self.status,
            "code": message.code,
            "reason": self.reason or None,
            "said": self.said or None,
            "until": moment_text(self.until),
            "run": message.run,
            "workflow": self.workflow or None,
            "step": message.step,
            "attempt": message.number,
            "outcome": message.outcome,
            "label": result.get("label"),
            "subject": self.subject or None,
            "text": self.text,
            "hidden": self.hidden,
            "consent": result.get("basis"),
            "at": moment_text(message.at),
            "asked_at": moment_text(message.asked_at),
            "sent_at": moment_text(message.sent_at),
            "opened_at": moment_text(message.opened_at),
            "provider": message.provider,
            "provider_id": message.provider_id,
            "sandbox": message.sandbox,
        }


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """Lines, and the cursor of the page below; None at the end. `down`: a data source did not answer, so that some may be missing."""

    lines: Sequence[Line]
    next: str | None
    down: bool = False


def may_read(actor: Actor) -> bool:
    """Whether the actor could see a message: of a workflow that they may see, of contacts that they may read, or as who manages channels."""
    if access.can(actor, None, "source", "manage"):
        return True
    return any(
        collection.contact is not None and access.can(actor, None, f"collection:{collection.id}", "read")
        for collection in records.collections()
    )


def find(actor: Actor, query: OutboxQuery) -> OutboxPage:
    """The messages that the actor may see. Raises NotAllowed, Malformed for a wrong filter or cursor.

    One statement for each page of rows, one for the subjects' keys, and for each collection one for the titles of its contacts.
    """
    if not may_read(actor):
        raise NotAllowed("Messages are for those who may read contacts.", need=("source", "manage"))
    where, given = _where(actor, query)
    lines: list[Line] = []
    closed = reader_reach.hidden_from(actor)
    cursor, down = cursor_of(query.after, "msg_") if query.after else None, False
    limit = max(1, min(query.limit, MOST))
    for _ in range(ROUNDS):
        rows = _rows(where, given, cursor, limit + 1)
        seen, gone = _seen(actor, rows[:limit])
        down, settled = down or gone, _settled(rows[:limit])
        ended = _ended(rows[:limit])
        for message in rows[:limit]:
            cursor = (message.at, message.id)
            if message.id in seen:
                lines.append(
                    _line(
                        message,
                        seen[message.id],
                        closed,
                        settled.get(message.id, ""),
                        ended=message.id in ended,
                    )
                )
                if len(lines) == limit:
                    break
        more = len(rows) > limit or (bool(rows) and cursor != (rows[-1].at, rows[-1].id))
        if not more or len(lines) == limit:
            return OutboxPage(
                lines, f"{moment_text(cursor[0])}~{cursor[1]}" if more and cursor else None, down
            )
    return OutboxPage(lines, f"{moment_text(cursor[0])}~{cursor[1]}" if cursor else None, down)


def by_id(actor: Actor, message_id: str) -> Line:
    """One message. Raises NotFound, in the same words, for one that is not there or not for this reader."""
    message = message_rows.by_id(message_id)
    if message is None or not _may_know(actor, message):
        raise NotFound
    seen, _ = _seen(actor, [message])
    if message.id not in seen:
        raise NotFound
    settled, ended = _settled([message]).get(message.id, ""), bool(_ended([message]))
    return _line(message, seen[message.id], reader_reach.hidden_from(actor), settled, ended=ended)


def _ended(messages: Sequence[Message]) -> set[str]:
    """Those that came in and took consent back. At most one statement."""
    return opting_out.ended_by([message.id for message in messages if message.direction == "in"])


def _settled(messages: Sequence[Message]) -> dict[str, str]:
    """Id → what a person said came of it, as in `SETTLED`, for those of which nobody could tell whether they left. At most one statement."""
    unclear = [message.id for message in messages if message.status == UNKNOWN and message.run is not None]
    rows = (
        fetch(f"select id, {_BY_HAND} from console.message where id = any(%s)", (unclear,)) if unclear else []  # noqa: S608 (texts of ours)
    )
    return {message_id: said for message_id, said in rows if said is not None}


def pending(run_id: str) -> Message | None:
    """The newest message that the run waits for; for callers who have judged that the run may be seen."""
    rows = message_rows.read(
        "run = %s and direction = 'out' order by asked_at desc, number desc limit 1", (run_id,)
    )
    return rows[0] if rows else None


def pending_of(run_ids: Sequence[str]) -> dict[str, Message]:
    """Run → the newest message that it waits for; callers as of `pending`."""
    if not run_ids:
        return {}
    inner = "select distinct on (run) id from console.message where run = any(%s) and direction = 'out' order by run, asked_at desc, number desc"
    found = message_rows.read(f"id in ({inner})", (list(run_ids),))
    subjects.load({message.subject for message in found})
    return {message.run: message for message in found if message.run is not None}


def failed_afterwards(actor: Actor, run_id: str) -> list[Line]:
    """The run's messages that had left, so that it went on, and that failed later: a bounce, a receipt of the provider. Callers as of `pending`.

    Of a contact that the actor may not see a line says that the message failed, and not why.
    """
    failed = message_rows.read(
        "run = %s and status = 'failed' and outcome = 'sent' order by at desc, id desc limit %s",
        (run_id, MOST),
    )
    if not failed:
        return []
    seen, _ = _seen(actor, failed)
    closed = reader_reach.hidden_from(actor)
    return [
        _line(message, seen[message.id], closed)
        if message.id in seen
        else Line(message, None, "", None, "", {}, hidden=True)
        for message in failed
    ]


def _where(actor: Actor, query: OutboxQuery) -> tuple[str, list[Any]]:
    conditions, given = ["(label is null or label = any(%s))"], list[Any]([sorted(access.clearance(actor))])
    pairs = sorted(visible_pairs(actor))
    conditions.append("(run is null or (team, workflow) in (select * from unnest(%s::text[], %s::text[])))")
    given += [[team for team, _ in pairs], [name for _, name in pairs]]
    if query.channel:
        _one_of("channel", query.channel, KINDS)
        conditions.append("channel = %s")
        given.append(query.channel)
    if query.status:
        wanted = query.status.split(",")
        for each in wanted:
            _one_of("status", each, STATUSES)
        stored = [*wanted, *(row for row, shown in SHOWN_AS.items() if shown in wanted)]
        conditions.append(f"status = any(%s) and {SHOWN} = any(%s)")
        given += [[*stored, UNKNOWN], stored]
    if query.workflow:
        known = [
            workflow.id
            for workflow in workflows.all_known()
            if query.workflow in (workflow.slug, workflow.id)
        ]
        conditions.append("workflow = any(%s)")
        given.append(known)
    for moment, test in ((query.since, "at >= %s"), (query.before, "at < %s")):
        if moment is not None:
            conditions.append(test)
            given.append(moment)
    if query.run:
        conditions.append("run = %s")
        given.append(query.run.replace("\x00", ""))
    if query.contact == UNKNOWN:
        conditions.append(inbound.STRANGERS)
    elif query.contact:
        collection, slash, key = query.contact.replace("\x00", "").partition("/")
        conditions.append("record = %s" + (" and collection = %s" if slash else ""))
        given += [key, collection] if slash else [collection]
    return " and ".join(conditions), given


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise Malformed(f"{name} is one of {', '.join(allowed)}.", at=(name, f"One of {', '.join(allowed)}."))


def _rows(where: str, given: Sequence[Any], cursor: tuple[datetime, str] | None, limit: int) -> list[Message]:
    below = " and (at, id) < (%s, %s)" if cursor else ""
    return message_rows.read(
        f"{where}{below} order by at desc, id desc limit %s", (*given, *(cursor or ()), limit)
    )


def _may_know(actor: Actor, message: Message) -> bool:
    if message.label is not None and message.label not in access.clearance(actor):
        return False
    return message.run is None or (message.team, message.workflow) in visible_pairs(actor)


def _seen(actor: Actor, messages: Sequence[Message]) -> tuple[Mapping[str, str | None], bool]:
    """(id of each message that the actor may see → title of its contact, whether a source is down).

    Messages of strangers are for those who manage channels, those to contacts who are gone for who sees all contacts.
    """
    wanted: dict[str, set[str]] = {}
    for message in messages:
        if message.collection is not None and message.record is not None:
            wanted.setdefault(message.collection, set()).add(message.record)
    titles: dict[tuple[str, str], str] = {}
    down = False
    for collection, keys in wanted.items():
        if not access.can(actor, None, f"collection:{collection}", "read"):
            continue
        try:
            scope = access.scope_for(actor, collection, "read")
            named = browse.titles(actor, collection, sorted(keys), scope)
        except NotFound:
            continue
        except ConsoleError:
            down = True
            continue
        titles |= dict.fromkeys(((collection, key) for key in keys), GONE) if scope.unlimited else {}
        titles |= {(collection, key): title for key, title in named.items()}
    manages = access.can(actor, None, "source", "manage")
    found: dict[str, str | None] = {}
    for message in messages:
        if message.collection is None or message.record is None:
            if manages or message.run is not None:
                found[message.id] = None
        elif (title := titles.get((message.collection, message.record))) is not None:
            found[message.id] = title
    subjects.load({message.subject for message in messages if message.id in found})
    return found, down


def _line(
    message: Message, who: str | None, closed: masking.Within, settled: str = "", *, ended: bool = False
) -> Line:
    definition = workflows.readable_version(message.workflow, message.version) if message.workflow else None
    title = definition.document.title if definition is not None else ""
    if message.step and masking.sent_hidden(
        masking.hidden_of_run(closed, message.workflow, message.version, message.step, message.run)
    ):
        return Line(message, who, title, None, "", {}, hidden=True, settled=settled)
    content, result = message.content, message.result
    if closed(message.collection):  # a provider's own words may repeat any of what its contact is made of
        result = {name: value for name, value in result.items() if name != "said"}
    text = None
    if content is not None:
        text = str(result.get("script", "")) or str(
            content.get("text") or (content.get("scripts") or [""])[0]
        )
    told = content or {}
    return Line(
        message,
        who,
        title,
        text,
        str(told.get("subject", "")),
        result,
        sender=str(told.get("from", "")),
        settled=settled,
        ended=ended,
    )
