"""A workflow's messages tried on real contacts before it is activated: what each would be told by the gate now, and which merge fields are empty.

Nothing is written or sent. Tried are at most `MOST` contacts whom the reader sees, with the texts as far as they are made of the record alone: what a run
would add to them is known to the run.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from console import browse, log, records, steps
from console.browse import BrowseQuery
from console.core import expressions, merge_fields
from console.core.actor import Actor
from console.core.contacting import KINDS, Contact, Outgoing, Rules, Skip, Used, Verdict, WaitUntil, judge
from console.core.documents.collections import Collection
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError, Invalid
from console.core.policy import rules
from console.formats import label_of as said_of
from console.messaging.messages import message_rows, recipients, rules as kept_rules
from console.messaging.messages.message_rows import Message
from console.steps.base import StepView
from console.steps.message_settings import EMPTY, MessageStep, seconds_of

MOST = 200
LONGEST_S = 10.0
ALONE = frozenset({"record", "variables", "tables", "now"})
"""Roots of which the values are known before a run."""
NAMED = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """A merge field that is empty for `count` of the contacts; `titles` are the first of them."""

    field: str
    count: int
    titles: Sequence[str]


@dataclass(slots=True)
class StepTrial:
    """What the messages of one step would come to now: how many would leave, wait for a reason, or be skipped for one."""

    step: str
    title: str
    channel: str
    leave: int = 0
    wait: Counter[str] = field(default_factory=Counter)
    skip: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """TRIAL of the API."""
        reasons = {
            name: [{"reason": reason, "count": count} for reason, count in counts.most_common()]
            for name, counts in (("wait", self.wait), ("skip", self.skip))
        }
        gaps = [{"field": gap.field, "count": gap.count} for gap in self.gaps]
        return {
            "step": self.step,
            "title": self.title,
            "channel": self.channel,
            "leave": self.leave,
            **reasons,
            "missing": gaps,
        }


@dataclass(frozen=True, slots=True)
class ContactTrial:
    """The trial of a document. `tried` contacts were looked at; `more`: there are others."""

    tried: int
    more: bool
    steps: Sequence[StepTrial]

    @property
    def gaps(self) -> list[tuple[StepTrial, Gap]]:
        """Every merge field that is empty for somebody, with its step."""
        return [(step, gap) for step in self.steps for gap in step.gaps]

    def to_json(self) -> dict[str, Any]:
        """TRIAL of the API."""
        return {"tried": self.tried, "more": self.more, "steps": [step.to_json() for step in self.steps]}


def has_messages(document: Workflow) -> bool:
    """Whether the document has steps that write to or call the contact of the run's record."""
    return (
        document.collection is not None
        and bool(message_steps(document))
        and _of_contacts(document.collection) is not None
    )


def try_contacts(
    actor: Actor, document: Workflow, query: BrowseQuery | None = None, *, gaps_alone: bool = False
) -> ContactTrial:
    """The trial on the first contacts of the list that `query` names (None: the first of all). Raises NotFound, Malformed, Invalid, SourceDown.

    `gaps_alone`: what the gate says is not asked, which costs most.
    """
    collection = _of_contacts(document.collection) if document.collection is not None else None
    if collection is None:
        reason = "This workflow is not about contacts: say under Settings, Collections, Contacts which field is what."
        raise Invalid(reason, at="collection")
    page_query = query or BrowseQuery()
    _, scope = browse.browsed_collection(actor, collection.id)
    where, segment, sought = browse.question(actor, collection, scope, page_query)
    page = records.page(collection.id, scope, where=where, segment=segment, q=sought, limit=MOST)
    views = message_steps(document)
    made = [StepTrial(view.id, view.title, kind_of(view).channel) for view in views]
    lacking: list[dict[str, list[str]]] = [{} for _ in views]
    count, until, now, house = 0, time.monotonic() + LONGEST_S, log.now(), kept_rules.current()
    there, used = (
        ({}, {})
        if gaps_alone
        else _reached(
            collection.id, [row.key for row in page.rows if row.key is not None], now - house.longest
        )
    )
    for row in page.rows:
        if row.key is None or time.monotonic() > until:
            break
        count += 1
        roots = {"record": collection.typed(row.values), "now": now, **rules(document, now).roots}
        for view, gaps in zip(views, lacking, strict=True):
            for name in gaps_of(collection, view, roots):
                gaps.setdefault(name, []).append(row.title)
        if (contact := there.get(row.key)) is None:
            continue  # it is gone since the page was read, or nobody asks
        for view, trial in zip(views, made, strict=True):
            _count(trial, verdict(collection, view, contact, roots, used.get(row.key, ()), now, house))
    for trial, gaps in zip(made, lacking, strict=True):
        trial.gaps += [Gap(name, len(titles), titles[:NAMED]) for name, titles in gaps.items()]
    return ContactTrial(count, count < len(page.rows) or page.next is not None, made)


