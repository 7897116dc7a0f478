"""How a proposal is displayed: beside each field, above the form and at the options of a decision.

A field has one of five states. `fill`: the proposal is in the field and nobody has confirmed it. `accepted`: somebody confirmed it.
`edited`: somebody typed over it. `offer`: it is shown beside the field. `off`: the step is done by hand, or nothing was proposed for the field.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from console.ai.proposals import options
from console.ai.proposals.absence_words import MENDED_BY_OTHERS
from console.core.proposal_types import ProviderError
from console.core.run.proposal import DECLINED, FAILED, OFF, PENDING, READY, UNFILLED, fills
from console.views import formats, frame
from console.views.formats import Look
from console.views.runs import second_look
from console.views.runs.second_look import Doubt
from console.views.runs.source_links import OUTCOME, WARNED, Way, count_by_kind, distinct, source_ways

RULES = "rules"
LEVEL_WORDS = {"high": "High", "medium": "Medium", "low": "Low"}
MEASURED_FROM = 30
MOST_REASONS = 3
OVERDUE_S = 2.0
NO_TOOL = frozenset({"no_key"})
SETTINGS = "/settings/ai"
NOTHING_WRONG = frozenset({"asks_person", "no_address", "no_rule", "off", "stepped_in", "withdrawn"})
"""Why a step asks a person although nothing failed: something has to be filled in or decided."""
BY_RULES = "Looking for what rules can fill in …"
"""What is said where no AI is set up, so that nobody waits for one."""
HELD_BACK = "Nothing is filled in: money moves, somebody is restricted, or it cannot be undone. What you decide is yours to put in."


@dataclass(frozen=True, slots=True)
class Hint:
    """The proposal for one field. `beneath` is its state if the step were not done by hand. `entry` and `start` are the texts of its boxes for the proposed value and for the start value.

    `rests` warns that the value is based only on claims by others. `measured` is the percentage of such proposals that people accepted, None if there are too few.
    """

    name: str
    state: str = "off"
    there: bool = False
    beneath: str = "off"
    level: str = "low"
    reason: str = ""
    shown: str = ""
    by_rule: bool = False
    measured: int | None = None
    ways: Sequence[Way] = ()
    entry: Sequence[str] = ()
    start: Sequence[str] = ()
    mark: str = ""
    needed: bool = False
    doubt: Doubt | None = None
    rests: str = ""

    @property
    def badge(self) -> str:
        """Return where the value comes from, in two words."""
        return "Pre-filled by rule" if self.by_rule else "AI pre-fill"

    @property
    def word(self) -> str:
        """Return the confidence as a word."""
        return LEVEL_WORDS[self.level]

    @property
    def entry_json(self) -> str:
        """Return `entry` for the script."""
        return json.dumps(list(self.entry), ensure_ascii=False)

    @property
    def start_json(self) -> str:
        """Return `start` for the script."""
        return json.dumps(list(self.start), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Marks:
    """What the person did with a proposal: the mark of each field (accepted, edited, cleared), and whether the step is done by hand."""

    fields: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = False
    why: str = ""
    outcome: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the marks as a draft stores them."""
        return {
            "fields": {name: mark for name, mark in self.fields.items() if mark},
            "by_hand": self.by_hand,
            "why": self.why,
            "outcome": self.outcome,
        }

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to store."""
        return not self.by_hand and not self.outcome and not any(self.fields.values())


def marks_of(kept: Any) -> Marks:
    """Return the marks in a draft; empty for anything malformed."""
    if not isinstance(kept, Mapping):
        return Marks()
    fields = kept.get("fields")
    marks = {str(name): str(mark) for name, mark in fields.items()} if isinstance(fields, Mapping) else {}
    return Marks(
        marks,
        kept.get("by_hand") is True,
        str(kept.get("why") or ""),
        str(kept["outcome"]) if kept.get("outcome") else None,
    )


@dataclass(frozen=True, slots=True)
class Strip:
    """What stands above the form of a step with AI. `status` is pending, ready, declined, failed, off or none (nothing was asked).

    `poll` is the address to ask for a pending one, `said` is announced when it arrives, `confident` is how many fields "Accept confident" takes. `mend` is where this reader can fix the cause
    of failing calls, `second` the result of a second look, `held_back` why a proposal fills no field.
    """

    status: str
    by_hand: bool = False
    head: str = ""
    words: str = ""
    quiet: bool = False
    can_retry: bool = False
    confident: int = 0
    by_rule: bool = False
    poll: str = ""
    until: str = ""
    said: str = ""
    banner: str = ""
    suspicious: Sequence[Way] = ()
    why: str = ""
    mend: str = ""
    second: str = ""
    held_back: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A proposal on a page: the strip, the hint of each field, the values that fill fields, and the choice of a decision."""

    strip: Strip | None = None
    hints: Mapping[str, Hint] = field(default_factory=dict)
    fills: Mapping[str, Any] = field(default_factory=dict)
    choice: Hint | None = None
    proposed: str | None = None


