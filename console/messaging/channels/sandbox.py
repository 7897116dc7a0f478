"""The sandbox: messages go only into the outbox, and rules or people choose how each ends.

A channel's script has one rule on each line: `outcome share`, or `text in the address or name: outcome`. Shares are weights; an outcome of a
call may have a label (`answered/interested`). `by hand` leaves it to a person in the outbox. An outcome of two words is written with a blank or
with `_`. The choice for a message is the same at every try.
"""

import hashlib
from dataclasses import dataclass

from console.core.errors import Invalid
from console.messaging.channels.base import Handed, Letter

BY_HAND = "by_hand"
OUTCOMES = {
    "email": ("sent", "failed", BY_HAND),
    "sms": ("delivered", "sent", "failed", BY_HAND),
    "call": ("answered", "no_answer", "voicemail", "busy", "failed", BY_HAND),
    "chat": ("sent", "failed", BY_HAND),
}
CHOSEN = {kind: frozenset(ways) - {"sent", BY_HAND} for kind, ways in OUTCOMES.items()}
"""What a person may choose for a message that left."""
USUAL = {"email": "sent", "sms": "delivered", "call": "answered", "chat": "sent"}
MOST_RULES = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """`outcome` for `share` of the messages, or for those whose address or name has `part` in it."""

    outcome: str
    label: str = ""
    share: int = 1
    part: str = ""


def rules_of(kind: str, script: str) -> list[Rule]:
    """The rules of a script. Raises Invalid on `script`, naming the line."""
    rules, wrong = [], []
    for number, line in enumerate(script.splitlines(), 1):
        part, colon, said = line.rpartition(":")
        words = said.split() if colon else line.split()
        if not words:
            continue
        share = words.pop() if len(words) > 1 and not colon and words[-1].isdecimal() else "1"
        first, _, label = " ".join(words).partition("/")
        outcome = first.strip().replace(" ", "_").casefold()
        if outcome not in OUTCOMES[kind] or not 0 < int(share) <= 1000:
            known = ", ".join(spoken(each) for each in OUTCOMES[kind])
            wrong.append(
                f"Line {number}: an outcome is one of {known}, with a share from 1 to 1000 behind it."
            )
            continue
        rules.append(Rule(outcome, label.strip()[:60], int(share), part.strip().casefold()))
    if wrong or len(rules) > MOST_RULES:
        reason = wrong[0] if wrong else f"At most {MOST_RULES} lines."
        raise Invalid("The sandbox cannot follow this.", at=("script", reason))
    return rules


def spoken(script: str) -> str:
    """The script with its outcomes as people read them."""
    return script.replace("no_answer", "no answer").replace(BY_HAND, "by hand")


def handed(letter: Letter, script: str) -> Handed:
    """What becomes of the message. An empty outcome: it is on its way, and a person may choose in the outbox how it ends."""
    try:
        rules = rules_of(letter.kind, script)
    except Invalid:  # written by an older release
        rules = []
    about = f"{letter.to} {letter.name}".casefold()
    named = next((rule for rule in rules if rule.part and rule.part in about), None)
    chosen = named or _by_share(letter, [rule for rule in rules if not rule.part]) or Rule(USUAL[letter.kind])
    outcome = "" if chosen.outcome in (BY_HAND, "sent") else chosen.outcome
    reason = "The sandbox was told that it fails." if outcome == "failed" else ""
    return Handed(f"sandbox-{letter.id}", outcome, chosen.label, reason=reason)


def _by_share(letter: Letter, rules: list[Rule]) -> Rule | None:
    total = sum(rule.share for rule in rules)
    if not total:
        return None
    place = int.from_bytes(hashlib.sha256(letter.id.encode()).digest()[:8], "big") % total
    for rule in rules:
        if place < rule.share:
            return rule
        place -= rule.share
    return None
