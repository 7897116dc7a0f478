"""KYC review where the documents do not come."""

from console.demo import stories
from tests.demo.reviewing import House, house, loaded_house

__all__ = ["house", "loaded_house"]


def test_k1_a_lead_who_goes_on_without_the_documents_comes_to_the_screening(house: House) -> None:
    run_id = house.start(stories.PLAIN[4], by="mona")
    told = house.walk(run_id, "check_docs", by="mona")
    while told["current"]["step"] == "check_docs":
        told = house.answer(run_id, by="mona", document_status="rejected", because="unreadable")
    house.walk(run_id, "ask_customer", by="mona")
    house.answer(run_id, by="mona", outcome="ask")
    told = house.answer(run_id, by="mona")
    assert told["current"]["step"] == "wait_docs"
    told = house.answer(run_id, by="mona", outcome="expired", reason="Known for twenty years.")
    assert told["current"]["step"] == "pep", "not at a decision without a risk band"
    assert "screen" in told["context"]
