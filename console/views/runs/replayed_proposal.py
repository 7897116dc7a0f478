"""A proposal in replay: as it was shown, what became of each value, who decided, and which sources they had opened by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.core.run.proposal import HIDDEN_MODES, READY
from console.runs import ReplayView
from console.views import formats
from console.views.formats import Look
from console.views.frame import Badge
from console.views.runs import proposal as hints, second_look, source_links, sources
from console.views.runs.proposal import Hint, Strip
from console.views.runs.second_look import Doubt
from console.views.runs.source_links import Way

BECAME = {
    "accepted": Badge("Accepted", "good", "check"),
    "small_edit": Badge("Edited a little", "", "pencil"),
    "edited": Badge("Edited", "", "pencil"),
    "cleared": Badge("Cleared", "warn", "x"),
    "ignored": Badge("Not used", "", "minus"),
    "blind_equal": Badge("Hidden, and the same was chosen", "good", "eye-off"),
    "blind_different": Badge("Hidden, and something else was chosen", "warn", "eye-off"),
}
UNDECIDED = Badge("AI pre-fill", "ai")


@dataclass(frozen=True, slots=True)
class Became:
    """A proposed value and what became of it."""

    hint: Hint
    badge: Badge
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Hindsight:
    """The proposal that was on the screen: the text above the form (`head`, `words`, or empty) and the values beside the fields (`outcome`: the choice).
    `facts` were not on the screen; they come from the log.
    """

    head: str = ""
    words: str = ""
    facts: Sequence[tuple[str, str]] = ()
    banner: str = ""
    fields: Mapping[str, Became] | None = None
    proposed: str | None = None


def replayed_proposal(view: ReplayView, screen: Mapping[str, Any], look: Look) -> Hindsight | None:
    """Return the proposal on a past screen; None if there was none or it had not arrived."""
    proposal = screen.get("proposal")
    if proposal is None:
        return None
    ticks = _events_of_attempt(view, screen)
    handed = next((tick for tick in reversed(ticks) if tick["told"].get("proposal")), None)
    outcomes = dict(handed["told"]["proposal"].get("outcomes") or {}) if handed else {}
    if proposal["status"] != READY:
        strip = _strip(screen, proposal, look)
        return Hindsight(strip.head, strip.words, _hidden(proposal, outcomes), fields={})
    opened = {_seen(tick["told"]) for tick in ticks if tick["kind"] == "source_opened"}
    shown = {str(field["name"]): field for field in screen.get("fields", ())}
    became = {
        str(field["name"]): Became(
            _hint(proposal, field, shown[field["name"]], opened, look),
            _badge(outcomes, str(field["name"]), proposal),
        )
        for field in proposal["fields"]
        if field["name"] in shown
    }
    doubts = second_look.doubts(str(view.run.json["id"]), proposal, screen, look)
    became = {name: replace(value, doubt=doubts.get(name)) for name, value in became.items()}
    if (choice := _choice(proposal, screen, opened)) is not None:
        became[source_links.OUTCOME] = Became(
            choice, _badge(outcomes, source_links.OUTCOME, proposal), doubts.get(source_links.OUTCOME)
        )
    facts = _facts(view, proposal, handed, opened, look)
    facts += (
        [("Second look", words)]
        if (words := second_look.result_words(proposal, doubts).removeprefix("A second look "))
        else []
    )
    above = _strip(screen, proposal, look)
    return Hindsight(
        above.head, above.words, facts, str(proposal.get("banner") or ""), became, proposal["outcome"]
    )


def _strip(screen: Mapping[str, Any], proposal: Mapping[str, Any], look: Look) -> Strip:
    """Return the strip above the form as it was first shown, before any input."""
    current = {"proposal": proposal, "take_over": screen.get("take_over"), "attempt": screen.get("attempt")}
    run = {"id": "", "attempts": (), "left_out": 0, "current": current}
    drawn = hints.proposal_context(
        run, screen, look, reader=proposal["for"], kept={}, chosen=None, marks=hints.Marks()
    )
    return drawn.strip or Strip("none")


def _events_of_attempt(view: ReplayView, screen: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the events of the attempt on the screen, up to the replayed event."""
    places = [
        number
        for number, attempt in enumerate(view.run.json["attempts"], 1)
        if (attempt["step"], attempt["attempt"]) == (screen.get("step"), screen.get("attempt"))
    ]
    return [tick for tick in view.ticks if tick["n"] <= view.at and places and tick["about"] == places[-1]]


