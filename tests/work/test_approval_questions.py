"""Questions about a request for approval: who is to decide asks, who asked for it replies, and nobody else does either."""

import pytest

from console import log, runs
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.runs.commands import approval_questions
from console.work import approval_context, notices
from tests.company import Company
from tests.support.four_eyes import balance, bank, charging, requested, status, whole

__all__ = ["bank"]


def test_a_question_goes_to_the_requester_and_its_reply_back(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    approval_questions.ask(bank.people["mona"], asked, "  Why today? ")
    assert any("asks you about your request" in notice.text for notice in notices.notices_of(bank.olivia))
    assert approval_context.context_of(bank.olivia, asked).may_reply
    approval_questions.reply(bank.olivia, asked, "The card expires.")
    found = approval_context.context_of(bank.people["mona"], asked)
    assert [(remark.reply, remark.text) for remark in found.remarks or ()] == [
        (False, "Why today?"),
        (True, "The card expires."),
    ]
    assert (found.may_reply, status(bank, asked), balance(bank)) == (False, "open", "12.5")
    assert [event.type for event in log.events_of(run_id)][-2:] == ["approval_asked", "approval_replied"]
    assert "Why today?" not in str([event.body for event in log.events_of(run_id)])
    whole(run_id)
    runs.approve(bank.people["mona"], asked)
    with pytest.raises(Conflict):
        approval_questions.reply(bank.olivia, asked, "Too late.")
    texts = [notice.text for notice in notices.notices_of(bank.olivia)]
    assert sorted(texts) == [
        "Mona approved what you asked for",
        "Mona asked you about your request, which is no longer open",
    ]


@pytest.mark.parametrize(
    ("who", "error"),
    [("olivia", NotAllowed), ("tom", ConsoleError), ("rosa", NotAllowed), ("stan", NotFound)],
)
def test_who_may_not_decide_asks_nothing(bank: Company, who: str, error: type[ConsoleError]) -> None:
    charging()
    run_id, asked = requested(bank)
    with pytest.raises(error):
        approval_questions.ask(bank.people[who], asked, "Why?")
    for other in ("mona", "stan"):
        with pytest.raises((NotAllowed, NotFound)):
            approval_questions.reply(bank.people[other], asked, "Because.")
    with pytest.raises(Conflict):
        approval_questions.reply(bank.olivia, asked, "Nobody asked.")
    with pytest.raises(Invalid):
        approval_questions.ask(bank.people["mona"], asked, " ")
    assert not [event for event in log.events_of(run_id) if event.type.startswith("approval_asked")]
