"""Procurement as the demo has it, in this process: its source, its people, its workflows and actions, and the stand-in provider."""

import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from console import actions, runs, sources, workflows
from console.auth import accounts
from console.core.errors import Invalid
from console.demo import ledger, loading, provider, staff
from console.demo.world import World
from console.infra import settings
from console.infra.postgres import Embedded
from console.workflows import inboxes
from tests.company import PASSWORD, Company
from tests.conftest import copied
from tests.support.engine import overdue

ROOT = Path(__file__).parents[2]
PEOPLE = {
    "stan": ("buyer", ["procurement"]),
    "sara": ("buyer", ["procurement"]),
    "lena": ("procurement_lead", ["procurement"]),
    "petra": ("finance_controller", ["finance", "procurement"]),
    "olivia": ("operator", ["operations"]),
}
GOOD: dict[str, dict[str, Any]] = {
    "known": {"outcome": "branch", "reason": "A sister company"},
    "tier": {"address": "office@pixelwerk-druck.example", "seen_on": "contract"},
    "ask": {"outcome": "received"},
    "request": {
        "outcome": "received",
        "sender": "by post",
        "register_no": "HRB 77120",
        "iban": "as in the request",
        "phone": "+49 30 23125 555",
    },
    "papers": {"extract_on": "2026-11-02", "insured_until": "2027-11-30", "cover_eur": "6000000"},
    "validate": {"result": "pass", "result_because": "Seen on paper"},
    "screen": {"outcome": "clear"},
    "exceptions": {
        "outcome": "resolved",
        "until": "2027-01-31",
        "owner": "Stan",
        "reason": "A new certificate is on its way.",
    },
    "callback": {
        "number": "+49 30 23125 100",
        "number_source": "public_register",
        "spoke_to": "Ms Stein",
        "role": "Head of accounts",
        "heard": "same",
        "result": "confirmed",
    },
    "terms": {"lines": "Print, 0.40 euro a sheet", "ends_on": "2027-11-30"},
    "signed": {
        "method": "qualified",
        "our_signer": "Lena",
        "our_role": "Lead",
        "their_signer": "Ms Stein",
        "their_role": "Director",
    },
}


COLUMNS = "requester, company_name, country, category, est_annual_eur, critical, personal_data, website, vat_id, iban, status, created_at"
LIKE = f"insert into supplier_request ({COLUMNS}) select {COLUMNS} from supplier_request where id = ? returning id"


