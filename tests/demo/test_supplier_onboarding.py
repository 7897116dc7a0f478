"""Supplier onboarding as Procurement does it: the scenarios of the house, from the request to the rows and the log."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console import log, runs
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.demo.world import World
from console.infra.postgres import Embedded
from console.work import approvals
from tests.conftest import web_app
from tests.demo.procurement import House, supplied
from tests.papers import pdf
from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

SMALL, NOT_OURS, LARGE, KNOWN = "231", "232", "233", "240"


@pytest.fixture(scope="module")
def house(
    pg: Embedded,
    template: str,
    suite_folder: Path,
    world: World,
    supply_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    with supplied(pg, suite_folder, world, supply_file, tmp_path_factory.mktemp("onboarding")) as made:
        yield made


@pytest.fixture
def fresh(house: House) -> Iterator[House]:
    """The house, in which nobody remembers what other tests made."""
    yield house
    house.forget()


def row(house: House) -> dict[str, Any]:
    """The supplier of the request at hand with its account, as the database has it."""
    names = (
        "id",
        "status",
        "tier",
        "screening_status",
        "iban",
        "account",
        "vop",
        "entered_by",
        "called_back_by",
        "activated_by",
    )
    [found] = house.sql(
        "select s.id, s.status, tier, screening_status, iban, a.status, vop, entered_by, called_back_by, activated_by "
        "from supplier s left join supplier_bank_account a on a.supplier_id = s.id where request_id = ?",
        house.record,
    )
    return dict(zip(names, found, strict=True))


def ended(house: House, run_id: str) -> str:
    told = house.told(run_id, "lena")
    assert told["status"] == "completed", told["current"]
    return house.steps(run_id)[-1].removeprefix("end_")


def people(run_id: str) -> set[str]:
    """Who did something to the run, as the log has it."""
    return {event.body["actor"]["id"] for event in log.events_of(run_id)}


def mail(name: str) -> str:
    return f"{name}@fernwick.example"


def test_v1_a_supplier_that_is_known_is_found_on_its_keys_and_nothing_is_created(fresh: House) -> None:
    before = fresh.sql("select count(*) from supplier")
    run_id = fresh.begin(KNOWN)
    here = fresh.told(run_id, "stan")["current"]
    assert here["step"] == "duplicates"
    agrees = runs.get(fresh.stan, run_id).json["context"]["match"]["results"]["match"]["told"]
    assert all(
        key in agrees for key in ("Bright Water Logistics GmbH (SUP-0088", "VAT id", "IBAN", "name (0.9")
    )
    fresh.hand_in(run_id, "stan", key="88")
    fresh.hand_in(run_id, "stan", outcome="existing")
    assert ended(fresh, run_id) == "existing"
    assert fresh.sql("select status, supplier_id from supplier_request where id = ?", fresh.record) == [
        ("done", 88)
    ]
    assert fresh.sql("select count(*) from supplier") == before


def test_v2_a_small_supplier_goes_through_without_a_lead(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    by = fresh.to(run_id, "activate")
    assert (by, row(fresh)["account"]) == ("sara", "active")
    fresh.to(run_id, "welcome", by)
    fresh.hand_in(run_id, by)
    assert ended(fresh, run_id) == "active"
    told = row(fresh)
    assert (told["status"], told["tier"], told["screening_status"], told["vop"]) == (
        "active",
        "C",
        "clear",
        "match",
    )
    assert [told[name] for name in ("entered_by", "called_back_by", "activated_by")] == [
        mail("stan"),
        mail("sara"),
        mail("petra"),
    ]
    assert {"to_lead", "exceptions", "agree", "papers"}.isdisjoint(fresh.steps(run_id))
    assert fresh.sql("select status from contract where supplier_id = ?", told["id"]) == [("signed",)]
    assert (
        len(
            fresh.sql(
                "select party from signature join contract on contract.id = contract_id where supplier_id = ?",
                told["id"],
            )
        )
        == 2
    )
    assert fresh.lena.id not in people(run_id)


def test_v3_the_supplier_is_written_to_and_what_does_not_come_in_time_is_asked_for_again_or_dropped(
    fresh: House,
) -> None:
    run_id = fresh.begin(LARGE)
    fresh.to(run_id, "ask")
    told = fresh.hand_in(run_id, "stan", outcome="write", address="office@halyard-it.example")
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "documents")
    runs.step_in(fresh.stan, run_id, revision=told["revision"])
    wanted = {field["name"] for field in fresh.told(run_id, "stan")["current"]["form"]["fields"]}
    assert {"register_extract", "insurance", "bank_letter"} <= wanted
    assert "dpa" not in wanted
    late = {
        "outcome": "expired",
        "reason": "Nothing came",
        "sender": None,
        "register_no": None,
        "iban": None,
        "phone": None,
    }
    assert fresh.hand_in(run_id, "stan", **late)["current"]["step"] == "late"
    assert fresh.hand_in(run_id, "stan", outcome="again")["current"]["step"] == "ask"
    fresh.hand_in(run_id, "stan", outcome="received")
    assert fresh.hand_in(run_id, "stan", **late)["current"]["step"] == "late"
    fresh.hand_in(run_id, "stan", outcome="drop", reason="No answer for weeks")
    assert (ended(fresh, run_id), "tell_late" in fresh.steps(run_id)) == ("withdrawn", True)


@pytest.mark.parametrize(
    ("asked", "tier"),
    [
        ("est_annual_eur = 9999.99", "C"),
        ("est_annual_eur = 10000", "B"),
        ("est_annual_eur = 250000", "A"),
        ("critical = 1", "A"),
        ("personal_data = 1", "A"),
    ],
)
def test_the_tier_follows_from_the_request(fresh: House, asked: str, tier: str) -> None:
    run_id = fresh.begin(SMALL, change=asked)
    [field] = [
        one for one in fresh.told(run_id, "stan")["current"]["form"]["fields"] if one["name"] == "tier"
    ]
    assert (field["value"], field["readonly"]) == (tier, True)


def test_v4_a_register_that_is_away_is_not_an_invalid_number(
    fresh: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.demo import provider

    def away(*_: Any) -> Any:
        raise provider.Refusal(503, "ms_unavailable", "The register of this country does not answer.")

    monkeypatch.setattr(provider.Handler, "_vat", away)
    run_id = fresh.begin(SMALL)
    by = fresh.to(run_id, "exceptions", given={"validate": {"result": "unavailable"}})
    told = fresh.told(run_id, by)
    assert told["holder"] == fresh.stan.id, "it is no matter for a lead"
    assert told["context"]["validate"]["major"] == []
    by = fresh.to(run_id, "activate", by)
    fresh.hand_in(run_id, by)
    fresh.approve(run_id, "lena")
    fresh.hand_in(run_id, by)
    assert ended(fresh, run_id) == "waiver"
    assert "recheck" in fresh.steps(run_id)


def test_v5_who_entered_the_account_does_not_call_and_neither_of_them_activates_it(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    fresh.to(run_id, "screen")
    fresh.hand_in(run_id, "stan")
    assert fresh.told(run_id, "stan")["holder"] is None, "the run goes to somebody else by itself"
    fresh.take(run_id, "stan")
    with pytest.raises(Conflict, match="whoever entered the account does not call"):
        fresh.hand_in(run_id, "stan")
    runs.save(fresh.stan, run_id, revision=fresh.told(run_id, "stan")["revision"])
    fresh.take(run_id, "lena")
    for typed in (
        {"number": "0049 (30) 231 25-555"},
        {"heard": None},
        (wrong := {"last4_read_by_them": "0000"}),
        wrong | {"heard": None},
    ):
        with pytest.raises(ConsoleError) as caught:
            fresh.hand_in(run_id, "lena", **typed)
        assert [detail["field"] for detail in caught.value.details] == [*typed][:1]
    fresh.hand_in(run_id, "lena")
    fresh.hand_in(run_id, "lena")
    assert row(fresh)["account"] == "confirmed"
    for name in ("stan", "lena", "olivia"):
        with pytest.raises((NotAllowed, NotFound)):
            fresh.approve(run_id, name)
    fresh.approve(run_id, "petra")
    told = row(fresh)
    assert [told[name] for name in ("account", "entered_by", "called_back_by")] == [
        "active",
        mail("stan"),
        mail("lena"),
    ]
    assert {fresh.stan.id, fresh.lena.id, fresh.petra.id} <= people(run_id)


def test_v7_an_account_that_is_changed_while_finance_is_asked_is_asked_for_anew(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    by = fresh.to(run_id, "bank")
    fresh.hand_in(run_id, by)
    asked = fresh.asked(run_id)
    fresh.sql(
        "update supplier_bank_account set called_back_by = null, status = 'proposed' where supplier_id > 420"
    )
    with pytest.raises(Conflict):
        runs.approve(fresh.petra, asked)
    assert row(fresh)["activated_by"] is None


def test_v8_another_file_than_the_agreed_one_stops_the_run_and_both_fingerprints_are_shown(
    fresh: House,
) -> None:
    run_id = fresh.begin(SMALL)
    by = fresh.to(run_id, "signed")
    agreed = fresh.told(run_id, by)["context"]["terms"]["fingerprint"]
    assert len(agreed) == 64
    told = fresh.hand_in(run_id, by, document=fresh.paper(run_id, by, pdf(text="one byte more")))
    assert told["current"]["step"] == "differs"
    screen = runs.get(fresh.people[by], run_id).screen
    assert screen is not None
    [line] = [line for line in screen["content"][0]["lines"] if line.get("hot")]
    assert [line[side]["value"] for side in ("ours", "theirs")] == [
        agreed,
        told["context"]["signed"]["fingerprint"],
    ]
    made = "select count(*) from signature join contract on contract.id = contract_id where supplier_id = ?"
    assert fresh.sql(made, row(fresh)["id"]) == [(0,)]
    told = fresh.hand_in(run_id, by, outcome="again")
    assert told["current"]["step"] == "signed"


def test_v9_what_was_created_is_archived_once_when_the_run_is_given_up(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    fresh.to(run_id, "ask")
    fresh.hand_in(run_id, "stan", outcome="withdraw", reason="No longer needed")
    assert ended(fresh, run_id) == "withdrawn"
    assert row(fresh)["status"] == "archived"
    assert fresh.sql("select status from supplier_request where id = ?", fresh.record) == [("refused",)]


def test_v10_an_extract_that_has_grown_too_old_is_checked_anew(
    fresh: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = fresh.begin(LARGE)
    by = fresh.to(run_id, "callback", given={"validate": {"result": "pass"}})
    assert fresh.told(run_id, by)["context"]["validate"]["exceptions"] == []
    later = log.now() + timedelta(days=90)
    monkeypatch.setattr(log, "now", lambda: later)
    assert fresh.hand_in(run_id, by)["current"]["step"] == "papers"
    by = fresh.check_anew(run_id, by)
    assert fresh.told(run_id, by)["context"]["validate"]["exceptions"] == ["register_extract"]
    assert fresh.steps(run_id).count("validate") >= 20, "the earlier pass is kept beside the new one"


def test_v11_operations_see_nothing_of_it(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    with pytest.raises(NotFound):
        fresh.told(run_id, "olivia")
    with pytest.raises((NotFound, NotAllowed)):
        runs.start(fresh.olivia, "supplier-onboarding", "supplier_request", "232")
    with pytest.raises(NotFound):
        approvals.find(fresh.olivia, {"run": run_id})
    assert approvals.find(fresh.stan, {"run": run_id}).lines == []


def test_a_major_exception_goes_to_the_leads_and_only_they_waive_it(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    fresh.to(run_id, "validate")
    fresh.to(run_id, "screen", given={"validate": {"result": "exception", "note": "Names differ"}})
    told = fresh.hand_in(run_id, "stan")
    assert (told["holder"], told["ticket"]["inbox"]) == (None, "supplier-exceptions")
    with pytest.raises(NotAllowed, match="waits in the inbox Supplier exceptions, which is for lead"):
        fresh.take(run_id, "stan")
    fresh.take(run_id, "lena")
    runs.save(fresh.lena, run_id, revision=fresh.told(run_id, "lena")["revision"])
    fresh.take(run_id, "stan")
    with pytest.raises(Invalid):
        fresh.hand_in(run_id, "stan")
    runs.save(fresh.stan, run_id, revision=fresh.told(run_id, "stan")["revision"])
    fresh.take(run_id, "lena")
    assert fresh.hand_in(run_id, "lena")["current"]["step"] == "callback"


def test_a_hit_blocks_the_supplier_and_is_waived_by_nobody(fresh: House) -> None:
    run_id = fresh.begin(SMALL)
    by = fresh.to(run_id, "exceptions", given={"screen": {"outcome": "hit"}})
    assert (by, row(fresh)["status"]) == ("lena", "blocked")
    with pytest.raises(Invalid):
        fresh.hand_in(run_id, by)
    fresh.hand_in(run_id, by, outcome="refuse", reason="On a list")
    assert ended(fresh, run_id) == "refused"
    assert (row(fresh)["status"], row(fresh)["screening_status"]) == ("blocked", "hit")


# ------------------------------------------------------------------------------------------------- what people read on its pages


@pytest.fixture(scope="module")
def pages(house: House) -> Pages:
    return Pages(house, web_app())


@pytest.mark.parametrize("part", ["", "/replay", "/picture", "/case-file", "/abort", "?tab=activity"])
def test_v11_whoever_is_not_of_procurement_finds_no_page_of_it(fresh: House, pages: Pages, part: str) -> None:
    run_id = fresh.begin(SMALL)
    strange = pages.olivia.get(f"/runs/{run_id}{part}", status=404)
    never = pages.olivia.get(f"/runs/run_01m7zgzkvveeg82ye6ssx03m88{part}", status=404)
    plain = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", page.text) for page in (strange, never)]
    assert plain[0] == plain[1], "a run that one may not see and one that is not there are told alike"