def _reached(
    collection: str, keys: Sequence[str], since: datetime
) -> tuple[dict[str, Contact], dict[str, list[Used]]]:
    """(key → the contact, key → what reached it since then); nobody while the source cannot be read. A few statements for all."""
    try:
        there = recipients.contacts_at(collection, keys)
    except ConsoleError:
        return {}, {}
    return there, message_rows.used_of_each(
        collection, {key: recipients.own_addresses(contact) for key, contact in there.items()}, since
    )


def _of_contacts(collection_id: str) -> Collection | None:
    collection = records.collection(collection_id)
    return collection if collection.contact is not None else None


def message_steps(document: Workflow, *, chats: bool = False) -> list[StepView]:
    """The steps that write to or call somebody outside, with `chats` also those that write to a chat; of a draft those that are complete."""
    kinds = ((step, steps.get(step.type)) for step in document.steps if steps.is_readable(step))
    return [
        steps.view(step)
        for step, kind in kinds
        if isinstance(kind, MessageStep) and (chats or kind.channel != "chat")
    ]


def kind_of(view: StepView) -> MessageStep:
    """The type of a step that sends a message."""
    kind = steps.get(view.type)
    assert isinstance(kind, MessageStep)  # noqa: S101 (as they were chosen)
    return kind


def gaps_of(collection: Collection, view: StepView, roots: Mapping[str, Any]) -> list[str]:
    """The merge fields of the step that give nothing for this record, by the labels of their fields; each once."""
    texts = [located.text for located in kind_of(view).templates(view.config)]
    known = {name: value for name, value in roots.items() if name in ALONE}
    return [
        ", ".join(sorted({label_of(collection, path) for path in paths}))
        for paths in merge_fields.empty_fields(texts, known)
    ]


def label_of(collection: Collection, path: Sequence[str]) -> str:
    """What people call the field that a merge field reads."""
    known = collection.by_name.get(path[1]) if len(path) > 1 else None
    return known.label if known is not None else ".".join(path)


def verdict(
    collection: Collection,
    view: StepView,
    contact: Contact,
    roots: Mapping[str, Any],
    used: Iterable[Used],
    now: datetime,
    house: Rules,
) -> Verdict | None:
    """What the gate would say now to the message of this step; None where only a run knows its address. `roots` as far as they are known, `house` its rules."""
    kind, named = kind_of(view), view.config.to
    if named is not None and any(
        path[0] not in ALONE for path in expressions.paths(expressions.parse(named))
    ):
        return None
    own = contact.email if kind.channel == "email" else contact.phone
    to = expressions.parse(named).evaluate(roots) if named is not None else own
    address, why = recipients.address_of(kind.channel, str(to or "") or own, contact.country)
    empty = ", ".join(gaps_of(collection, view, roots))
    outgoing = Outgoing(
        next(each for each in KINDS if each == kind.channel),
        kind.consent,
        now,
        timedelta(seconds=seconds_of(view.config.expires)),
        why,
        empty,
        view.config.about,
    )
    return judge(outgoing, contact, recipients.zones_of(contact, address), used, now, house)


def _count(trial: StepTrial, said: Verdict | None) -> None:
    match said:
        case None:
            trial.wait["The run says to whom."] += 1
        case WaitUntil(_, "quiet_hours", _):
            trial.wait["Quiet hours"] += 1
        case WaitUntil(_, _, reason):
            trial.wait[reason] += 1
        case Skip(code, reason):
            trial.skip["Consent was withdrawn." if code == "consent_withdrawn" else reason] += 1
        case _:
            trial.leave += 1


def empty_fields(message: Message, content: Any) -> str:
    """The merge fields of its text that gave nothing, by what people call them; empty where it has no gap."""
    return empty_labels(message.collection, [tuple(map(str, path)) for path in content.get(EMPTY) or ()])


def empty_labels(collection_id: str | None, paths: Sequence[Sequence[str]]) -> str:
    """What people call these paths of merge fields, those of a record by the labels of its collection."""
    collection = records.collection(collection_id) if paths and collection_id else None
    return ", ".join(
        sorted(
            {
                label_of(collection, path) if collection and path[0] == "record" else said_of(path[-1])
                for path in paths
            }
        )
    )
