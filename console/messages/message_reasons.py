"""Why a message does not leave, or not yet, in words that hold for many."""

from collections.abc import Mapping, Sequence

from console.db.engine import fetch

BY_CODE: Mapping[str, str] = {
    "no_address": "There is no address or number.",
    "do_not_contact": "Marked as not to be contacted.",
    "consent_withdrawn": "Consent was withdrawn.",
    "no_consent": "There is no consent.",
    "empty_field": "Something that the text needs is empty.",
    "over_cap": "They have had as many messages as anybody may get for now.",
    "no_common_hour": "No hour is daytime wherever they may be: their time zone is not known.",
    "quiet_hours": "Quiet hours.",
    "expired": "It waited too long.",
    "refused": "The provider refused it.",
    "source_down": "The database of the contact did not answer.",
    "erased": "The contact was erased.",
    "not_wanted": "The run did not need it any more.",
    "record_gone": "The record is gone.",
    "unenrolled": "They were taken out of the workflow.",
    "exited": "They left the workflow: how it lets people leave applied.",
    "workflow_cancelled": "The whole workflow was cancelled.",
    "run_ended": "Its run was ended before.",
    "put_aside": "Put aside: nobody here has this address.",
    "retry": "The provider did not answer yet.",
    "not_sent": "The provider did not get it yet.",
    "unknown": "It is not known whether the provider took it.",
    "restored": "It was due when a backup was restored: it is not known whether it left before.",
    "internal_error": "It is not known whether it left.",
    "no_callback": "The provider did not tell how the call ended.",
    "no_mail_server": "No mail server is set.",
    "no_target": "The chat is not set up.",
}
"""Code of the gate, of sending and of providers → a sentence."""
SAID_ALIKE = frozenset({"no_address", "do_not_contact", "no_consent", "empty_field"})
"""Codes for which the gate's own words name nobody, and say more than the table: of many too they are shown as they are."""


def of_many(code: str, own: str = "") -> str:
    """The reason as it is told of many. `own` are the gate's words for one of them; empty where nobody has them, or for a code that is not known."""
    return own if own and code in SAID_ALIKE else BY_CODE.get(code, own)


def counted(by_code: Mapping[str, int]) -> dict[str, int]:
    """How often each reason, of how often each code."""
    found: dict[str, int] = {}
    for code, count in by_code.items():
        found[of_many(code)] = found.get(of_many(code), 0) + count
    return found


NOT_LEFT = {"email": "E-mail not sent", "sms": "SMS not sent", "call": "Call not made", "chat": "Chat message not sent"}
FAILED_LATER = {"email": "The e-mail left and failed afterwards", "sms": "The SMS left and failed afterwards"}
"""Kinds of which a provider says later that they did not arrive."""
_UNSENT = """
select distinct on (run) run, channel, code, outcome = 'sent' from console.message
where run = any(%s) and direction = 'out' and status in ('skipped', 'expired', 'failed') order by run, asked_at desc, id desc
"""


def unsent(run_ids: Sequence[str]) -> dict[str, str]:
    """Run → why the newest of its messages that did not leave, or not arrive, did not, for those that have one. One statement."""
    rows = fetch(_UNSENT, (list(run_ids),)) if run_ids else []
    heads = {run: FAILED_LATER.get(channel, NOT_LEFT[channel]) if left else NOT_LEFT[channel] for run, channel, _, left in rows}
    return {run: f"{heads[run]}: {why}" if (why := of_many(code or "")) else heads[run] for run, _, code, _ in rows}
