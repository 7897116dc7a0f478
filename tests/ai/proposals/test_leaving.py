"""Every way in which the values of a run leave: none tells of a collection that its reader may not read at all."""

import json

import pytest

from console import log, runs
from console.activity import sequencing
from console.auth import access
from console.infra.db.engine import fetch
from console.monitoring import reports
from tests.ai.proposals.conftest import House, denied
from tests.conftest import web_app
from tests.papers import text_of
from tests.views.conftest import Pages

IBAN = "LT459999900012345678"


@pytest.mark.slow
def test_of_a_collection_that_a_reader_may_not_read_nothing_leaves(house: House) -> None:
    run_id = house.at_judge()
    house.work()
    assert IBAN in json.dumps(house.company.told(run_id)), "who did the step reads it"
    for who in ("mona", "tom"):
        for act in ("read", "browse"):
            denied(house.company.people[who], "collection:account", act)
    access.refresh()
    pages = Pages(house.company, web_app())
    for who in ("mona", "tom"):
        actor = house.company.people[who]
        case = reports.case_file(
            actor, run_id, "zip", ready=sequencing.sequence_and_sign, with_documents=False
        )
        proofs = b"".join(content for _, content in case.proofs)
        events, _ = runs.events(actor, run_id, limit=100)
        last = max(event.n for event in log.events_of(run_id))
        told = {
            "run": json.dumps(runs.get(actor, run_id).json),
            "case": proofs.decode("latin1")
            + json.dumps([case.run, *case.events, *case.screens.values()], default=str),
            "events": json.dumps(events),
            "page": getattr(pages, who).get(f"/runs/{run_id}").html,
            "context": getattr(pages, who).get(f"/runs/{run_id}?tab=context").html,
            "paper": text_of(getattr(pages, who).client.get(f"/runs/{run_id}/case-file").data),
            "replay": getattr(pages, who).get(f"/runs/{run_id}/replay").html,
            "then": "".join(
                getattr(pages, who).get(f"/runs/{run_id}/replay?at={n}").html for n in range(1, last + 1, 3)
            ),
        }
        assert [where for where, text in told.items() if IBAN in text or IBAN[4:] in text] == []
    assert fetch("select 1 from console.ai_prompt")
