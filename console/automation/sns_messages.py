"""Deliveries of Amazon SNS: JSON sent as plain text, a question before the first one, and what was published as a text in `Message`.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html (2026).
"""

import re
from collections.abc import Mapping
from typing import Any

from console.errors import Malformed
from console.formats import object_in

KIND, ID = "x-amz-sns-message-type", "x-amz-sns-message-id"
"""Headers that say what a delivery is, and its id, which is the same each time that it is sent."""
MESSAGE = "Message"
CONFIRM = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/[!-~]{1,1500}")
"""Where an address is confirmed: nobody is to be led anywhere else."""


def question(headers: Mapping[str, str], body: Mapping[str, Any]) -> str | None:
    """What a person has to do about a delivery that is no message; None for one that is. Raises Malformed where it is to be confirmed anywhere but at Amazon."""
    match headers[KIND]:
        case "SubscriptionConfirmation":
            address = body.get("SubscribeURL")
            if not (isinstance(address, str) and CONFIRM.fullmatch(address)):
                raise Malformed("The SubscribeURL is no address of Amazon SNS. Nothing was started.")
            return f"Amazon SNS asks whether it may send here. If you want that, open this address once: {address}"
        case "UnsubscribeConfirmation":
            return "Amazon SNS sends no more here: the subscription was removed."
        case _:
            return None


def opened(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with what was published as the object that its text spells, where it is one."""
    message = body.get(MESSAGE)
    if not (isinstance(message, str) and message.lstrip().startswith("{")):
        return dict(body)
    try:
        return {**body, MESSAGE: object_in(message.encode("utf-8", "surrogatepass"))}
    except Malformed:
        return dict(body)  # a text that only begins like one
