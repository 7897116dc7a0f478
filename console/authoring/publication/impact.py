"""What publishing a draft would do, before somebody does it: what differs, whom it concerns, what starts soon, who lacks which right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from console import log, records, runs, steps, workflows
from console.auth import access
from console.authoring.publication.needed_rights import MissingRight, missing_rights
from console.automation import enrolments, triggers
from console.core import drafting, schedule
from console.core.actor import Actor
from console.core.contacting import CASE
from console.core.documents.collections import Collection
from console.core.documents.triggers import Trigger, complete_triggers
from console.core.documents.workflow import Stake
from console.core.documents.workflow_check import Problem
from console.core.drafting import Difference
from console.core.errors import ConsoleError
from console.core.filters import Filter, Test
from console.core.scopes import Scope
from console.runs.views import step_stakes
from console.steps.message_settings import MessageStep
from console.workflows import Draft

AHEAD = timedelta(hours=24)
MOST_FIRINGS = 24 * 60
MOST_COUNTED = 10_000
STAKES: Mapping[Stake, str] = {
    "money": "money moves here or in a step that follows",
    "restriction": "somebody may be restricted",
    "irreversible": "it cannot be recalled",
}


@dataclass(frozen=True, slots=True)
class Firings:
    """A trigger of the draft that starts runs. `count` is how often its schedule fires within 24 hours, from `first` on (aware UTC); both None for
    a trigger that fires when something happens. `whom`: whom it lets in, a sentence each; none where it lets in whoever it is about.
    """

    trigger: Trigger
    whom: Sequence[str] = ()
    count: int | None = None
    first: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """The firings in the shape of the API."""
        first = log.body.moment(self.first) if self.first else None
        return {
            "trigger": self.trigger.id,
            "kind": self.trigger.kind,
            "words": self.words,
            "whom": list(self.whom),
            "count": self.count,
            "first": first,
        }

    @property
    def words(self) -> str:
        """What people call it: its title, else when it fires."""
        return self.trigger.title or triggers.trigger_words(self.trigger)


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """A channel that steps of the draft use. `new`: the live version does not. `reaches`: records with such an address, counted up to 10,000;
    None where that cannot be counted.
    """

    channel: str
    steps: Sequence[str]
    new: bool
    reaches: int | None

    def to_json(self) -> dict[str, Any]:
        """The use in the shape of the API."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Impact:
    """What publishing this revision of the draft would do, as far as the actor may see it.

    `running`: (version, live runs, saved ones among them). `waiting`: enrolled people who begin with the new version; `enrolled`: those inside, by
    version. `case_mail`: titles of the steps whose messages are about a case. `matching`: records that a start may be about, up to 10,000. `tests` None: the document has none.
    """

    draft: Draft
    live: Mapping[str, Any] | None
    publishes: int
    differences: Sequence[Difference]
    problems: Sequence[Problem]
    running: Sequence[tuple[int, int, int]]
    waiting: int
    enrolled: Mapping[int, int]
    firings: Sequence[Firings]
    rights: Sequence[MissingRight]
    channels: Sequence[ChannelUse]
    case_mail: Sequence[str]
    matching: int | None
    tests: Sequence[str] | None

    @property
    def same(self) -> bool:
        """Whether the draft is what is live already."""
        return self.live is not None and not self.differences

    @property
    def stopped(self) -> bool:
        """Whether problems stop publishing."""
        return any(each.severity == "error" for each in self.problems)

    def to_json(self) -> dict[str, Any]:
        """The impact in the shape of the API."""
        return {
            "revision": self.draft.revision,
            "live": self.draft.live,
            "publishes": self.publishes,
            "same": self.same,
            "differences": [each._asdict() for each in self.differences],
            "problems": [
                {"step": each.step, "field": each.field, "severity": each.severity, "message": each.reason}
                for each in self.problems
            ],
            "runs": [
                {"version": version, "live": live, "saved": saved} for version, live, saved in self.running
            ],
            "enrolments": {
                "waiting": self.waiting,
                "versions": {str(version): count for version, count in self.enrolled.items()},
            },
            "firings": [each.to_json() for each in self.firings],
            "rights": [each.to_json() for each in self.rights],
            "channels": [each.to_json() for each in self.channels],
            "case_mail": list(self.case_mail),
            "matching": self.matching,
            "tests": None if self.tests is None else list(self.tests),
        }


def impact(actor: Actor, slug_or_id: str) -> Impact:
    """What publishing the draft would do now. Raises NotFound, and NotAllowed for who may not edit the workflow."""
    draft = workflows.open_draft(actor, slug_or_id)
    return impact_of(actor, draft, workflows.newest_number(draft.id) + 1)


