"""A step that was promoted, with a model that answers over HTTP: the fingerprint of the call is that of the evidence, and the step steps back when the model is another."""

from typing import TYPE_CHECKING

import anthropic  # noqa: F401 (its import takes a second of the first call's deadline)
import pytest

from console import workflows
from console.ai.proposals import ladder, track_record
from console.infra import settings
from console.infra.db.engine import fetch

if TYPE_CHECKING:
    from tests.ai.proposals.conftest import House

pytestmark = pytest.mark.lengthy


def modes() -> list[str]:
    """How the calls so far were used, in their order."""
    return [mode for (mode,) in fetch("select mode from console.ai_call order by at, id")]


def test_what_was_measured_is_what_is_asked(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    house.at_judge("1")
    house.work()
    here = workflows.live("triage").id
    about = track_record.under(here, "judge")
    assert about is not None
    assert (about.model, about.versions) == ("claude-haiku-5-5", (1,))
    ladder.settle(house.company.mona, here, "judge", "shadow", "Looked odd", about.print, {})
    run_id = house.at_judge("2")
    house.work()
    assert modes() == ["assist", "shadow"]
    assert house.proposal(run_id)["status"] == "off"
    ladder.settle(house.company.mona, here, "judge", "auto", "For the test", about.print, {})
    monkeypatch.setattr(
        ladder, "_why_now", lambda about, here: "changed" if here.fingerprint != about.print else None
    )
    house.at_judge("3")
    house.work()
    assert modes()[2] in ("auto", "blind")
    monkeypatch.setenv("CONSOLE_AI_PROVIDER", "anthropic")
    monkeypatch.setenv("CONSOLE_AI_MODEL", "claude-sonnet-5-5")
    settings.current.cache_clear()
    house.at_judge("4")
    house.work()
    assert modes()[3] == "assist"
    assert fetch("select mode, by, why from console.ai_ladder order by at desc, id desc limit 1") == [
        ("assist", None, "changed")
    ]
