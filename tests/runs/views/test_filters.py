"""Each filter of the list of runs, with each value that a run's JSON has: exactly those come whose JSON says so."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from console import runs
from console.core.errors import Malformed
from console.runs.views.run_filters import FILTERS, STATUSES, TRIGGERS
from tests.company import Company
from tests.support.engine import counting

Says = Callable[[Mapping[str, Any], str], bool]
SAYS: dict[str, Says] = {
    "workflow": lambda told, value: value in (told["workflow"]["id"], told["workflow"]["slug"]),
    "status": lambda told, value: told["status"] == value,
    "collection": lambda told, value: told["collection"] == value,
    "record": lambda told, value: told["record"] == value,
    "user": lambda told, value: value in (told["started_by"], told["holder"]),
    "team": lambda told, value: told["team"] == value,
    "trigger": lambda told, value: value in (told["trigger"]["id"], told["trigger"]["kind"]),
    "mode": lambda told, value: told["mode"] == value,
    "version": lambda told, value: str(told["version"]) == value,
    "id": lambda told, value: told["id"] == value,
    "live": lambda told, value: (told["ended_at"] is None) == (value == "1"),
    "test": lambda told, value: told["test"] == (value == "1"),
    "ended.gt": lambda told, value: told["ended_at"] is not None and at(told["ended_at"]) > at(value),
    "ended.gte": lambda told, value: told["ended_at"] is not None and at(told["ended_at"]) >= at(value),
    "ended.lt": lambda told, value: told["ended_at"] is not None and at(told["ended_at"]) < at(value),
    "ended.lte": lambda told, value: told["ended_at"] is not None and at(told["ended_at"]) <= at(value),
    "started.gt": lambda told, value: at(told["created_at"]) > at(value),
    "started.gte": lambda told, value: at(told["created_at"]) >= at(value),
    "started.lt": lambda told, value: at(told["created_at"]) < at(value),
    "started.lte": lambda told, value: at(told["created_at"]) <= at(value),
    "created_at.gt": lambda told, value: at(told["created_at"]) > at(value),
    "created_at.gte": lambda told, value: at(told["created_at"]) >= at(value),
    "created_at.lt": lambda told, value: at(told["created_at"]) < at(value),
    "created_at.lte": lambda told, value: at(told["created_at"]) <= at(value),
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def values(name: str, told: list[dict[str, Any]]) -> set[str]:
    """Values of the filter that some run has, and those that none may have."""
    match name:
        case "workflow":
            return {run["workflow"][part] for run in told for part in ("id", "slug")} | {"no-such-workflow"}
        case "status":
            return set(STATUSES)
        case "trigger":
            return set(TRIGGERS)
        case "user":
            return {run[part] for run in told for part in ("started_by", "holder") if run[part]} | {
                "usr_nobody"
            }
        case "version":
            return {"1", "7"}
        case "mode":
            return {"guided", "hands_off"}
        case "live" | "test":
            return {"0", "1"}
        case "id":
            return {run["id"] for run in told} | {"run_nothing"}
        case "collection" | "record" | "team":
            return {run[name] for run in told if run[name] is not None} | {"nowhere"}
    if name.startswith("ended."):
        return {run["ended_at"] for run in told if run["ended_at"]}
    return {run["created_at"] for run in told}


@pytest.fixture
def mixed(company: Company) -> Company:
    """Runs of several workflows, by people and by a key, on records and on none, at several points."""
    counting(1)
    by_key = replace(company.olivia, kind="key")
    runs.start(by_key, "care-review", "customer", "2", {"why": "event"})
    runs.start(by_key, "counting", None, None)
    runs.start(company.mona, "counting", None, None)
    saved = company.at("note", "3")
    runs.save(company.olivia, saved, revision=None)
    gone = company.at("note", "4", "tom")
    runs.abort(company.tom, gone, revision=None, reason="Not now.")
    again = runs.rerun(company.tom, gone, origin="start", version="original")
    runs.assign(company.mona, again, revision=None, user=company.mona.id)
    company.finished("1")
    return company


def test_every_filter_gives_what_the_runs_say_of_themselves(mixed: Company) -> None:
    assert SAYS.keys() == FILTERS - {"error", "rerun_of", "parts"}, (
        "a filter without its meaning here; those three: test_incidents.py, test_long_lists.py"
    )
    everything = [head.to_json() for head in runs.find(mixed.mona, limit=100)[0]]
    kinds = {run["trigger"]["kind"] for run in everything}
    assert ({"record", "api", "manual"}, len(everything) >= 7) == (kinds, True)
    for name, says in SAYS.items():
        for value in values(name, everything):
            found = [head.to_json() for head in runs.find(mixed.mona, {name: value}, limit=100)[0]]
            assert found == [run for run in everything if says(run, value)], (name, value)
    several = [
        head.to_json()["id"] for head in runs.find(mixed.mona, {"status": "completed,aborted"}, limit=100)[0]
    ]
    assert several == [run["id"] for run in everything if run["status"] in ("completed", "aborted")]
    for one in everything:  # and together: each run is found by all that it says of itself
        filters = {
            "workflow": one["workflow"]["slug"],
            "status": one["status"],
            "team": one["team"],
            "trigger": one["trigger"]["kind"],
        }
        filters |= {name: one[name] for name in ("collection", "record") if one[name] is not None} | {
            "user": one["started_by"]
        }
        expected = [
            run for run in everything if all(SAYS[name](run, value) for name, value in filters.items())
        ]
        assert [head.to_json() for head in runs.find(mixed.mona, filters, limit=100)[0]] == expected
        assert runs.get(mixed.mona, one["id"]).json["trigger"] == one["trigger"], (
            "the run says the same as the list"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "by hand"),
        ("status", "done"),
        ("created_at.gt", "soon"),
        ("version", "x"),
        ("live", "2"),
        ("started.lt", "2026"),
    ],
)
def test_a_value_that_nothing_has_is_refused_by_its_name(company: Company, name: str, value: str) -> None:
    with pytest.raises(Malformed) as refused:
        runs.find(company.mona, {name: value})
    assert (
        refused.value.details[0]["field"],
        value in refused.value.message or name in refused.value.message,
    ) == (name, True)
