"""How many messages of a workflow left in each hour, and how many were put off."""

from datetime import timedelta

from console import log, workflows
from console.messaging import messages
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}


def test_an_hour_has_what_left_in_it_and_what_was_put_off_in_it(company: Company) -> None:
    reached.founded(company)
    with reached.clock(NOON) as move:
        workflow("hello", [dict(SMS)])
        known = next(each for each in workflows.all_known() if each.slug == "hello")
        begin(company, "hello")
        move(timedelta(hours=10))
        held = begin(company, "hello")
        assert line(company, held).message.code == "quiet_hours"
        since = log.now() - timedelta(hours=messages.HOURS, minutes=-30)
        hours = messages.counted_by_hour(company.mona, known.id, since)
        assert {number: hour for number, hour in enumerate(hours) if hour != (0, 0)} == {
            13: (1, 0),
            23: (0, 1),
        }
        assert len(hours) == messages.HOURS
        assert not any(map(any, messages.counted_by_hour(company.stan, known.id, since))), (
            "of runs that he may not count"
        )
        move(timedelta(hours=12))
        reached.work()
        later = messages.counted_by_hour(company.mona, known.id, since + timedelta(hours=12))
        assert sum(sent for sent, _ in later) == 2, "what was put off has left in its morning"
        assert not any(put_off for _, put_off in later)
