"""A change of a supplier's account: the story of the mail that wants a payment sent elsewhere, and a change that is genuine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console import runs
from console.core.errors import ConsoleError, NotAllowed, NotFound
from console.demo import stories
from console.demo.world import World
from console.infra.postgres import Embedded
from console.work import approvals
from tests.demo.procurement import House, supplied

pytestmark = pytest.mark.slow

ALDER = str(stories.ALDER_FINCH)
MAIL = {
    "channel": "mail",
    "sender": "accounts@alder-finch-print.example",
    "phone": "+49 30 23125 999",
    "iban": "LT45 9999 9000 1234 5678",
    "holder": "Alder & Finch Print GmbH",
}
CALL: dict[str, Any] = {"spoke_to": "Ms Finch", "role": "Accounts", "result": "confirmed", "heard": "same"}


@pytest.fixture
def house(
    pg: Embedded,
    template: str,
    suite_folder: Path,
    world: World,
    supply_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    with supplied(pg, suite_folder, world, supply_file, tmp_path_factory.mktemp("bank_change")) as made:
        yield made


def begin(house: House) -> str:
    """A run of Stan's that stands at the change that is asked for; the open invoices are held."""
    run_id = runs.start(house.stan, "supplier-bank-change", "supplier", ALDER)
    house.work()
    told = house.told(run_id, "stan")
    while told["current"]["step"] != "asked":
        told = house.hand_in(run_id, "stan")
    assert invoices(house) <= {"held", "paid"}
    return run_id


def invoices(house: House) -> set[str]:
    return {
        status
        for (status,) in house.sql("select distinct status from invoice where supplier_id = ?", int(ALDER))
    }


def accounts(house: House) -> dict[str, str]:
    return dict(house.sql("select iban, status from supplier_bank_account where supplier_id = ?", int(ALDER)))


def called(house: House, run_id: str, **asked: Any) -> dict[str, Any]:
    """The run at the call, in Lena's hands."""
    house.hand_in(run_id, "stan", **(MAIL | asked))
    house.hand_in(run_id, "stan")
    assert house.hand_in(run_id, "stan")["holder"] is None
    house.take(run_id, "lena")
    return house.told(run_id, "lena")


def test_v6_a_change_that_nobody_confirms_is_rejected_and_the_invoices_stay_held(house: House) -> None:
    run_id = begin(house)
    context = called(house, run_id)["context"]
    assert context["compare"]["signs"] == ["domain", "country"]
    assert context["propose"]["results"]["payee"]["result"] == "no_match"
    with pytest.raises(ConsoleError) as caught:
        house.hand_in(run_id, "lena", **CALL, number=MAIL["phone"])
    assert [
        (detail["field"], "gave with the account" in detail["reason"]) for detail in caught.value.details
    ] == [("number", True)]
    other = CALL | {
        "heard": "other",
        "last4_read_by_them": "9999",
        "number": "+49 30 23125 147",
        "number_source": "earlier_record",
    }
    with pytest.raises(ConsoleError) as caught:
        house.hand_in(run_id, "lena", **other)
    assert [(detail["field"], "other digits" in detail["reason"]) for detail in caught.value.details] == [
        ("result", True)
    ]
    told = house.hand_in(run_id, "lena", **(other | {"result": "not_confirmed"}))
    assert told["current"]["step"] == "judge"
    assert told["context"]["callback"]["number_source"] == "earlier_record"
    told = house.hand_in(run_id, "lena", outcome="fraud", reason="They know nothing of it.")
    screen = runs.get(house.lena, run_id).screen
    assert screen is not None
    assert "accounts@alderfinch.example" in screen["text"].replace("\\", "")
    house.hand_in(run_id, "lena")
    assert house.steps(run_id)[-1] == "end_fraud"
    assert "security" in house.steps(run_id)
    assert accounts(house)[stories.FOREIGN_IBAN] == "retired"
    assert accounts(house)[stories.ALDER_FINCH_IBAN] == "active"
    assert invoices(house) <= {"held", "paid"}


def test_a_change_that_is_confirmed_is_activated_by_finance_and_the_invoices_go_on(house: House) -> None:
    new = "DE77999999990000147147"
    run_id = begin(house)
    assert (
        called(house, run_id, iban=new, sender="accounts@alderfinch.example", phone=None)["context"][
            "compare"
        ]["signs"]
        == []
    )
    told = house.hand_in(run_id, "lena", **CALL)
    assert told["current"]["step"] == "bank"
    assert accounts(house)[stories.ALDER_FINCH_IBAN] == "active", "nothing has changed yet"
    house.hand_in(run_id, "lena")
    asked = approvals.get(house.petra, runs.get(house.lena, run_id).json["current"]["waiting"]["key"])
    assert asked.text is not None
    said = asked.text.replace("\\", "")
    for part in (
        "Ms Finch",
        "called on **",
        "+49 30 23125",
        "after the account was entered",
        "number from Public register",
    ):
        assert part in said, "on which number, from which source, and when: question 7"
    with pytest.raises((NotAllowed, NotFound)):
        house.approve(run_id, "stan")
    house.approve(run_id)
    assert {accounts(house)[number] for number in (new, stories.ALDER_FINCH_IBAN)} == {"active", "retired"}
    assert accounts(house)[new] == "active"
    assert house.sql("select activated_by from supplier_bank_account where iban = ?", new) == [
        (house.petra.email,)
    ], "who approved, not who asked"
    house.hand_in(run_id, "lena")
    assert invoices(house) <= {"held", "paid"}, "Finance has not released them"
    house.approve(run_id)
    assert "held" not in invoices(house)
    house.hand_in(run_id, "lena")
    assert house.steps(run_id)[-1] == "end_changed"