class House(Company):
    """Runs of supplier onboarding, handed in by whoever holds them."""

    record: int = 0

    def forget(self) -> None:
        """Suppliers that were made meanwhile are not found as known."""
        self.sql("delete from supplier_bank_account where supplier_id > 420")
        self.sql(
            "update supplier set legal_name = 'Former ' || id, vat_id = null, register_no = null, website = null, main_email = 'x@f.example' where id > 420"
        )

    def begin(self, record: str, by: str = "stan", change: str = "critical = critical") -> str:
        """A run over a request like this one that stands where it first asks for a person."""
        [(self.record,)] = self.sql(LIKE, int(record))
        self.sql(f"update supplier_request set {change} where id = ?", self.record)
        run_id = runs.start(self.people[by], "supplier-onboarding", "supplier_request", str(self.record))
        self.work()
        return run_id

    def hand_in(self, run_id: str, by: str, **typed: Any) -> dict[str, Any]:
        """The run after its step was handed in with what is usual, or with what is given."""
        told = self.told(run_id, by)
        here = told["current"]
        values = {**GOOD.get(here["step"], {}), **typed}
        if values.get("iban") == "as in the request":
            [(values["iban"],)] = self.sql("select iban from supplier_request where id = ?", self.record)
        outcome = values.pop("outcome", None)
        if here["type"] == "loop":
            values["item"] = here["progress"]["key"]
        runs.complete(
            self.people[by],
            run_id,
            runs.Submission(step=here["step"], revision=told["revision"], values=values, outcome=outcome),
        )
        self.work()
        return self.told(run_id, by)

    def to(
        self,
        run_id: str,
        step: str,
        by: str = "stan",
        given: Mapping[str, Mapping[str, Any]] | None = None,
        most: int = 40,
    ) -> str:
        """Who holds the run when it stands at this step: what is handed on is taken by Lena, what is asked is answered by Lena or Petra."""
        for _ in range(most):
            told = self.told(run_id, by)
            if told["status"] == "waiting_event":
                self.approve(run_id)
                continue
            if told["status"] == "waiting_time":
                overdue(run_id)
                self.work()
                continue
            if told["holder"] is None:
                by = "sara" if by == "stan" and told["current"]["step"] == "callback" else "lena"
                self.take(run_id, by)
                told = self.told(run_id, by)
            if told["current"] is None or told["current"]["step"] == step:
                return by
            self.hand_in(run_id, by, **(given or {}).get(told["current"]["step"], {}))
        raise AssertionError(f"{step} is not reached: the run stands at {told['current']}")

    def check_anew(self, run_id: str, by: str) -> str:
        """Check the papers again, of which the extract is too old meanwhile: to call it fine without a reason is refused. Who holds the run at the exceptions."""
        while (here := self.told(run_id, by)["current"])["step"] in ("papers", "validate"):
            aged = here["step"] == "validate" and here["progress"]["key"] == "register_extract"
            if aged:
                with pytest.raises(Invalid) as refused:
                    self.hand_in(run_id, by, result_because=None)
                assert "2 Nov 2026" in refused.value.details[0]["reason"]
            self.hand_in(
                run_id,
                by,
                **({"result": "exception", "result_because": None, "note": "Too old"} if aged else {}),
            )
        return self.to(run_id, "exceptions", by)

    def take(self, run_id: str, by: str) -> None:
        """Take what nobody holds, or what was put aside."""
        told = self.told(run_id, by)
        take = runs.resume if told["status"] == "saved" else runs.take_over
        take(self.people[by], run_id, revision=told["revision"])
        self.work()

    def approve(self, run_id: str, by: str = "petra") -> None:
        """Give the yes that the run waits for."""
        runs.approve(self.people[by], self.asked(run_id))
        self.work()

    def paper(self, run_id: str, by: str, content: bytes) -> Any:
        """A file for the field `document` of the step that the run stands at."""
        step = self.told(run_id, by)["current"]["step"]
        return runs.attachments.attach(
            self.people[by], run_id, step=step, field="document", name="contract.pdf", content=content
        ).value

    def asked(self, run_id: str) -> str:
        """The approval that the run waits for."""
        return str(self.told(run_id, "lena")["current"]["waiting"]["key"])

    def steps(self, run_id: str, by: str = "lena") -> list[str]:
        """The way that the run took."""
        return [attempt["step"] for attempt in self.told(run_id, by)["attempts"]]


@contextmanager
def supplied(pg: Embedded, suite_folder: Path, world: World, supply: Path, folder: Path) -> Iterator[House]:
    """Procurement over a database of its own."""
    with copied(pg, folder.name, suite_folder), opened(world, supply, folder) as made:
        yield made


@contextmanager
def opened(world: World, supply: Path, folder: Path) -> Iterator[House]:
    """Procurement over the database that the settings point to."""
    source = folder / "fernwick_supply.db"
    shutil.copyfile(supply, source)
    ledger.fill(folder, world.core, world.supply)
    server = provider.Provider(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    told = {
        "CONSOLE_HTTP_TARGETS": f"provider={server.url}",
        "CONSOLE_HTTP_SECRETS": f"provider={provider.KEY}",
        "CONSOLE_DEMO": "on",
    }
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    settings.current.cache_clear()
    try:
        staff.give_rights()
        for name, (role, teams) in PEOPLE.items():
            also = [(role, team) for team in teams[1:]]
            accounts.create_person(
                f"{name}@fernwick.example",
                role=role,
                team=teams[0],
                name=name.title(),
                password=PASSWORD,
                also=also,
            )
        sources.add(loading.SUPPLY, f"sqlite:///{source}", documents=loading.documents(loading.SUPPLY))
        for file in sorted((ROOT / "actions").glob("*.json")):
            if file.name.split(".")[0] in ("supplier", "contract", "invoice"):
                actions.import_file(file)
        for file in sorted((ROOT / "workflows").glob("supplier-*.json")):
            workflows.import_file(file, publish=True)
        inboxes.import_all(
            [
                one
                for one in json.loads((files("console.demo") / "inboxes.json").read_text(encoding="utf-8"))
                if one["team"] == "procurement"
            ]
        )
        ids = {name: accounts.person_of_email(f"{name}@fernwick.example").id for name in PEOPLE}
        yield House(
            source, {name: accounts.actor_of_person(person, f"ses_{name}") for name, person in ids.items()}
        )
    finally:
        server.shutdown()
        server.server_close()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
        settings.current.cache_clear()
