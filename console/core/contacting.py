"""Whether a message may leave now: consent, quiet hours, caps over all workflows, and how long it waited.

One pure function, `judge`, called when the message is about to leave and not before. All moments are aware UTC.
Sources: 47 CFR 64.1200(c)(1) for calls in the US, docs/explanation/messages.md for the rules of the house.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

Kind: TypeAlias = Literal["email", "sms", "call", "chat"]
CAMPAIGN, CASE = "campaign", "case"
"""What a message is about: a campaign, or a matter that is under way."""
KINDS: tuple[Kind, ...] = ("email", "sms", "call", "chat")
"""Kinds of messages."""
CHANNELS = ("email", "sms", "call", "ai_call", "chat")
"""Channels to which consent is kept. A call by an AI needs its own."""
WORDS: Mapping[str, str] = MappingProxyType(
    {"email": "e-mail", "sms": "SMS", "call": "calls", "ai_call": "calls by an AI", "chat": "chat messages"}
)
_COUNTED = {
    "email": ("e-mail", "e-mails"),
    "sms": ("SMS", "SMS"),
    "call": ("call", "calls"),
    "chat": ("chat message", "chat messages"),
}
MIDNIGHT = time()
SUNDAY = 6
LOOK_AHEAD = timedelta(days=15)
LONGEST = timedelta(hours=24)


def latest_of(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest of when somebody took a consent back. None: nobody knows when, so it counts as later than all."""
    known = list(moments)
    return None if None in known else max(moment for moment in known if moment is not None)


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether somebody agreed to be reached by a channel, and how that is known. Moments are RFC 3339 or days, as the source has them.

    `text_version` names the words that they agreed to.
    """

    given: bool
    source: str | None = None
    text_version: str | None = None
    at: str | None = None
    withdrawn_at: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who can be reached. `consent` is by channel: a channel that it does not name has none.

    `zone` is a time zone such as Europe/Vilnius, `country` an ISO 3166 code, both as the record has them; unknown ones are None.
    `keeps_consent`: False for a record of a collection that does not say where consent is kept. Who has no record is the contact that an address is:
    `collection` is then `@`, and `key` the digest of the address.
    """

    collection: str
    key: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    zone: str | None = None
    country: str | None = None
    language: str | None = None
    consent: Mapping[str, Consent] = field(default_factory=dict)
    do_not_contact: bool = False
    keeps_consent: bool = True


Hours: TypeAlias = tuple[time, time] | None
"""When a day opens and closes; closing at midnight is the end of the day. None: closed all day."""


@dataclass(frozen=True, slots=True)
class Window:
    """The hours in which messages of a kind may leave, in the contact's own time: of each day from its opening until before its closing, Monday first."""

    days: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]

    def is_open(self, local: datetime) -> bool:
        """Whether it is open at this local time."""
        hours = self.days[local.weekday()]
        return (
            hours is not None
            and hours[0] <= local.time()
            and (hours[1] == MIDNIGHT or local.time() < hours[1])
        )


