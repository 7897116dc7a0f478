"""The stand-in for a payment provider, a payee check and a VAT register: a real HTTP server, reached by actions like any other system.

`POST /v1/refunds` honours `Idempotency-Key`: the same key with the same body is answered as before, with another body it is refused. What a charge's
`metadata.simulate` says decides how it behaves: ok, slow_8s, timeout_after_commit, timeout_before, http_500_once, charge_disputed, charge_already_refunded,
pending_then_failed, expired_card. Names of fields are those of public payment interfaces. It calls nobody back.
"""

import contextlib
import hashlib
import json
import logging
import re
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from console.demo import ledger
from console.infra import settings
from console.infra.processes.parent import end_with_parent
from console.infra.settings import data_folder

logger = logging.getLogger(__name__)
KEY = "sk_demo_fernwick_pay"
MOST_BYTES = 64 * 1024
SLOW_S = 8.0
SILENT_S = 60.0
FAILS_AFTER = timedelta(seconds=60)
BALANCE = {
    "eur": 25_000_000,
    "gbp": 4_000_000,
    "usd": 3_000_000,
    "jpy": 90_000_000,
    "kwd": 2_000_000,
    "sek": 9_000_000,
    "pln": 8_000_000,
}
LOW, ANY_BALANCE = 1_000, 1_000_000
VAT = re.compile(r"[A-Z]{2}[0-9A-Z]{5,12}")
WAYS = frozenset(
    {
        "ok",
        "slow_8s",
        "timeout_after_commit",
        "timeout_before",
        "http_500_once",
        "charge_disputed",
        "charge_already_refunded",
        "pending_then_failed",
        "expired_card",
    }
)


class Silence(Exception):
    """Nothing is answered, for as long as anybody would wait."""