def _seen(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        event.get("source"),
        event.get("collection"),
        event.get("key"),
        event.get("name"),
        event.get("page"),
    )


def was_opened(source: Mapping[str, Any], opened: set[tuple[Any, ...]]) -> bool:
    """Return whether the source was opened, by its own link or as a page of a document."""
    if sources.mark_of(source) in opened:
        return True
    ref, page = source.get("document"), source.get("page")
    return ref is not None and any(
        mark[0] == "document" and mark[4] == page and ref in (mark[2], f"{mark[1]}:{mark[3]}:{mark[2]}")
        for mark in opened
    )


def _hint(
    proposal: Mapping[str, Any],
    proposed: Mapping[str, Any],
    source: Mapping[str, Any],
    opened: set[tuple[Any, ...]],
    look: Look,
) -> Hint:
    return Hint(
        name=str(proposed["name"]),
        there=True,
        level=str(proposed["confidence"]),
        reason=str(proposed.get("reason") or ""),
        shown=formats.text(formats.kind(source), proposed["value"], look),
        by_rule=proposal.get("origin") == hints.RULES,
        ways=_ways(proposed, opened),
    )


def _choice(
    proposal: Mapping[str, Any], screen: Mapping[str, Any], opened: set[tuple[Any, ...]]
) -> Hint | None:
    choice = proposal.get("choice")
    label = next(
        (
            str(option["label"])
            for option in screen.get("outcomes", ())
            if option["value"] == proposal["outcome"]
        ),
        None,
    )
    if not choice or label is None:
        return None
    return Hint(
        source_links.OUTCOME,
        there=True,
        level=str(choice["confidence"]),
        reason=str(choice.get("reason") or ""),
        shown=label,
        by_rule=proposal.get("origin") == hints.RULES,
        ways=_ways(choice, opened),
    )


def _ways(proposed: Mapping[str, Any], opened: set[tuple[Any, ...]]) -> list[Way]:
    return [
        Way(
            source_links.title_of(source),
            "",
            str(source.get("kind") or ""),
            source_links.quote_words(source),
            was_opened(source, opened),
        )
        for source in proposed.get("sources") or ()
    ]


def _badge(outcomes: Mapping[str, str], name: str, proposal: Mapping[str, Any]) -> Badge:
    usual = (
        replace(UNDECIDED, label="Pre-filled by rule") if proposal.get("origin") == hints.RULES else UNDECIDED
    )
    return BECAME.get(outcomes.get(name, ""), usual)


def _hidden(proposal: Mapping[str, Any], outcomes: Mapping[str, str]) -> list[tuple[str, str]]:
    why = (
        [("Not shown", "so that it can be told whether proposals help")]
        if proposal["mode"] in HIDDEN_MODES
        else []
    )
    same = sum(outcome == "blind_equal" for outcome in outcomes.values())
    return why + ([("Compared", f"{same} of {len(outcomes)} the same")] if outcomes else [])


def _facts(
    view: ReplayView,
    proposal: Mapping[str, Any],
    handed: Mapping[str, Any] | None,
    opened: set[tuple[Any, ...]],
    look: Look,
) -> list[tuple[str, str]]:
    """Return when the proposal arrived, who decided, how long they had it and how many sources they opened."""
    facts = [
        (
            "Proposed by",
            "rules" if proposal.get("origin") == hints.RULES else str(proposal.get("origin") or "the AI"),
        )
    ]
    facts += (
        [("There since", formats.text(formats.Kind("at", "", "datetime"), proposal["answered_at"], look))]
        if proposal.get("answered_at")
        else []
    )
    if handed is not None:
        facts.append(
            (
                "Decided by",
                view.run.names.get(
                    handed["who"] or "", "the engine" if handed["who"] is None else "a former colleague"
                ),
            )
        )
        seconds = handed["told"]["proposal"].get("seconds")
        facts += [("Before them", formats.span(float(seconds), look))] if seconds is not None else []
    sources = source_links.distinct(proposal)
    if sources:
        looked = sum(was_opened(source, opened) for source in sources)
        facts.append(("Sources opened", f"{looked} of {len(sources)}"))
    return facts
