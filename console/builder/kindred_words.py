"""Which beginnings are near to a description in words: by the same words, and by words of other trades that stand for the same kind of work."""

import functools
import re
from collections.abc import Mapping, Sequence

SAME = 82.0
"""From this likeness (of 100) two words are the same one in another form."""
OF_ITS_KIND = 50.0
"""The likeness of two words that stand for the same kind of work."""
PARTS = (1.0, 0.75, 0.5)
"""What a word counts in the title, in the first sentence, and in the rest with the titles of the steps; there only the word itself counts."""
STOP_WORDS = frozenset(
    {"and", "are", "for", "from", "has", "have", "its", "our", "the", "then", "they", "this", "that", "when", "who", "with", "workflow"}
)
KINDS = (
    "supplier vendor contractor partner manufacturer procurement buyer purchase",
    "refund return returned exchange credit claim complaint dispute chargeback repay goods item",
    "invoice payment pay bank account iban money transfer payout",
    "onboarding onboard offboarding offboard hire hiring candidate applicant recruit join leave access contract tender",
    "review check assess screen screening verify score underwrite underwriter loan mortgage application identity risk audit",
    "customer client patient tenant student borrower",
    "approve approval agree authorise authorize consent sign signature manager budget limit owner",
    "reminder remind overdue deadline late escalate escalation waiting incident outage respond request ticket repair technician",
    "nightly daily weekly scheduled schedule expire expires expiring renewal monitoring inspection maintenance",
    "lead prospect sales call phone interested",
    "welcome new signup register",
    "cancel cancellation churn subscriber subscription inactive silent discount",
    "suspicion confidential report reported fraud abuse whistleblower moderator moderation post appeal harassment breach",
    "documents papers collect upload evidence data gdpr erase export privacy",
)
"""Words of many trades, each line for one kind of work."""


def words(text: str) -> tuple[str, ...]:
    """The words that say something, each once."""
    return tuple(dict.fromkeys(word for word in re.findall(r"\w{3,}", text.casefold()) if word not in STOP_WORDS))


def likeness(wanted: str, offered: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Name → how near it is to what is wanted, of 100. `offered`: name → its title, description and titles of steps. A word that most have tells little."""
    asked = words(wanted)
    texts = {name: [words(part) for part in parts] for name, parts in offered.items()}
    scores = dict.fromkeys(offered, 0.0)
    for word in asked:
        found = {name: near for name, parts in texts.items() if (near := _nearness(word, parts))}
        for name, near in found.items():
            scores[name] += near * (1 - len(found) / (len(offered) + 1)) / len(asked)
    return scores


def _nearness(word: str, parts: Sequence[Sequence[str]]) -> float:
    from rapidfuzz import fuzz, process  # of those who begin a workflow: most processes never do

    best = 0.0
    for weight, told in zip(PARTS, parts, strict=True):
        same = process.extractOne(word, told, scorer=fuzz.ratio, score_cutoff=SAME)
        kind = OF_ITS_KIND if not same and weight > PARTS[-1] and any(_kinds(word) & _kinds(other) for other in told) else 0.0
        best = max(best, weight * (same[1] if same else kind))
    return best


@functools.lru_cache(maxsize=4096)
def _kinds(word: str) -> frozenset[int]:
    """The numbers of the kinds that the word stands for."""
    from rapidfuzz import fuzz, process

    listed = {name: number for number, line in enumerate(KINDS) for name in line.split()}
    found = process.extractOne(word, list(listed), scorer=fuzz.ratio, score_cutoff=SAME)
    return frozenset({listed[found[0]]}) if found else frozenset()