# -- fields


def entries(source: Mapping[str, Any], value: Any, look: Look) -> tuple[str, ...]:
    """Return the texts in the boxes of a field for a value: one text, or one for each tick."""
    what = formats.kind(source)
    if value is None or value == []:
        return ()
    if what.type == "boolean":
        return ("true" if value else "false",)
    if isinstance(value, list) and what.type in ("multi_enum", "checklist"):
        return tuple(str(item) for item in value)
    entry = formats.box(what, value, look)
    return (entry,) if entry else ()


def state_of(mark: str, *, same: bool, untouched: bool, may_fill: bool, typed: bool) -> str:
    """Return the state of a field with a proposal. `same`: it holds the proposed value; `untouched`: it holds the start value; `typed`: a draft holds its value."""
    if mark == "cleared":
        return "accepted" if same and not untouched else "offer"
    if typed and same:
        return "accepted" if mark in ("accepted", "edited") else "fill" if may_fill else "accepted"
    if mark in ("accepted", "edited"):
        return "edited" if typed else "offer"
    return "fill" if untouched and may_fill else "offer"


def hint(context: "ProposalForReader", source: Mapping[str, Any], proposed: Mapping[str, Any]) -> Hint:
    """Return the hint of a field with a proposed value."""
    name, level, kept = str(source["name"]), str(proposed["confidence"]), context.kept
    entry, start = (
        entries(source, proposed["value"], context.look),
        entries(source, source.get("value"), context.look),
    )
    held = entries(source, kept[name], context.look) if name in kept else start
    typed_before = context.again and bool(start) and start != entries(source, source.get("now"), context.look)
    state = state_of(
        context.marks.fields.get(name, ""),
        same=bool(entry) and set(held) == set(entry),
        untouched=set(held) == set(start),
        may_fill=fills(level, context.proposal["fill"]) and not typed_before,
        typed=name in kept,
    )
    shown = formats.text(formats.kind(source), proposed["value"], context.look)
    made = _hint(context, name, proposed, state, shown)
    return replace(made, entry=entry, start=start, needed=bool(source.get("required")))


def _hint(
    context: "ProposalForReader", name: str, proposed: Mapping[str, Any], state: str, shown: str
) -> Hint:
    level = str(proposed["confidence"])
    return Hint(
        name=name,
        state="off" if context.marks.by_hand else state,
        there=True,
        beneath=state,
        level=level,
        reason=str(proposed.get("reason") or ""),
        shown=shown,
        by_rule=context.proposal.get("origin") == RULES,
        measured=accepted_percent(context.rates, name, level),
        ways=source_ways(context.run_id, context.proposal, {**proposed, "name": name}),
        rests=claims_sentence(proposed.get("sources") or ()) if level == "low" else "",
        mark=context.marks.fields.get(name, ""),
    )


CLAIMS = {
    "document": "what the documents say that were handed in",
    "llm": "what a model wrote",
    "mcp": "what another system answered",
}


