"""The stand-in provider, asked over HTTP as actions ask it: keys, simulations, balance, payees and VAT numbers."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest

from console.demo import ledger
from console.demo.provider import KEY, Provider
from console.demo.world import World

Answer = tuple[int, dict[str, Any]]


class Client:
    """Somebody who asks."""

    def __init__(self, server: Provider) -> None:
        self.server = server

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        told = {
            "Authorization": f"Bearer {KEY}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        try:
            connection.request(method, path, body, told)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def refund(self, key: str = "k1", **values: Any) -> Answer:
        asked = {"charge": "ch_PriyaRaman180", "amount": 1000, **values}
        return self(
            "POST",
            "/v1/refunds",
            urlencode(asked).encode(),
            Idempotency_Key=key,
            Content_Type="application/x-www-form-urlencoded",
        )

    def refunds(self, charge: str = "ch_PriyaRaman180") -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self("GET", f"/v1/refunds?charge={charge}")[1]["data"]
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def started(folder: Path) -> Client:
    server = Provider(folder, pace=0.01)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return Client(server)


@pytest.fixture
def provider(tmp_path: Path, world: World) -> Iterator[Client]:
    ledger.fill(tmp_path, world.core, world.supply)
    with started(tmp_path) as client:
        yield client


def test_the_same_key_gets_the_same_answer_and_another_body_is_refused(provider: Client) -> None:
    first = provider.refund()
    assert (first[0], first[1]["status"], first[1]["amount"]) == (200, "succeeded", 1000)
    assert provider.refund() == first
    assert [refund["id"] for refund in provider.refunds()].count(first[1]["id"]) == 1
    status, told = provider.refund(amount=2000)
    assert (status, told["error"]["code"]) == (400, "idempotency_key_in_use")
    assert provider.refund("k2")[1]["id"] != first[1]["id"]


@pytest.mark.parametrize(
    ("way", "code"),
    [("charge_disputed", "charge_disputed"), ("charge_already_refunded", "charge_already_refunded")],
)
def test_it_refuses_as_it_is_told(provider: Client, way: str, code: str) -> None:
    status, told = provider.refund(**{"metadata[simulate]": way})
    assert (status, told["error"]["code"]) == (400, code)
    assert len(provider.refunds()) == 1


def test_once_it_fails_and_then_does_it(provider: Client) -> None:
    assert provider.refund(**{"metadata[simulate]": "http_500_once"})[0] == 500
    assert len(provider.refunds()) == 1
    assert provider.refund(**{"metadata[simulate]": "http_500_once"})[0] == 200


@pytest.mark.parametrize(("way", "made"), [("timeout_after_commit", 2), ("timeout_before", 1)])
def test_silence_may_mean_done_or_not(provider: Client, way: str, made: int) -> None:
    with pytest.raises(RemoteDisconnected):
        provider.refund(**{"metadata[simulate]": way})
    found = provider.refunds()
    assert len(found) == made
    assert next(refund["metadata"].get("key") for refund in found) == ("k1" if made == 2 else None)


def test_many_at_once_under_one_key_are_one_refund(provider: Client) -> None:
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(provider.refund())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), len({told["id"] for _, told in answers}), len(provider.refunds())) == (8, 1, 2)


def test_vat_numbers_are_valid_invalid_or_the_register_is_away(provider: Client) -> None:
    status, told = provider("GET", "/vat/DE%20299%20884%20104")
    assert (status, told["status"], told["name"]) == (200, "valid", "Bright Water Logistics GmbH")
    assert provider("GET", "/vat/DE000000000")[1]["status"] == "invalid"
    assert provider("GET", "/vat/DE299884104?simulate=unavailable")[0] == 503
    assert len({provider("GET", "/vat/DE299884104")[1]["consultation_number"] for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/refunds", None, 400),
        ("GET", "/v1/nothing", None, 404),
        ("POST", "/verify/payee", b"[1]", 400),
        ("POST", "/verify/payee", b"{", 400),
        ("POST", "/v1/refunds", b"x" * 70_000, 413),
    ],
)
def test_what_makes_no_sense_is_refused(
    provider: Client, method: str, path: str, body: bytes | None, status: int
) -> None:
    assert provider(method, path, body, Content_Type="application/json")[0] == status


def test_without_the_key_nobody_gets_in(provider: Client) -> None:
    assert provider("GET", "/v1/balance", Authorization="Bearer wrong")[0] == 401
