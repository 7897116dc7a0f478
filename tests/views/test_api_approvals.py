"""Approvals over HTTP with a key: shapes, statuses, and who must not decide."""

from typing import TYPE_CHECKING, Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import runs
from console.auth import accounts
from console.auth.access import Scopes
from tests.support.four_eyes import balance, bank, charging, requested

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

__all__ = ["bank"]
KEYS = [
    "id",
    "run",
    "step",
    "attempt",
    "action",
    "collection",
    "record",
    "status",
    "requested_by",
    "values",
    "decided",
    "needs",
]


class Program:
    """A program with a person's key."""

    def __init__(self, pages: "Pages", name: str) -> None:
        self.client: FlaskClient = pages.app.test_client()
        self.headers = {
            "Authorization": f"Bearer {accounts.create_key('tests', pages.company.people[name].id, scopes=Scopes(approves=True)).text}"
        }

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers | headers)


def test_a_request_in_its_shape_and_the_answer(bank: "Company", pages: "Pages") -> None:
    charging()
    run_id, asked = requested(bank)
    mona = Program(pages, "mona")
    told = mona.get("/approvals").get_json()
    assert told["next"] is None
    (one,) = told["data"]
    assert set(KEYS) <= set(one)
    assert (one["id"], one["run"], one["step"], one["attempt"], one["status"], one["needs"]) == (
        asked,
        run_id,
        "charge",
        1,
        "open",
        1,
    )
    assert (one["action"], one["collection"], one["record"], one["values"]) == (
        "customer.charge",
        "customer",
        "1",
        {"amount": "300"},
    )
    assert (one["requested_by"], one["decided"]) == (bank.olivia.id, [])
    assert mona.get(f"/approvals/{asked}").get_json() == one
    current = Program(pages, "olivia").get(f"/runs/{run_id}").get_json()["current"]
    assert (
        current["form"],
        current["waiting"]["for"],
        current["waiting"]["until"],
        current["waiting"]["key"],
    ) == (
        None,
        "approval",
        None,
        asked,
    )
    answer = mona.post(f"/approvals/{asked}/approve", {"reason": "Fits."}, **{"X-Idempotency-Key": "once"})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "approved")
    (decided,) = answer.get_json()["decided"]
    assert (decided["by"], decided["decision"], decided["reason"]) == (bank.mona.id, "approve", "Fits.")
    assert (
        mona.post(
            f"/approvals/{asked}/approve", {"reason": "Fits."}, **{"X-Idempotency-Key": "once"}
        ).get_json()
        == answer.get_json()
    )
    assert mona.post(f"/approvals/{asked}/approve", {}).status_code == 409
    assert balance(bank) == "300"


def test_who_must_not_decide(bank: "Company", pages: "Pages") -> None:
    charging()
    _, asked = requested(bank, by="mona")
    answer = Program(pages, "mona").post(f"/approvals/{asked}/approve", {})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "separation_of_duties")
    assert answer.get_json()["details"] == [{"field": "rule", "reason": "requester"}]
    for name, status in (("tom", 403), ("rosa", 403), ("stan", 404)):
        program = Program(pages, name)
        for act in ("approve", "reject"):
            assert program.post(f"/approvals/{asked}/{act}", {"reason": "x"}).status_code == status, (
                name,
                act,
            )
    assert Program(pages, "stan").get("/approvals").get_json() == {"data": [], "next": None}
    assert Program(pages, "stan").get(f"/approvals/{asked}").status_code == 404
    assert pages.app.test_client().post(f"/api/v1/approvals/{asked}/approve", json={}).status_code == 401
    assert balance(bank) == "12.5"


def test_what_is_wrong_is_named(bank: "Company", pages: "Pages") -> None:
    charging()
    _, asked = requested(bank)
    mona = Program(pages, "mona")
    wrong: list[tuple[str, dict[str, Any], int, str]] = [
        ("reject", {}, 422, "reason"),
        ("reject", {"reason": " "}, 422, "reason"),
        ("reject", {"reason": 7}, 422, "reason"),
        ("reject", {"reason": "x", "accept_changes": True}, 422, "accept_changes"),
        ("approve", {"accept_changes": "yes"}, 422, "accept_changes"),
        ("approve", {"colour": 1}, 422, "colour"),
    ]
    for act, body, status, field in wrong:
        answer = mona.post(f"/approvals/{asked}/{act}", body)
        assert (answer.status_code, answer.get_json()["details"][0]["field"]) == (status, field), (act, body)
    for query, status in (
        ("?status=shut", 400),
        ("?colour=1", 400),
        ("?waiting=you", 400),
        ("?limit=0", 400),
        ("?after=x", 400),
    ):
        assert mona.get(f"/approvals{query}").status_code == status, query
    assert [one["id"] for one in mona.get("/approvals?waiting=me&status=open").get_json()["data"]] == [asked]
    bank.sql("update customer set balance = 77 where id = 1")
    answer = mona.post(f"/approvals/{asked}/approve", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "values_moved")
    assert answer.get_json()["details"][0] | {"reason": ""} == {
        "field": "balance",
        "reason": "",
        "old": "12.50",
        "now": "77.00",
    }
    assert mona.post(f"/approvals/{asked}/approve", {"accept_changes": True}).status_code == 200
    assert mona.post(f"/approvals/{asked}/reject", {"reason": "late"}).status_code == 409