def daily(opens: time, closes: time, *, but: int | None = None) -> Window:
    """The same hours on every day, but one (0 is Monday) on which it is closed."""
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = (
        None if day == but else (opens, closes) for day in range(7)
    )
    return Window((monday, tuesday, wednesday, thursday, friday, saturday, sunday))


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` messages of these kinds to one contact in `period`, over all workflows."""

    kinds: frozenset[str]
    most: int
    period: timedelta

    def told(self, count: int) -> str:
        """So many of its messages in its period: `3 messages in 7 days`, `1 call in 24 hours`."""
        one, many = _COUNTED[next(iter(self.kinds))] if len(self.kinds) == 1 else ("message", "messages")
        hours = int(self.period.total_seconds() // 3600)
        span = (
            f"{hours} hour{'s' if hours != 1 else ''}" if hours % 24 or hours == 24 else f"{hours // 24} days"
        )
        return f"{count:,} {one if count == 1 else many} in {span}"


DAYTIME = daily(time(8), time(20))
NO_SUNDAY = daily(time(8), time(20), but=SUNDAY)
LAW: Mapping[tuple[str, str], Window] = MappingProxyType({("US", "call"): daily(time(8), time(21))})
"""(country, kind) → hours that hold beside those of the house: nobody can loosen them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the house: hours by kind (a kind that it does not name may leave at any hour), and caps. The law's hours hold beside them.

    Chat messages go to one's own people, of whom no zone is known: their hours are by the clocks of `chat_zone`.
    """

    windows: Mapping[str, Window] = field(default_factory=lambda: {"sms": DAYTIME, "call": NO_SUNDAY})
    law: Mapping[tuple[str, str], Window] = field(default_factory=lambda: LAW)
    caps: Sequence[Cap] = (
        Cap(frozenset({"email", "sms"}), 3, timedelta(days=7)),
        Cap(frozenset({"call"}), 1, timedelta(days=1)),
    )
    chat_zone: str = "UTC"

    @property
    def longest(self) -> timedelta:
        """So far back caps count."""
        return max((cap.period for cap in self.caps), default=timedelta())


@dataclass(frozen=True, slots=True)
class Used:
    """A message that left already: its kind, when, and the title of the workflow that sent it. `shared`: it went to another contact with the same address."""

    kind: str
    at: datetime
    by: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is about to leave. `consent` names the consent that it needs (None: none), `why_no_address` why there is no address.

    `asked_at` is when the step asked for it; after `expires` a person is asked whether it still fits. `empty_fields` names what is empty and the text needs.
    """

    kind: Kind
    consent: str | None
    asked_at: datetime
    expires: timedelta = LONGEST
    why_no_address: str = ""
    empty_fields: str = ""
    about: str = CAMPAIGN

    @property
    def is_case_mail(self) -> bool:
        """Whether it is an e-mail in a matter that is under way: no hours and no caps hold for it."""
        return self.kind == "email" and self.about == CASE


@dataclass(frozen=True, slots=True)
class SendNow:
    """It may leave. `basis` is the consent on which it does, in words for the log."""

    basis: str = ""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """It may leave at `until`, which is later than now; it is judged again then."""

    until: datetime
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """It does not leave, and is not tried again."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    """It waited too long: it leaves only if somebody, or the workflow, says that it still fits."""

    reason: str
    code: str = "expired"


Verdict: TypeAlias = SendNow | WaitUntil | Skip | AskAgain


def judge(
    message: Outgoing,
    contact: Contact | None,
    zones: Sequence[str],
    used: Iterable[Used],
    now: datetime,
    rules: Rules | None = None,
) -> Verdict:
    """What becomes of the message now. `contact` is None for one's own people, in a chat or for a test: of these only the hours of a chat count.

    `zones` are all zones in which the contact may be; `used` is what reached the contact before, of any workflow. What can never leave is
    said before what has to wait.
    """
    if message.why_no_address:
        return Skip("no_address", message.why_no_address)
    if contact is not None and (refused := _refused(message, contact)) is not None:
        return refused
    if message.empty_fields:
        return Skip("empty_field", f"Empty, and the text needs it: {message.empty_fields}.")
    rules = rules or Rules()
    if (late := _in_time(message, now)) is not None:
        return late
    if contact is None and message.kind != "chat":
        return SendNow()
    if contact is not None and message.is_case_mail:
        return SendNow(_basis(message, contact))
    country = contact.country if contact is not None and contact.country else ""
    windows = [
        window
        for window in (rules.windows.get(message.kind), rules.law.get((country, message.kind)))
        if window
    ]
    capped = _capped(message, used, now, rules.caps)
    if isinstance(capped, Skip):
        return capped
    opens = next_open(windows, zones, max(now, capped.until) if capped else now)
    if opens is None:
        return Skip("no_common_hour", _never_open(zones))
    if opens > now:
        if capped and opens == capped.until:
            return capped
        return WaitUntil(
            opens, "quiet_hours", _quiet(message.kind, zones, opens, capped.reason if capped else "")
        )
    return SendNow(_basis(message, contact) if contact is not None else "")


def _never_open(zones: Sequence[str]) -> str:
    if len(zones) == 1:
        return f"The hours of the house and those of the law are never open at once in {_city(zones[0])}."
    return f"There is no hour at which it is daytime in all of {', '.join(map(_city, zones))}. Enter a time zone."


def _refused(message: Outgoing, contact: Contact) -> Skip | None:
    """Why it must not leave at all."""
    if contact.do_not_contact:
        return Skip("do_not_contact", "Marked as not to be contacted.")
    if message.consent is None:
        return None
    said, words = contact.consent.get(message.consent), WORDS.get(message.consent, message.consent)
    for each in (said, contact.consent.get("call") if message.kind == "call" else None):
        if each is not None and not each.given and each.withdrawn_at is not None:
            return Skip(
                "consent_withdrawn",
                f"Consent to {words} was withdrawn on {_day(each.withdrawn_at)}{_source(each)}.",
            )
    if (said is not None and said.given) or (not contact.keeps_consent and message.kind == "email"):
        return None
    return Skip("no_consent", f"There is no consent to {words}.")


def _day(moment: str) -> str:
    """The day of a moment or a day, for people: "1 Jan 2026". The first ten characters of any other text."""
    try:
        day = date.fromisoformat(moment[:10])
    except ValueError:
        return moment[:10]
    return f"{day.day} {day:%b %Y}"


def _source(consent: Consent) -> str:
    return f" ({consent.source})" if consent.source else ""


def _basis(message: Outgoing, contact: Contact) -> str:
    said = contact.consent.get(message.consent or "")
    if said is None:
        return ""
    version = f"text {said.text_version}" if said.text_version else ""
    return ", ".join(
        part for part in (f"given {_day(said.at)}" if said.at else "given", said.source, version) if part
    )


def _in_time(message: Outgoing, now: datetime) -> AskAgain | None:
    waited = now - message.asked_at
    if waited <= message.expires:
        return None
    return AskAgain(f"It waited {_span(waited)}, longer than the {_span(message.expires)} that it may.")


def _span(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        minutes = max(1, int(span.total_seconds() // 60))
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    return f"{hours} hour{'s' if hours != 1 else ''}" if hours < 72 else f"{hours // 24} days"


def _shared(counted: Sequence[Used]) -> str:
    """That some of them went to another contact: whoever looks at this one finds them nowhere."""
    others = sum(sent.shared for sent in counted)
    return f" {others} of them went to another contact who has the same address." if others else ""


def _capped(
    message: Outgoing, used: Iterable[Used], now: datetime, caps: Sequence[Cap]
) -> WaitUntil | Skip | None:
    """Until when the caps are used up; Skip where that is longer than the message may wait."""
    before, latest = list(used), None
    for cap in caps:
        if message.kind not in cap.kinds:
            continue
        counted = sorted(
            (sent for sent in before if sent.kind in cap.kinds and sent.at > now - cap.period),
            key=lambda sent: sent.at,
        )
        if len(counted) < cap.most:
            continue
        until = counted[-cap.most].at + cap.period
        reason = f"{cap.told(len(counted))} already, by {_senders(counted)}; at most {cap.most} over all workflows.{_shared(counted)}"
        if until > message.asked_at + message.expires:
            return Skip("over_cap", reason)
        latest = WaitUntil(until, "over_cap", reason) if latest is None or until > latest.until else latest
    return latest


def _senders(used: Sequence[Used]) -> str:
    """`Lead nurture (2) and Welcome`."""
    counts: dict[str, int] = {}
    for message in used:
        counts[message.by] = counts.get(message.by, 0) + 1
    named = [f"{name} ({number})" if number > 1 else name for name, number in counts.items()]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def next_open(windows: Sequence[Window], zones: Sequence[str], now: datetime) -> datetime | None:
    """The first moment from `now` on at which all windows are open in all zones; None if there is none in the next 15 days.

    Hours follow each zone's own clock, also on the days on which it changes: a skipped opening hour opens when the clock jumps.
    """
    if not windows or not zones:
        return now
    places, moment = [ZoneInfo(zone) for zone in zones], now
    while moment <= now + LOOK_AHEAD:
        openings = [_opening(window, place, moment) for window in windows for place in places]
        if any(each is None for each in openings):
            return None
        latest = max(each for each in openings if each is not None)
        if latest == moment:
            return moment
        moment = latest
    return None


def _opening(window: Window, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """The first moment from `moment` on at which the window is open in the zone; None for a window that never opens."""
    local = moment.astimezone(zone)
    if window.is_open(local):
        return moment
    for ahead in range(9):
        day = local.date() + timedelta(days=ahead)
        if (hours := window.days[day.weekday()]) is None:
            continue
        opens = _first_moment(day, hours[0], zone)
        if opens >= moment and window.is_open(opens.astimezone(zone)):
            return opens
    return None


def _first_moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first moment of the day, in UTC, at which the zone's clock shows `at` or later."""
    moment = datetime.combine(day, at, zone).astimezone(UTC)
    if moment.astimezone(zone).time() == at:
        return moment
    while (before := moment - timedelta(minutes=1)).astimezone(zone).date() == day and before.astimezone(
        zone
    ).time() >= at:
        moment = before  # the clock jumps over `at`: go back to where it lands
    return moment


def _quiet(kind: str, zones: Sequence[str], opens: datetime, beside: str) -> str:
    local = opens.astimezone(ZoneInfo(zones[0]))
    where = (
        _city(zones[0])
        if len(zones) == 1
        else f"{len(zones)} time zones, from {_city(zones[0])} to {_city(zones[-1])}"
    )
    what = {"sms": "SMS", "call": "Calls", "email": "E-mails", "chat": "Chat messages"}[kind]
    reason = f"Quiet hours in {where}. {what} leave from {local:%H:%M} on {local:%A, %d %B} there."
    return f"{beside} {reason}" if beside else reason


def _city(zone: str) -> str:
    """`America/Denver` as `Denver`."""
    return zone.rpartition("/")[2].replace("_", " ")


TAKEN = frozenset({"sent", "skipped", "answered", "no_answer", "voicemail", "busy"})
"""Outcomes for which the step's way `default` is taken too. Where nothing left after all, only a way of its own is."""


def _as_label(text: str) -> str:
    return text.strip().casefold().replace(" ", "_").replace("-", "_")


def label_among(label: str, named: Sequence[str]) -> str | None:
    """The one of these names that a label means, with capitals or blanks too; None for none of them."""
    return (
        label
        if label in named
        else next((name for name in named if _as_label(name) == _as_label(label)), None)
    )


def way_on(outcome: str, label: str, named: Sequence[str]) -> str | None:
    """The outcome with which a run goes on after its message; None where the document names no way for it. The label of an answer counts first, with capitals or blanks too."""
    if outcome == "answered" and label and (meant := label_among(label, named)) is not None:
        return meant
    taken = outcome in named or ("default" in named and outcome in TAKEN)
    return outcome if taken else None
