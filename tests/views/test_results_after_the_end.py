"""A change that was under way when its run was ended: the pages say that, and what became of it once it is known."""

from collections.abc import Iterator

import pytest

from console import runs, workflows
from console.activity import sequencing
from console.core.run.commands import Report
from console.runs.engine.effecting import record_report
from console.runs.rows.run_store import load
from tests.runs.changing.test_midway import failing
from tests.support.paying import Provider, at_pay, pay, paying, providing
from tests.views.conftest import Pages


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as provided:
        yield provided


@pytest.mark.parametrize(("result", "words", "of_change"), [("succeeded", "done", "was made"), ("failed", "not done", "was not made")])
def test_what_became_of_a_change_that_was_under_way_is_said(
    pages: Pages, provider: Provider, result: str, words: str, of_change: str
) -> None:
    company = pages.company
    paying()
    run_id = at_pay(company)
    with failing("effects.perform.before=raise"), pytest.raises(Exception, match="effects"):
        pay(company, run_id)
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.wanted is not None
    runs.end_for_erasure(run_id)
    execution = f"/workflows/paying/executions/{run_id}"
    assert "was under way when the run ended; what came of it is not known yet" in pages.mona.get(execution).text
    record_report(workflows.version(loaded.run.workflow, loaded.run.version), loaded, Report(loaded.run.wanted.id, result))
    sequencing.sequence()
    shown = pages.mona.get(execution).text
    assert f"{words}, as was found out after the run had ended" in shown
    assert "Succeeded" not in shown, "the step did not come to its outcome"
    assert f"A change that was under way when the run ended {of_change}." in pages.mona.get(f"/runs/{run_id}").text
