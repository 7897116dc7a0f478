"""Codes of messages that do not leave, or not yet, in words."""

from collections.abc import Mapping

from console.core.plain_words import uncapitalised

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
MISSING: Mapping[str, str] = {
    "email": "there is no e-mail address",
    "sms": "there is no telephone number",
    "call": "there is no telephone number",
    "chat": "there is no chat",
}
"""Channel → what is missing where there is no address."""


def within_a_sentence(code: str, channel: str) -> str:
    """The reason as the end of a sentence about a message of this channel; "" for a code that is not known."""
    if code == "no_address" and channel in MISSING:
        return MISSING[channel]
    return uncapitalised(BY_CODE.get(code, "")).removesuffix(".")
