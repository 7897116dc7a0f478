"""Outside changes on the page of a run: with an unknown result, being retried, or made before."""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from console import browse
from console.core.errors import Conflict, ConsoleError
from console.views import formats, frame
from console.views.formats import Look

CHECKED = {
    "done": "It was done. The run goes on.",
    "not_done": "It had not been done, so it was sent once more, under the same key. What came of that is shown here.",
    "unclear": "It still cannot be told. Look there yourself, then say what you found.",
}
CHOICES = {
    "keep": ("Keep the result", "Nothing is done again; the run goes on with what came of it."),
    "again": ("Do it again", "It is done a second time, under a key of its own. Say why."),
    "compensate": ("Take it back first", "What was done is taken back; then it is done again."),
}
SENT = {
    "target": "Sent to",
    "method": "Method",
    "path": "Path",
    "query": "Query",
    "body": "Body",
    "status": "Answered with status",
    "answer": "Answer",
}
HALF_SETTLED = "settle."
"""What a draft keeps of a change that a person has begun to settle."""
OWN = frozenset({"csrf_token", "repeat", "reason", "asked"})


def repeat_choice(chosen: str | None, reason: str | None) -> str | None:
    """Return what the person chose to do about a change that was made before; None if a second time needs a reason that is missing."""
    return None if chosen == "again" and not (reason or "").strip() else chosen or None


def settling_for_draft(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the half-filled form that settles a change, for the draft; empty if the form is another one."""
    typed = {name: form[name] for name in ("result", "reason") if form.get(name)} if "effect" in form else {}
    return {HALF_SETTLED: typed} if typed else {}


def settling_of_draft(draft: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the `result` and `reason` in a draft."""
    settling = ((draft or {}).get("values") or {}).get(HALF_SETTLED)
    return (
        {str(name): str(value) for name, value in settling.items()} if isinstance(settling, Mapping) else {}
    )


def repeat_context(conflict: Conflict, form: "MultiDict[str, str]") -> dict[str, Any]:
    """Return the question about a change that was made before, with everything that was typed in the step."""
    offered = [str(detail["value"]) for detail in conflict.details]
    tried, was_asked = form.get("repeat", ""), "asked" in form
    return {
        "before": conflict.extra["effects"],
        "choices": [(choice, *CHOICES[choice]) for choice in CHOICES if choice in offered],
        "chosen": tried if tried in offered else "",
        "kept": [(name, value) for name, value in form.items(multi=True) if name not in OWN],
        "only_same": "keep" not in offered,
        "typed_reason": form.get("reason", ""),
        "reason_error": "Write the reason." if tried == "again" else None,
        "choice_error": "Choose what to do about it."
        if was_asked and not tried
        else conflict.message
        if tried and tried not in offered
        else None,
    }


def tried_before(run: Mapping[str, Any], look: Look) -> list[tuple[str, str]]:
    """Return what an automatic step tried before it asked a person: when it stopped, what it tried and how often."""
    current = run["current"] or {}
    attempt = next(
        (entry for entry in reversed(run["attempts"]) if entry["step"] == current.get("step")), None
    )
    if (
        attempt is None or (current.get("take_over") or {}).get("code") == "stepped_in"
    ):  # a person stopped it: nothing was tried
        return []
    proposal = current.get("proposal")
    effects = [
        effect
        for effect in attempt["effects"]
        if effect["status"] in ("failed", "unknown") and effect["summary"]
    ]
    last = (
        (proposal or {}).get("answered_at")
        or next((entry["at"] for entry in reversed(effects) if entry["at"]), None)
        or attempt["entered_at"]
    )
    facts_made = [("Stopped", formats.full_moment(last, look))] if last else []
    summaries = list(dict.fromkeys(effect["summary"] for effect in effects))
    lines = [
        f"{summary}, {_times(sum(effect['summary'] == summary for effect in effects))}"
        for summary in summaries
    ]
    if proposal:
        lines.append(
            f"Asked {'the rules' if proposal['origin'] == 'rules' else proposal['origin'] or 'the AI'}, {_times(1)}"
        )
    return [*facts_made, *(("Tried", line) for line in lines)]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def facts(
    effect: Mapping[str, Any] | None, look: Look, kinds: Mapping[str, formats.Kind], record: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return the details of an effect, line by line, as far as this reader may see them.

    `kinds` are those of the form that asked for it, `record` the values of the run's record: amounts are in its currency.
    """
    if effect is None:
        return []
    known = {**kinds_of(effect["collection"]), **kinds}
    lines: list[tuple[str, str]] = [
        ("Asked for", formats.full_moment(effect["requested_at"], look)),
        ("Key to look for", effect["key"] or ""),
    ]
    if effect["collection"] and effect["record"]:
        named = browse.names_of(frame.actor(), [(effect["collection"], str(effect["record"]))])
        lines += [("Record", record.title) for record in named.values()]
    lines += [
        line(name, value, known, {**record, **effect["values"]}, look)
        for name, value in effect["values"].items()
        if value is not None
    ]
    return [(label, value) for label, value in lines if value not in ("", formats.EMPTY)]


def request_sent(effect: Mapping[str, Any] | None, look: Look) -> list[tuple[str, str]]:
    """Return what only programs need of an effect: the request as it was sent."""
    if effect is None:
        return []
    values = effect["sent"] or {}
    lines = [(label, values.get(name)) for name, label in SENT.items()]
    return [
        (label, formats.text(formats.undescribed("", value), value, look))
        for label, value in lines
        if value not in (None, "", {}, [])
    ]


def kinds_of(collection: str | None) -> dict[str, formats.Kind]:
    """Return the kinds of the fields of a collection that the reader may see, by name."""
    try:
        return (
            {
                field["name"]: formats.kind(field)
                for field in browse.describe(frame.actor(), collection)["fields"]
            }
            if collection
            else {}
        )
    except ConsoleError:
        return {}


def line(
    name: str, value: Any, known: Mapping[str, formats.Kind], beside: Mapping[str, Any], look: Look
) -> tuple[str, str]:
    """Return a value with its label; a change as "old → new"."""
    if isinstance(value, Mapping) and set(value) == {"old", "new"}:
        (label, old), (_, new) = (line(name, value[side], known, beside, look) for side in ("old", "new"))
        return label, f"{old} → {new}"
    what, given = (known[name], value) if name in known else formats.described(name, value, beside)
    shown = formats.text(what, with_currency(what, given, beside), look)
    return what.label, "empty" if shown == formats.EMPTY else shown


def with_currency(what: formats.Kind, value: Any, beside: Mapping[str, Any]) -> Any:
    """Return an amount joined to the currency that stands beside it, where its field names none; any other value as it is."""
    code = beside.get("currency")
    if (
        not formats.is_money(what)
        or len(what.currency) == len("EUR")
        or not isinstance(code, str)
        or not isinstance(value, str | int)
    ):
        return value
    return formats.Amount(str(value), code.upper())


def retry_words(run: Mapping[str, Any], look: Look) -> str | None:
    """Return the message while a change is being retried; None if none is."""
    current = run["current"] or {}
    waiting, effect = current.get("waiting") or {}, current.get("effect")
    if waiting.get("for") != "retry" or not effect or not waiting.get("until"):
        return None
    return f"{effect['summary']}: {waiting.get('message', '')} Trying again at {formats.clock(waiting['until'], look)}."
