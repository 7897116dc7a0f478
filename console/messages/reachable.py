"""Whom a workflow's messages can reach, of those who would be enrolled: how many by each channel, and why the others not. Nothing is written or sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from console import log, records
from console.core.contacting import Skip, WaitUntil
from console.core.documents.workflow import Workflow
from console.core.policy import rules
from console.core.scopes import whole
from console.messages import contact_trials, message_reasons, message_rows, reaching
from console.steps.base import StepView

MOST = 5_000
"""Contacts of one preview that are looked at; what holds for them is likely to hold for the others."""
AT_ONCE = 200
WEEK = timedelta(days=7)


@dataclass(slots=True)
class ChannelReach:
    """One channel of the workflow: how many it reaches, how many of them only later (hours, caps; `over_cap` for the second), and why not the others, by reason."""

    channel: str
    reached: int = 0
    later: int = 0
    over_cap: int = 0
    why: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Reach:
    """What is known of those who were looked at. `unreached` are those whom no channel of the workflow reaches; `more`: others were not looked at."""

    looked: int = 0
    unreached: int = 0
    more: bool = False
    channels: dict[str, ChannelReach] = field(default_factory=dict)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any] | None) -> Self:
        """The inverse of `to_json`."""
        if not stored:
            return cls()
        made = cls(stored["looked"], stored["unreached"], stored["more"])
        for each in stored["channels"]:
            why = Counter({reason["reason"]: reason["count"] for reason in each["why"]})
            made.channels[each["channel"]] = ChannelReach(each["channel"], each["reached"], each["later"], each.get("over_cap", 0), why)
        return made

    def to_json(self) -> dict[str, Any]:
        """REACH of the API."""
        channels = [
            {
                "channel": each.channel,
                "reached": each.reached,
                "later": each.later,
                "over_cap": each.over_cap,
                "why": [{"reason": reason, "count": count} for reason, count in each.why.most_common()],
            }
            for each in self.channels.values()
        ]
        return {"looked": self.looked, "unreached": self.unreached, "more": self.more, "channels": channels}


def look(document: Workflow, keys: Sequence[str], before: Reach) -> Reach:
    """What is known of `before` and of these records, as far as `MOST` allows. Raises SourceDown, NotFound for an unknown collection."""
    views, collection = _distinct(contact_trials.message_steps(document)), document.collection
    if collection is None or not views:
        return before
    wanted = list(keys[: max(0, MOST - before.looked)])
    before.more = before.more or len(wanted) < len(keys)
    for view in views:
        before.channels.setdefault(_channel_of(view), ChannelReach(_channel_of(view)))
    for start in range(0, len(wanted), AT_ONCE):
        _look(document, collection, views, wanted[start : start + AT_ONCE], before)
    return before


def _look(document: Workflow, collection_id: str, views: Sequence[StepView], keys: Sequence[str], reach: Reach) -> None:
    now = log.now()
    known = rules(document, now).roots
    collection = records.collection(collection_id)
    values = {key: record.values for key, record in records.named(collection_id, keys, whole(collection_id), None).items()}
    people = reaching.contacts_at(collection_id, keys)
    used = message_rows.used_of_each(collection_id, keys, now - WEEK)
    for key, contact in people.items():
        roots = {"record": collection.typed(values.get(key, {})), "now": now, **known}
        by_channel: dict[str, list[Any]] = {}
        for view in views:
            by_channel.setdefault(_channel_of(view), []).append(
                contact_trials.verdict(collection, view, contact, roots, used.get(key, ()), now)
            )
        reach.looked += 1
        reach.unreached += all(isinstance(each, Skip) for verdicts in by_channel.values() for each in verdicts)
        for channel, verdicts in by_channel.items():
            _count(reach.channels[channel], verdicts)


def _count(channel: ChannelReach, verdicts: Sequence[Any]) -> None:
    """Somebody is reached by a channel where one of its messages leaves, now or later."""
    leaving = [each for each in verdicts if not isinstance(each, Skip)]
    if not leaving:
        refused = verdicts[0]
        channel.why[message_reasons.of_many(refused.code, refused.reason)] += 1
        return
    channel.reached += 1
    waiting = [each.code for each in leaving if isinstance(each, WaitUntil)]
    channel.later += len(waiting) == len(leaving)
    channel.over_cap += waiting == ["over_cap"] * len(leaving)


def _channel_of(view: StepView) -> str:
    """`sms`, `email`, `call`, `ai_call`: what consent is kept by."""
    kind = contact_trials.kind_of(view)
    return kind.consent or kind.channel


def _distinct(views: Sequence[StepView]) -> list[StepView]:
    """One step for each channel and address: all others of them would be judged alike."""
    return list({(_channel_of(view), view.config.to): view for view in views}.values())