def impact_of(actor: Actor, draft: Draft, publishes: int, publisher: Actor | None = None) -> Impact:
    """What publishing a draft that was read already would do, as far as the actor may see it; `publishes` is the number that the version would get.

    `publisher`: in whose name it is published; None: in the actor's.
    """
    live, counts = (
        workflows.live_document(draft),
        enrolments.counts_for(actor, draft.id, draft.document.get("collection")),
    )
    scope = _scope(actor, draft.document.get("collection"))
    differences = (
        drafting.differences(live, workflows.as_published(draft.document)) if live is not None else []
    )
    same = live is not None and not differences
    return Impact(
        draft,
        live,
        draft.live if same and draft.live is not None else publishes,
        differences,
        [*(found := workflows.problems(draft)), *_never_alone(draft, found)],
        runs.live_versions(actor, draft.id),
        counts.waiting,
        counts.versions,
        _firings(draft),
        missing_rights(publisher or actor, draft.team or None, draft.document),
        _channels(draft.document, live, scope),
        _case_mail(draft.document),
        None if scope is None else _count(scope),
        _tests(draft.document),
    )


def _never_alone(draft: Draft, found: Sequence[Problem]) -> Iterator[Problem]:
    """The decisions that are the AI's, and that a person always makes because something is at stake."""
    decides = [
        step for step in draft.document.get("steps") or () if (step.get("config") or {}).get("maker") == "ai"
    ]
    if not decides or any(each.severity == "error" for each in found):
        return
    document = workflows.readable(draft.document)
    for step in decides:
        if stakes := step_stakes.at_stake(document, step["id"]):
            named = " and ".join(STAKES[stake] for stake in sorted(stakes))
            yield Problem(
                step["id"],
                "config.maker",
                f"The AI never decides this alone, a person does: {named}.",
                "warning",
            )


def _firings(draft: Draft) -> list[Firings]:
    """The triggers that would start runs."""
    now, found = log.now(), []
    status = known.status if (known := workflows.find_known(draft.id)) is not None else "draft"
    on = triggers.on_if_published(
        draft.id, workflows.status_once_published(status), complete_triggers(draft.document)
    )
    for trigger in on:
        whom = triggers.whom_words(trigger, draft.document.get("collection"))
        if trigger.kind in ("event", "webhook"):
            found.append(Firings(trigger, whom))
        elif trigger.kind == "schedule" and (moments := _moments(trigger, now)):
            found.append(Firings(trigger, whom, len(moments), moments[0]))
    return sorted(found, key=lambda each: (each.first is None, each.first or now))


def _moments(trigger: Trigger, now: datetime) -> list[datetime]:
    """When a schedule fires within 24 hours. A wrong schedule never fires; it is a problem of the draft."""
    zone = trigger.zone or "UTC"
    if (fields := trigger.fields) is None or schedule.wrong_cron(fields) or schedule.wrong_zone(zone):
        return []
    return [at for at in schedule.following(fields, zone, now, MOST_FIRINGS) if at <= now + AHEAD]


def _scope(actor: Actor, named: Any) -> tuple[Collection, Scope] | None:
    """The collection of the draft and what of it the actor may see; None without one that exists."""
    if not isinstance(named, str):
        return None
    try:
        return records.collection(named), access.scope_for(actor, named, "read")
    except ConsoleError:
        return None


def _count(seen: tuple[Collection, Scope], where: Filter | None = None) -> int | None:
    """How many records of the collection the actor sees, at most one more than 10,000; None while its source is down."""
    try:
        return records.count(seen[0].id, seen[1], where, cap=MOST_COUNTED)
    except ConsoleError:
        return None


def _channels(
    document: Mapping[str, Any], live: Mapping[str, Any] | None, seen: tuple[Collection, Scope] | None
) -> list[ChannelUse]:
    """Each channel with the steps that use it."""
    before = {step.get("type") for step in live["steps"]} if live is not None else set()
    using: dict[str, list[str]] = {}
    for step in document["steps"]:
        using.setdefault(str(step.get("type")), []).append(str(step.get("title") or step["id"]))
    return [
        ChannelUse(kind.title, using[name], name not in before, _reaches(kind, seen))
        for name, kind in steps.all_types().items()
        if name in using and isinstance(kind, MessageStep)
    ]


def _case_mail(document: Mapping[str, Any]) -> list[str]:
    """The titles of the steps whose messages are about a case that is under way."""
    kinds = steps.all_types()
    return [
        str(step.get("title") or step["id"])
        for step in document["steps"]
        if isinstance(kinds.get(str(step.get("type"))), MessageStep)
        and (step.get("config") or {}).get("about") == CASE
    ]


def _reaches(kind: MessageStep, seen: tuple[Collection, Scope] | None) -> int | None:
    """How many records of the collection have an address for this type of step; None where that cannot be told."""
    if seen is None or kind.channel == "chat" or seen[0].contact is None:
        return None
    named = seen[0].contact.email if kind.channel == "email" else seen[0].contact.phone
    if named is None or named in seen[1].hidden:
        return None
    return _count(seen, Test(named, "is_null", value=False))


def _tests(document: Mapping[str, Any]) -> list[str] | None:
    """The names of the tests that the document has; None where it has none."""
    written = document.get("tests")
    if not isinstance(written, list) or not written:
        return None
    return [
        str(each.get("name") or f"Test {place}")
        for place, each in enumerate(written, 1)
        if isinstance(each, Mapping)
    ]
