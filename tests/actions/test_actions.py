"""Actions: done to a record by a run of one step, judged by what holds when they are done."""

import pytest

from console import runs
from console.errors import Conflict, Invalid, NotAllowed
from tests.company import Company
from tests.support.acting import RATE, hand_in, imported, run_of


def test_an_action_writes_the_record_and_says_so(company: Company) -> None:
    imported(RATE)
    run_id = run_of(company, RATE)
    assert [field["name"] for field in company.told(run_id)["current"]["form"]["fields"]] == ["risk", "note"]
    told = hand_in(company, run_id, risk="high")
    assert (told["status"], company.sql("select risk from customer where id = 1")) == ("completed", [("high",)])


def test_what_must_hold_is_judged_when_it_is_handed_in(company: Company) -> None:
    imported(RATE)
    run_id = run_of(company, RATE, "3")
    with pytest.raises(Conflict, match="is no retail customer") as error:
        hand_in(company, run_id, risk="high")
    assert error.value.code == "require"
    assert company.sql("select risk from customer where id = 3") == [(None,)]


def test_a_value_that_does_not_fit_is_said_at_its_field(company: Company) -> None:
    imported(RATE)
    with pytest.raises(Invalid) as error:
        hand_in(company, run_of(company, RATE), risk="enormous")
    assert [detail["field"] for detail in error.value.details] == ["risk"]


def test_without_the_right_it_is_refused(company: Company) -> None:
    imported(RATE, roles=())
    run_id = run_of(company, RATE)
    with pytest.raises(NotAllowed, match="action.execute on customer.rate"):
        hand_in(company, run_id, risk="high")
    assert runs.get(company.olivia, run_id).json["status"] == "waiting_person"
