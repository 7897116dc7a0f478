"""Why a workflow did so much, or nothing, between two days: whether it was on, what its triggers did, whom its messages reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console import formats, workflows
from console.automation import triggers as automation
from console.automation.triggers import FiringCount, Listed
from console.messaging import messages
from console.messaging.messages import MessageCount
from console.views import frame
from console.views.frame import Badge
from console.views.workflows import tabs
from console.workflows import Known
from console.workflows.lifecycle import Switch

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


def explain(known: Known, since: datetime | None, until: datetime | None) -> list[Explained]:
    """Return what there is to say of the time from `since` to before `until`, with runs or without; nothing without a beginning, or if that is too long."""
    now = frame.look().now
    end = min(until or now, now)
    if since is None or end <= since or end - since > LONGEST:
        return []
    actor = frame.actor()
    _, triggers = automation.list_triggers(actor, known.slug)
    fired = automation.firings_counted(actor, known.slug, since, end)
    sent = messages.count_messages(actor, known.id, since, end)
    return [
        *_switched(known, since, end),
        *(
            _trigger(known, trigger, [each for each in fired if each.trigger == trigger.id])
            for trigger in triggers
        ),
        *(
            _channel(known, name, [each for each in sent if each.channel == kind])
            for kind, name in CHANNELS.items()
            if any(each.channel == kind for each in sent)
        ),
    ]


def _switched(known: Known, since: datetime, end: datetime) -> list[Explained]:
    """Say when the workflow was not active in this time; nothing if it was all the time."""
    look, url = frame.look(), tabs.address(known.slug)
    off = _off(known, since, end)
    if not off:
        return []
    if known.status != "active" and off[-1][1] == look.now:
        words = "Its triggers start nothing, and nobody can be enrolled."
        return [Explained("The workflow", tabs.STATUS[known.status], words, url)]
    if off == [(since, end)]:
        switched = (
            f"; switched on {formats.ago(known.since, look)}"
            if known.since and known.status == "active"
            else ""
        )
        words = f"It was not active in this time{switched}."
    else:
        spans = [[formats.worded(moment, "d MMM y, HH:mm", look) for moment in span] for span in off]
        between = " and from ".join(f"{begun} to {ended}" for begun, ended in spans)
        words = f"It was not active from {between}: its triggers started nothing meanwhile."
    return [Explained("The workflow", Badge("Off then", "warn", "player-pause"), words, url)]


def _off(known: Known, since: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the parts of the time from `since` to before `end` in which the workflow was not active."""
    switches = list(workflows.lifecycle.switches(known.id))
    if known.since is not None and (not switches or switches[-1].status != known.status):
        switches.append(Switch(known.since, known.status, switches[-1].status if switches else "draft"))
    status, began, off = switches[0].former if switches else known.status, since, []
    for switch in [*switches, Switch(end, "", "")]:
        moment = min(max(switch.at, since), end)
        if status != "active" and began < moment:
            off.append((began, moment))
        status, began = switch.status, moment
    return off


def _trigger(known: Known, trigger: Listed, fired: Sequence[FiringCount]) -> Explained:
    title = trigger.definition.title or automation.trigger_words(trigger.definition)
    url = tabs.address(known.slug, "/triggers")
    count = sum(each.count for each in fired)
    if trigger.problem:
        return Explained(title, Badge("Problem", "bad", "alert-triangle"), trigger.problem, url)
    if not trigger.enabled:
        return Explained(
            title, Badge("Off", "", "ban"), "It is switched off." if not count else _outcome(fired), url
        )
    if not count:
        return Explained(
            title,
            Badge("Did not fire", "warn", "clock"),
            "Nothing that it waits for happened, or its filter let none pass.",
            url,
        )
    return Explained(
        title, Badge(f"{count:,} times" if count > 1 else "Once", "good", "check"), _outcome(fired), url
    )


def _outcome(fired: Sequence[FiringCount]) -> str:
    began = sum(each.count for each in fired if each.status in _STARTED)
    others = sum(each.count for each in fired) - began
    text = f"{began:,} started" if began else "Nothing started"
    return (
        f"{text}; {others:,} did not: {reasons([(each.why, each.count) for each in fired if each.status not in _STARTED])}"
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
            why = reasons([(each.reason[:1].lower() + each.reason[1:], each.count) for each in group])
            parts.append(f"{sum(each.count for each in group):,} {words}{f' ({why})' if why else ''}")
    badge = Badge("Sent", "good", "check") if left else Badge("None sent", "warn", "clock")
    return Explained(name, badge, "; ".join(parts).capitalize(), f"/outbox?workflow={known.slug}")


def reasons(counted: Sequence[tuple[str, int]]) -> str:
    """Return the most frequent reasons with how often each, in words."""
    given: dict[str, int] = {}
    for why, count in counted:
        if why:
            given[why] = given.get(why, 0) + count
    most = sorted(given.items(), key=lambda each: -each[1])
    words = [f"{why.rstrip('.')} ({count:,})" for why, count in most[:MOST_REASONS]]
    return ", ".join([*words, *(["and others"] if len(most) > MOST_REASONS else [])])
