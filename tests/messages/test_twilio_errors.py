"""Twilio's errors: whose they are, and what a person reads of them."""

from datetime import timedelta

import pytest

from tests.messages import reached
from tests.messages.reached import begin, line
from tests.messages.test_odd_callbacks import Texting, texting

__all__ = ["texting"]  # a fixture


def test_an_error_that_nobody_knows_is_a_sentence_too_and_its_number_stands_beside_it(texting: Texting) -> None:
    run_id = begin(texting.company, "hello")
    form = {"MessageSid": texting.server.messages[0]["sid"], "MessageStatus": "undelivered", "ErrorCode": "30999"}
    assert texting.told(line(texting.company, run_id).message.id, **form) == 200
    told = line(texting.company, run_id)
    assert (told.reason, told.said) == ("Twilio could not deliver it, and does not say why in words.", "Twilio: error 30999")


@pytest.mark.parametrize("code", [21212, 21606, 21660, 21703])
def test_a_sender_that_is_not_ours_is_our_fault_and_loses_no_message(texting: Texting, code: int) -> None:
    """Twilio answers 400, as for a number that is wrong."""
    texting.server.fail, texting.server.code = [400] * 4, code
    run_id = begin(texting.company, "hello")
    for _ in range(4):
        assert line(texting.company, run_id).status == "waiting"
        texting.move(timedelta(hours=1))
        reached.settle()
    assert (line(texting.company, run_id).status, len(texting.server.messages)) == ("sent", 1)
