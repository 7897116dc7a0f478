"""How often the triggers of workflows fired in a period, what came of it, and why nothing did; for a reader only what is about records that they may see."""

from collections.abc import Sequence
from datetime import UTC, datetime

from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.runs.views import bounded_counts, record_reach
from console.runs.views.bounded_counts import WORKFLOWS, Bounded

FIRED = """(with recursive found as (
    (select n.trigger from console.firing n where n.workflow = {workflow} order by n.trigger limit 1)
    union all select (select n.trigger from console.firing n where n.workflow = {workflow} and n.trigger > found.trigger order by n.trigger limit 1)
    from found where found.trigger is not null) select found.trigger as id from found where found.trigger is not null)"""
"""The triggers of a workflow that have fired, those that were removed since among them: a look into the index for each of them."""
_ABOUT = f"""
select f.collection, f.record from unnest(%(workflows)s::text[]) w(id) cross join lateral {FIRED.format(workflow="w.id")} t cross join lateral (
    select n.collection, n.record, n.at from console.firing n where n.workflow = w.id and n.trigger = t.id and n.at >= %(since)s and n.at < %(until)s
    and n.collection = any(%(limited)s) and n.record is not null order by n.at desc limit %(most)s
) f order by f.at desc limit %(most)s
"""  # noqa: S608 (texts of ours)
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_SEEN = """(f.record is null or not f.collection = any({0}limited{1})
    or (f.collection, f.record) in (select * from unnest(cast({0}collections{1} as text[]), cast({0}records{1} as text[]))))"""


_NOT_STARTED = f"""
select w.id, t.id, w.most, '', f.* from {WORKFLOWS} cross join lateral {FIRED.format(workflow="w.id")} t cross join lateral (
    select coalesce(b.why, ''), b.collection, b.record, count(*) from (
        select n.why, {{columns}} from console.firing n where n.workflow = w.id and n.trigger = t.id and n.at >= %(since)s and n.at < %(until)s
        and n.status in ('refused', 'stopped') order by n.at desc, n.id desc limit w.most + 1
    ) b group by 1, 2, 3
) f
"""  # noqa: S608 (texts of ours)


def not_started(
    actor: Actor, workflow_ids: Sequence[str], since: datetime, until: datetime
) -> dict[str, Bounded]:
    """Workflow → the firings of its triggers, removed ones too, from `since` to before `until` that started nothing, with why. The caller has judged that the
    actor sees the workflows. One statement, and those to the sources.
    """
    within = bounded_counts.few(bounded_counts.reach(actor, workflow_ids, since, until))
    found = bounded_counts.count_bounded(within, _NOT_STARTED.format(columns=within.columns("n")))
    return {workflow: figures[""] for workflow, figures in found.items()}


def visible_firings(
    actor: Actor, workflow_ids: Sequence[str], *marks: str, period: tuple[datetime, datetime] = _EVER
) -> tuple[str, dict[str, list[str]]]:
    """(condition on a firing `f` that the actor may see its record, its parameters, written between these marks). No statement for who sees all records; for others
    one, and one to the sources: then the newest `MOST_COUNTED` firings of the `period` count.
    """
    limited = record_reach.limited_collections(actor)
    if not limited:
        return "true", {}
    wanted: dict[str, set[str]] = {}
    those = {"workflows": list(workflow_ids), "since": period[0], "until": period[1], "limited": limited}
    for collection, record in fetch(_ABOUT, those | {"most": record_reach.MOST_COUNTED}):
        wanted.setdefault(collection, set()).add(record)
    pairs = [
        (collection, key)
        for collection, keys in record_reach.visible_records(actor, wanted).items()
        for key in sorted(keys)
    ]
    return _SEEN.format(*marks), {
        "limited": limited,
        "collections": [pair[0] for pair in pairs],
        "records": [pair[1] for pair in pairs],
    }
