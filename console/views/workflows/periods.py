"""Why a workflow did so much, or nothing, between two days: whether it was on, what its triggers did, whom its messages reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console import automation, formats, messages
from console.automation import FiringCount, Listed
from console.messages import MessageCount
from console.views import frame
from console.views.frame import Badge
from console.views.workflows import tabs
from console.workflows import Known

LONGEST = timedelta(days=31)
"""Of a longer period nothing is told: what fired long ago is forgotten."""
MOST_REASONS = 3
CHANNELS = {"email": "E-mail", "sms": "SMS", "call": "Calls", "chat": "Chat"}
LEFT = ("sent", "delivered")
_STARTED = ("started", "waiting")


@dataclass(frozen=True, slots=True)
class Explained:
    """One line: what it is about, how it stands, a sentence, and where more is told."""

    title: str
    state: Badge
    text: str
    url: str


def explain(known: Known, since: datetime | None, until: datetime | None, *, runs: bool) -> list[Explained]:
    """Return what there is to say of the time from `since` to before `until`, in which there are runs or none; nothing without a beginning, or if that is too long."""
    now = frame.look().now
    end = min(until or now, now)
    if since is None or end <= since or end - since > LONGEST:
        return []
    actor = frame.actor()
    _, triggers = automation.listed(actor, known.slug)
    fired = automation.firings_counted(actor, known.slug, since, end)
    sent = messages.counted(actor, known.id, since, end)
    return [
        *(() if runs else _switched(known, end)),
        *(_trigger(known, trigger, [each for each in fired if each.trigger == trigger.id]) for trigger in triggers),
        *(
            _channel(known, name, [each for each in sent if each.channel == kind])
            for kind, name in CHANNELS.items()
            if any(each.channel == kind for each in sent)
        ),
    ]


def _switched(known: Known, end: datetime) -> list[Explained]:
    look = frame.look()
    badge, url = tabs.STATUS[known.status], tabs.address(known.slug)
    if known.status != "active":
        return [Explained("The workflow", badge, "Its triggers start nothing, and nobody can be enrolled.", url)]
    if known.since is not None and known.since >= end:
        words = f"It was not active in this time; switched on {formats.ago(known.since, look)}."
        return [Explained("The workflow", Badge("Off then", "warn", "player-pause"), words, url)]
    return []


def _trigger(known: Known, trigger: Listed, fired: Sequence[FiringCount]) -> Explained:
    title = trigger.definition.title or automation.trigger_words(trigger.definition)
    url = tabs.address(known.slug, "/triggers")
    count = sum(each.count for each in fired)
    if trigger.problem:
        return Explained(title, Badge("Problem", "bad", "alert-triangle"), trigger.problem, url)
    if not trigger.enabled:
        return Explained(title, Badge("Off", "", "ban"), "It is switched off." if not count else _outcome(fired), url)
    if not count:
        return Explained(
            title, Badge("Did not fire", "warn", "clock"), "Nothing that it waits for happened, or its filter let none pass.", url
        )
    return Explained(title, Badge(f"{count:,} times" if count > 1 else "Once", "good", "check"), _outcome(fired), url)


def _outcome(fired: Sequence[FiringCount]) -> str:
    began = sum(each.count for each in fired if each.status in _STARTED)
    others = sum(each.count for each in fired) - began
    text = f"{began:,} started" if began else "Nothing started"
    return (
        f"{text}; {others:,} did not: {_reasons([(each.why, each.count) for each in fired if each.status not in _STARTED])}"
        if others
        else text
    )


def _channel(known: Known, name: str, sent: Sequence[MessageCount]) -> Explained:
    left = sum(each.count for each in sent if each.status in LEFT)
    waiting = [each for each in sent if each.status in ("waiting", "sending")]
    not_sent = [each for each in sent if each.status not in (*LEFT, "waiting", "sending")]
    parts = [f"{left:,} sent"] if left else []
    for words, group in (("waiting", waiting), ("not sent", not_sent)):
        if group:
            why = _reasons([(each.reason[:1].lower() + each.reason[1:], each.count) for each in group])
            parts.append(f"{sum(each.count for each in group):,} {words}{f' ({why})' if why else ''}")
    badge = Badge("Sent", "good", "check") if left else Badge("None sent", "warn", "clock")
    return Explained(name, badge, "; ".join(parts).capitalize(), f"/outbox?workflow={known.slug}")


def _reasons(counted: Sequence[tuple[str, int]]) -> str:
    """Return the most frequent reasons with how often each, in words."""
    given: dict[str, int] = {}
    for why, count in counted:
        if why:
            given[why] = given.get(why, 0) + count
    most = sorted(given.items(), key=lambda each: -each[1])
    words = [f"{why.rstrip('.')} ({count:,})" for why, count in most[:MOST_REASONS]]
    return ", ".join([*words, *(["and others"] if len(most) > MOST_REASONS else [])])