class Refusal(Exception):
    """An answer that is no yes."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {
                "type": "invalid_request_error" if status < 500 else "api_error",
                "code": code,
                "message": message,
                "param": param,
            }
        }


class Provider(ThreadingHTTPServer):
    """The server; `pace` shortens its slow answers, for tests."""

    daemon_threads = True

    def __init__(self, data_dir: Path, port: int = 0, *, pace: float = 1.0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.data_dir, self.pace = data_dir, pace
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def server_close(self) -> None:
        """Let go of those who wait for an answer that never comes."""
        self.stopped.set()
        super().server_close()

    def wait(self, seconds: float) -> None:
        """Let time pass, unless the server ends."""
        self.stopped.wait(seconds * self.pace)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Provider
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _answer(self) -> None:
        try:
            status, answer = self._handled()
        except Silence:
            self.server.wait(SILENT_S)
            self.close_connection = True
            return
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 (the names that the base class calls)

    def _handled(self) -> tuple[int, Mapping[str, Any]]:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MOST_BYTES:
            self.close_connection = True
            raise Refusal(413, "too_large", "The request is too large.")
        body, parts = self.rfile.read(length), urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            raise Refusal(401, "api_key_invalid", "The secret key is missing or wrong.")
        match self.command, parts.path.strip("/").split("/"):
            case "POST", ["v1", "refunds"]:
                return self._refund(body)
            case "GET", ["v1", "refunds"]:
                return self._refunds(query)
            case "GET", ["v1", "charges", charge]:
                return self._charge(unquote(charge))
            case "GET", ["v1", "balance"]:
                return 200, _balance(query.get("simulate_balance"), query.get("currency"))
            case "POST", ["verify", "payee"]:
                return self._payee(self._values(body))
            case "GET", ["vat", number]:
                return self._vat(unquote(number), query)
        raise Refusal(404, "resource_missing", "There is no such address here.")

    def _values(self, body: bytes) -> dict[str, Any]:
        """The body, JSON or form, with `metadata[name]` as an object."""
        if "json" in (self.headers.get("Content-Type") or ""):
            try:
                found = json.loads(body or b"{}")
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise Refusal(400, "parameter_invalid", "The body is no JSON object.")
            return found
        values: dict[str, Any] = {"metadata": {}}
        for name, value in parse_qsl(body.decode("utf-8", "replace")):
            inner = re.fullmatch(r"metadata\[(\w+)\]", name)
            (values["metadata"] if inner else values)[inner[1] if inner else name] = value
        return values

    def _refund(self, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """A refund, or the answer that was given to this key before."""
        key, values = self.headers.get("Idempotency-Key") or secrets.token_hex(16), self._values(body)
        digest = hashlib.sha256(body).digest()
        with ledger.opened(self.server.data_dir) as db:
            known = db.execute("select body, status, said from answer where key = ?", (key,)).fetchone()
            if known is not None and known[0] != digest:
                raise Refusal(
                    400,
                    "idempotency_key_in_use",
                    "This key was used with other parameters: use another key for another request.",
                )
            if known is not None and known[1] is not None:
                return known[1], json.loads(known[2])
            taken = ledger.charge(db, str(values.get("charge", "")))
            way = str(
                (values.get("metadata") or {}).get("simulate")
                or (taken or {}).get("metadata", {}).get("simulate")
                or "ok"
            )
            if way == "http_500_once" and known is None:
                db.execute("insert into answer values (?, ?, null, null)", (key, digest))
                failing, status, refund = True, 500, dict[str, Any]()
            elif way == "timeout_before":
                raise Silence
            else:
                failing, (status, refund) = False, _made(values, taken, way, key)
                if status == 200:
                    ledger.add_refund(db, {**refund, "key": key})
                db.execute(
                    "insert or replace into answer values (?, ?, ?, ?)",
                    (key, digest, status, json.dumps(refund)),
                )
        if failing:
            raise Refusal(500, "api_error", "Something went wrong here; nothing was done.")
        if way == "timeout_after_commit" and status == 200:
            raise Silence
        if way == "slow_8s":
            self.server.wait(SLOW_S)
        return status, refund

    def _refunds(self, query: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """The refunds of a charge, as they stand now."""
        if not query.get("charge"):
            raise Refusal(400, "parameter_missing", "Name the charge.", "charge")
        with ledger.opened(self.server.data_dir) as db:
            ledger.fail_pending(db, datetime.now(UTC) - FAILS_AFTER * self.server.pace, "pending_then_failed")
            return 200, {"object": "list", "data": ledger.refunds(db, query["charge"]), "has_more": False}

    def _charge(self, charge: str) -> tuple[int, Mapping[str, Any]]:
        """A charge with what went back of it."""
        with ledger.opened(self.server.data_dir) as db:
            found = ledger.charge(db, charge)
        if found is None:
            raise Refusal(404, "resource_missing", f"No such charge: '{charge[:80]}'", "id")
        back = found.pop("refunded")
        more = {"amount_refunded": back, "refunded": back >= found["amount"], "status": "succeeded"}
        return 200, {"object": "charge", "disputed": False, **found, **more}

    def _payee(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Whether an account is held under a name."""
        iban, name = body.get("iban"), body.get("name")
        if not isinstance(iban, str) or not isinstance(name, str) or not iban or not name:
            raise Refusal(400, "parameter_missing", "Give iban and name.", "iban" if not iban else "name")
        with ledger.opened(self.server.data_dir) as db:
            result, holder = ledger.payee(db, iban, name)
        return 200, {
            "object": "payee_verification",
            "result": result,
            "holder": holder,
            "checked_at": _moment(),
        }

    def _vat(self, number: str, query: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """Whether a VAT number is registered; the register may be away."""
        plain = ledger.plain(number)
        if query.get("simulate") == "unavailable":
            raise Refusal(503, "ms_unavailable", "The register of this country does not answer.")
        with ledger.opened(self.server.data_dir) as db:
            row = db.execute("select name from vat where id = ?", (plain,)).fetchone()
        status = "valid" if row else "invalid"
        consultation = (
            "WAPIAAA" + hashlib.sha256(f"{plain}{time.time_ns()}".encode()).hexdigest()[:10].upper()
        )
        check = {
            "object": "vat_check",
            "vat_id": plain,
            "well_formed": bool(VAT.fullmatch(plain)),
            "status": status,
            "name": row[0] if row else None,
        }
        return 200, {**check, "consultation_number": consultation, "checked_at": _moment()}

    def log_message(self, format: str, *args: Any) -> None:
        """Requests go to the log of the process, not to its terminal."""
        logger.debug(format, *args)


def _made(
    body: Mapping[str, Any], taken: Mapping[str, Any] | None, way: str, key: str
) -> tuple[int, dict[str, Any]]:
    """(status, body) of what comes of a refund that is asked for."""
    try:
        return 200, _refund_of(body, taken, way, key)
    except Refusal as refusal:
        return refusal.status, refusal.body


def _refund_of(
    body: Mapping[str, Any], taken: Mapping[str, Any] | None, way: str, key: str
) -> dict[str, Any]:
    charge, amount, metadata = body.get("charge"), body.get("amount"), body.get("metadata") or {}
    if not isinstance(charge, str) or not charge:
        raise Refusal(400, "parameter_missing", "Name the charge.", "charge")
    if not (
        isinstance(amount, int | str)
        and not isinstance(amount, bool)
        and re.fullmatch(r"[1-9][0-9]{0,11}", str(amount))
    ):
        raise Refusal(
            400,
            "parameter_invalid_integer",
            "The amount must be a whole number of the smallest unit, above 0.",
            "amount",
        )
    if way not in WAYS:
        raise Refusal(
            400, "parameter_invalid", f"There is nothing to simulate under the name {way[:40]}.", "metadata"
        )
    if way == "charge_disputed":
        raise Refusal(
            400, "charge_disputed", "The charge is disputed: answer the dispute in place of a refund."
        )
    left = taken["amount"] - taken["refunded"] if taken is not None else int(amount)
    if way == "charge_already_refunded" or left <= 0:
        raise Refusal(400, "charge_already_refunded", f"Charge {charge[:80]} has already been refunded.")
    if int(amount) > left:
        raise Refusal(
            400,
            "amount_too_large",
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            "amount",
        )
    currency = taken["currency"] if taken is not None else str(body.get("currency") or "eur").lower()
    pending = way == "pending_then_failed" or int(amount) > _available(currency, body)
    status, failure = (
        ("failed", "expired_or_canceled_card")
        if way == "expired_card"
        else ("pending" if pending else "succeeded", None)
    )
    return {
        "id": f"re_{hashlib.sha256(key.encode()).hexdigest()[:24]}",
        "object": "refund",
        "amount": int(amount),
        "charge": charge,
        "created": int(time.time()),
        "currency": currency,
        "failure_reason": failure,
        "metadata": {str(k): v for k, v in metadata.items()} | {"simulate": way, "key": key},
        "reason": body.get("reason"),
        "status": status,
    }


def _available(currency: str, body: Mapping[str, Any]) -> int:
    low = (body.get("metadata") or {}).get("simulate_balance") == "low"
    return LOW if low else BALANCE.get(currency, ANY_BALANCE)


def _balance(simulated: str | None, only: str | None) -> dict[str, Any]:
    """What is there to be paid out, by currency or of one; low on demand."""
    amounts = BALANCE if only is None else {only: BALANCE.get(only, ANY_BALANCE)}
    available = [
        {"amount": LOW if simulated == "low" else amount, "currency": currency}
        for currency, amount in amounts.items()
    ]
    return {"object": "balance", "available": available, "pending": [], "livemode": False}


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def serve(data_dir: Path, port: int, started: Callable[[str], object]) -> None:
    """Answer until SIGTERM or Ctrl-C; `told` is given the address. Raises OSError where the port is taken."""
    data_dir.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Provider(data_dir, port) as server, contextlib.suppress(KeyboardInterrupt):
        started(server.url)
        server.serve_forever(poll_interval=0.2)


def main() -> None:
    """As a child of `console serve`: at the port that it names, for as long as it runs."""
    data_folder.be_private()
    end_with_parent()
    serve(settings.current().data_dir, int(sys.argv[1]), logger.info)


if __name__ == "__main__":
    main()