def test_questions_are_asked_by_who_decides_and_answered_by_who_asked(
    bank: "Company", pages: "Pages"
) -> None:
    charging()
    _, asked = requested(bank)
    mona, olivia = Program(pages, "mona"), Program(pages, "olivia")
    nothing = olivia.post(f"/approvals/{asked}/reply", {"answer": "x"})
    assert (nothing.status_code, nothing.get_json()["code"]) == (409, "not_possible")
    for program, act, body, field in (
        (mona, "ask", {}, "question"),
        (mona, "ask", {"question": " "}, "question"),
        (mona, "ask", {"question": "x" * 2_001}, "question"),
        (mona, "ask", {"answer": "x"}, "answer"),
        (olivia, "reply", {"answer": None}, "answer"),
    ):
        answer = program.post(f"/approvals/{asked}/{act}", body)
        assert (answer.status_code, answer.get_json()["details"][0]["field"]) == (422, field), (act, body)
    once = {"X-Idempotency-Key": "asked"}
    told = mona.post(f"/approvals/{asked}/ask", {"question": "Which receipt?"}, **once)
    assert told.status_code == 200
    assert (
        mona.post(f"/approvals/{asked}/ask", {"question": "Which receipt?"}, **once).get_json()
        == told.get_json()
    )
    said = olivia.post(f"/approvals/{asked}/reply", {"answer": "The one of March."}).get_json()
    assert [(one["by"], one["reply"], one["text"]) for one in said["data"]] == [
        (bank.mona.id, False, "Which receipt?"),
        (bank.olivia.id, True, "The one of March."),
    ]
    assert mona.get(f"/approvals/{asked}/questions").get_json() == said
    for name, act, status in (
        ("olivia", "ask", 403),
        ("tom", "ask", 403),
        ("rosa", "ask", 403),
        ("stan", "ask", 404),
        ("mona", "reply", 403),
        ("tom", "reply", 403),
        ("stan", "reply", 404),
    ):
        body = {"question": "x"} if act == "ask" else {"answer": "x"}
        assert Program(pages, name).post(f"/approvals/{asked}/{act}", body).status_code == status, (name, act)
    assert Program(pages, "stan").get(f"/approvals/{asked}/questions").status_code == 404
    assert (
        pages.app.test_client().post(f"/api/v1/approvals/{asked}/ask", json={"question": "x"}).status_code
        == 401
    )
    assert mona.get(f"/approvals/{asked}").get_json()["status"] == "open", "asking decides nothing"


def test_a_request_that_is_void_by_now_says_that_nothing_was_done_whatever_was_written_of_it(
    bank: "Company", pages: "Pages"
) -> None:
    changes = {
        "update customer set desk = 'corporate' where id = 1": "Corporate accounts are not charged",
        "update customer set risk = 'high', desk = 'retail' where id = 1": "asks for more",
        "delete from customer where id = 1": "was deleted",
    }
    charging()
    mona = Program(pages, "mona")
    for change, words in changes.items():
        run_id, asked = requested(bank)
        bank.sql(change)
        for _again in range(2):
            told = mona.post(
                f"/approvals/{asked}/approve", {"reason": "Fits."}, **{"X-Idempotency-Key": f"void {asked}"}
            )
            body = told.get_json()
            assert (told.status_code, body.get("outcome"), told.headers.get("X-Outcome")) == (
                409,
                None,
                None,
            ), body
            assert "was done, or a part" not in body["message"]
            assert body["code"] in ("approval_void", "not_possible"), body
            assert _again or words in body["message"], body["message"]
        if change.startswith("update"):
            bank.sql("update customer set desk = 'retail', risk = 'low' where id = 1")
            current = bank.told(run_id)
            runs.abort(bank.olivia, run_id, revision=current["revision"], reason="next")