def claims_sentence(sources: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence for a value based on claims only; empty if one of its sources is a fact."""
    if not sources or any(source.get("trusted") is not False for source in sources):
        return ""
    kinds = {str(source.get("kind")) for source in sources}
    claims = [words for kind, words in CLAIMS.items() if kind in kinds]
    claims = ["what the customer wrote", *claims] if kinds - CLAIMS.keys() else claims
    return f"Rests only on {' and '.join(claims)}"


Rates = Mapping[str, Mapping[str, tuple[int, int]]]
"""Field → confidence → (accepted as they were, decided)."""


def accepted_percent(rates: Rates, name: str, level: str) -> int | None:
    """Return the percentage of such proposals that people accepted; None if too few were decided."""
    accepted, decided = rates.get(name, {}).get(level, (0, 0))
    return round(100 * accepted / decided) if decided >= MEASURED_FROM else None


@dataclass(frozen=True, slots=True)
class ProposalForReader:
    """A proposal for its reader: the values typed so far (`kept`), the marks, and whether the step is entered a second time (`again`)."""

    run_id: str
    proposal: Mapping[str, Any]
    kept: Mapping[str, Any]
    marks: Marks
    look: Look
    rates: Rates = field(default_factory=dict)
    again: bool = False


def proposal_context(
    run: Mapping[str, Any],
    screen: Mapping[str, Any],
    look: Look,
    *,
    reader: str,
    kept: Mapping[str, Any],
    chosen: str | None,
    marks: Marks,
    rates: Rates | None = None,
    refused: bool = False,
    mends: bool = False,
) -> Drawn:
    """Return the proposal of the open step; nothing if it was made with another person's rights.

    `refused`: asking again is useless for now. `mends`: the reader may change the AI settings.
    """
    current = run.get("current") or {}
    proposal, taken = current.get("proposal"), current.get("take_over")
    if proposal is None or proposal["for"] != reader:
        return (
            Drawn(Strip("none", marks.by_hand, why=marks.why))
            if taken and taken.get("code") not in NOTHING_WRONG and _asks(screen)
            else Drawn()
        )
    item = (screen.get("progress") or {}).get("key")
    if proposal.get("item") not in (None, item):  # it is for another item of the list
        return Drawn(Strip("none", marks.by_hand, why=marks.why, can_retry=True))
    proposal = with_timeout(proposal, datetime.now(UTC))
    context = ProposalForReader(
        str(run["id"]), proposal, kept, marks, look, rates or {}, again=int(current.get("attempt") or 1) > 1
    )
    fields = {
        str(source["name"]): source for source in screen.get("fields", ()) if not source.get("readonly")
    }
    values_proposed = (
        [proposed for proposed in proposal["fields"] if proposed["name"] in fields]
        if proposal["status"] == READY
        else []
    )
    places = {name: Hint(name) for name in fields if name in (proposal["asked"] or fields)}
    doubts = second_look.doubts(context.run_id, proposal, screen, look) if proposal["status"] == READY else {}
    hints = places | {
        str(each["name"]): hint(context, fields[each["name"]], each) for each in values_proposed
    }
    hints |= {name: replace(hints[name], doubt=doubt) for name, doubt in doubts.items() if name in hints}
    values = {
        str(each["name"]): each["value"] for each in values_proposed if hints[each["name"]].state == "fill"
    }
    choice = choice_hint(context, screen, chosen) if proposal["status"] == READY else None
    choice = replace(choice, doubt=doubts.get(OUTCOME)) if choice else None
    above = (
        Strip("none", marks.by_hand, why=marks.why)
        if taken and proposal["status"] not in (READY, PENDING)
        else strip(run, proposal, hints.values(), choice, marks)
    )
    above = replace(
        above,
        can_retry=above.can_retry and not refused,
        mend=SETTINGS if mends and proposal["code"] in MENDED_BY_OTHERS else "",
    )
    if proposal["status"] == READY:  # nothing more comes to stand at a field that has none
        hints = {name: each for name, each in hints.items() if each.there}
    return Drawn(above, hints, values, choice, proposal["outcome"] if choice else None)


def _asks(screen: Mapping[str, Any]) -> bool:
    """Return whether there is something that a person could fill in or choose by hand."""
    return bool(screen.get("outcomes")) or any(
        not source.get("readonly") for source in screen.get("fields", ())
    )


def with_timeout(proposal: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """Return the proposal; a long overdue one as failed, even if no worker has recorded that yet."""
    until = formats.moment_of(proposal.get("deadline_at"))
    if proposal["status"] != PENDING or until is None or (now - until).total_seconds() < OVERDUE_S:
        return proposal
    return {
        **proposal,
        "status": FAILED,
        "code": "timeout",
        "message": "No proposal came in time. Fill in the form by hand, or try again.",
    }


def choice_hint(context: ProposalForReader, screen: Mapping[str, Any], chosen: str | None) -> Hint | None:
    """Return the hint at the proposed option of a decision; None if the proposed option is not offered."""
    offered = {str(option["value"]): str(option["label"]) for option in screen.get("outcomes", ())}
    value, choice = context.proposal["outcome"], context.proposal["choice"]
    if value not in offered or not choice:
        return None
    state = state_of(
        context.marks.fields.get(OUTCOME, ""),
        same=chosen == value,
        untouched=chosen is None,
        may_fill=fills(choice["confidence"], context.proposal["fill"]),
        typed=chosen is not None,
    )
    made = _hint(context, OUTCOME, choice, state, offered[value])
    return replace(made, entry=(str(value),), needed=True, ways=made.ways[:MOST_REASONS])


# -- the strip


def strip(
    run: Mapping[str, Any],
    proposal: Mapping[str, Any],
    hints: Collection[Hint],
    choice: Hint | None,
    marks: Marks,
) -> Strip:
    """Return what stands above the form."""
    status, run_id = str(proposal["status"]), str(run["id"])
    banner = _banner(proposal)
    base = Strip(
        status,
        marks.by_hand,
        why=marks.why,
        by_rule=proposal.get("origin") == RULES,
        banner=banner,
        suspicious=_suspicious(run_id, proposal, banner),
    )
    if status == PENDING:
        poll = frame.run_url(
            run_id,
            "proposal",
            n=len(run["attempts"]) + run["left_out"],
            call=proposal["call"],
            item=proposal.get("item"),
        )
        alone = options.current().chosen(proposal["purpose"]).rules
        return replace(
            base,
            head=BY_RULES if alone else "Looking for proposals …",
            poll=poll,
            until=str(proposal["deadline_at"]),
            quiet=alone,
        )
    if status == READY:
        return _ready(run, proposal, [*hints, *([choice] if choice else [])], base)
    words = str(proposal["message"] or "")
    none = proposal["code"] in NO_TOOL
    if none and _connected(str(proposal["purpose"])):  # a model was connected after the step was opened
        return replace(base, status="none", can_retry=True)
    if status == OFF or none:  # that no model is connected is said in Settings, once
        head = "" if none else words or "No proposals are made at this step."
        return replace(base, status=OFF, head=head, quiet=True)
    head = _nothing(proposal) if status == DECLINED or proposal["dropped"] else "No proposal came"
    return replace(base, head=head, words=words, can_retry=True, said=f"{head}. {words} {banner}".strip())


def _connected(purpose: str) -> bool:
    """Return whether there is a model now that could be asked."""
    chosen = options.current().chosen(purpose)
    try:
        return not chosen.rules and bool(chosen.provider())
    except ProviderError:
        return False


def _banner(proposal: Mapping[str, Any]) -> str:
    """Return the warning that a source contains text that reads like instructions; else empty."""
    return str(proposal.get("banner") or "") if "suspicious_content" in (proposal.get("flags") or ()) else ""


def _ready(run: Mapping[str, Any], proposal: Mapping[str, Any], hints: Sequence[Hint], base: Strip) -> Strip:
    there = [each for each in hints if each.there]
    filled = [each for each in there if each.state in ("fill", "accepted") and each.name != OUTCOME]
    total = sum(1 for each in hints if each.name != OUTCOME)
    return replace(
        base,
        head=_head(there, filled, total) or _nothing(proposal),
        held_back=HELD_BACK if there and proposal["fill"] == UNFILLED else "",
        words=count_by_kind(distinct(proposal)),
        confident=sum(1 for each in there if each.state == "fill" and each.level == "high"),
        said=_summary(there, base.banner) or f"{_nothing(proposal)}. {base.banner}".strip(),
        second=second_look.result_words(proposal, [each.name for each in there if each.doubt]),
        poll=second_look.poll_url(run, proposal),
        until=second_look.poll_until(proposal),
    )


def _head(there: Sequence[Hint], filled: Sequence[Hint], total: int) -> str:
    choice = any(each.name == OUTCOME for each in there)
    if not there:
        return ""
    if choice and len(there) == 1:
        return "A choice is proposed"
    if not filled:
        count = len(there) - choice
        words = f"{count} {'suggestion' if count == 1 else 'suggestions'}, none filled in"
    else:
        words = f"{len(filled)} of {total} {'field' if total == 1 else 'fields'} pre-filled"
    return f"A choice is proposed, {words}" if choice else words


def _summary(there: Sequence[Hint], banner: str) -> str:
    count = f"{len(there)} {'proposal is' if len(there) == 1 else 'proposals are'} there."
    return f"{count} {banner}".strip() if there else ""


def _nothing(proposal: Mapping[str, Any]) -> str:
    """Return what became of a proposal of which nothing is left."""
    return "What was proposed was dropped" if proposal["dropped"] else "Nothing is proposed here"


def _suspicious(run_id: str, proposal: Mapping[str, Any], banner: str) -> list[Way]:
    """Return links to the sources that the warning is about."""
    if not banner:
        return []
    if warned := proposal.get("warned"):
        return source_ways(run_id, proposal, {"name": WARNED, "sources": warned})
    named = [source for source in distinct(proposal) if str(source.get("title") or "\0") in banner]
    if not named:  # no proposed value is based on it
        return [Way("Everything that was loaded", frame.run_url(run_id, tab="context"), "")]
    return source_ways(run_id, proposal, {"name": "", "sources": named})
