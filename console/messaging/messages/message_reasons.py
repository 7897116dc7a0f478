"""Why a message does not leave, or not yet, in words that hold for many."""

from collections.abc import Mapping, Sequence

from console.core.message_codes import BY_CODE
from console.infra.db.engine import fetch

SAID_ALIKE = frozenset({"no_address", "do_not_contact", "no_consent", "empty_field"})
"""Codes for which the gate's own words name nobody, and say more than the table: of many too they are shown as they are."""


def of_many(code: str, own: str = "") -> str:
    """The reason as it is told of many. `own` are the gate's words for one of them; empty where nobody has them, or for a code that is not known."""
    return own if own and code in SAID_ALIKE else BY_CODE.get(code, own)


def count_reasons(by_code: Mapping[str, int]) -> dict[str, int]:
    """How often each reason, of how often each code."""
    found: dict[str, int] = {}
    for code, count in by_code.items():
        found[of_many(code)] = found.get(of_many(code), 0) + count
    return found


def in_words(reason: str, said: str = "") -> dict[str, str]:
    """What is sealed of a message that did not leave or arrive: why, and what its provider says of that in its own words."""
    return {"reason": reason, "said": said} if said else {"reason": reason}


NOT_LEFT = {
    "email": "E-mail not sent",
    "sms": "SMS not sent",
    "call": "Call not made",
    "chat": "Chat message not sent",
}
FAILED_LATER = {"email": "The e-mail left and failed afterwards", "sms": "The SMS left and failed afterwards"}
"""Kinds of which a provider says later that they did not arrive."""
_UNSENT = """
select distinct on (run) run, channel, code, outcome = 'sent' from console.message
where run = any(%s) and direction = 'out' and status in ('skipped', 'expired', 'failed') order by run, asked_at desc, id desc
"""


def unsent(run_ids: Sequence[str]) -> dict[str, str]:
    """Run → why the newest of its messages that did not leave, or not arrive, did not, for those that have one. One statement."""
    rows = fetch(_UNSENT, (list(run_ids),)) if run_ids else []
    heads = {
        run: FAILED_LATER.get(channel, NOT_LEFT[channel]) if left else NOT_LEFT[channel]
        for run, channel, _, left in rows
    }
    return {
        run: f"{heads[run]}: {why}" if (why := of_many(code or "")) else heads[run]
        for run, _, code, _ in rows
    }
