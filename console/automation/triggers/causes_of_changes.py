"""Who and which runs of the console have made changes that are found in a user's database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from console import log
from console.core.run.causes import OUTSIDE, Cause, Causes, people_in
from console.infra.db.engine import fetch
from console.infra.db.ids import id_at
from console.runs.engine import run_causes
from console.runs.engine.run_causes import Place

_CAUSES = """
select run, n, kind, request, result from console.effect
where id > %(since)s and status in ('requested', 'succeeded', 'unknown') and kind in ('record', 'sql_write', 'sql_insert', 'sql_delete')
and (request->>'key' = any(%(keys)s) or request->>'record' = any(%(keys)s) or result->'values'->>'key' = any(%(keys)s)
    or exists (select from jsonb_path_query(result, '$.values.records[*].key') entry where entry #>> '{}' = any(%(keys)s)))
order by id desc
"""
_LOOKED_S = "select extract(epoch from clock_timestamp() - min(coalesce(read_at, looked_at))) from console.source_watch where collection = %s"


class ChangeCauses(NamedTuple):
    """The run that changed a record last, if one did, and all that led to changes of it at that time."""

    run: str | None = None
    caused_by: Causes = (OUTSIDE,)


def causes_of_changes(collection: str, keys: Sequence[str]) -> dict[str, ChangeCauses]:
    """Key → what has changed it, or was about to, a little before the last look or since; of those that a run or a person of the console did."""
    if not keys:
        return {}
    since = (
        log.now()
        - run_causes.CHANGED_WITHIN
        - timedelta(seconds=float(fetch(_LOOKED_S, (collection,))[0][0] or 0))
    )
    places_of = {key: list[Place]() for key in keys}
    for run_id, n, kind, request, result in fetch(
        _CAUSES, {"since": id_at("eff", since), "keys": sorted(places_of)}
    ):
        for key in _written(collection, kind, request or {}, result or {}):
            if key in places_of:
                places_of[key].append(Place(run_id, n=n))
    places = sorted({place for found in places_of.values() for place in found})
    passed_on = dict(zip(places, run_causes.causes_passed_on(places), strict=True))
    by_hand = run_causes.changes_by_hand(collection, keys, since)
    return {
        key: ChangeCauses(
            found[0].run if found else None,
            _together(by_hand.get(key, ()), [passed_on[place] for place in found]),
        )
        for key, found in places_of.items()
        if found or key in by_hand
    }


def _together(by_hand: Causes, runs: Sequence[Causes]) -> Causes:
    """The links of the newest run, then whoever else changed the record or stands behind another run that did."""
    newest, others = (runs[0] if runs else ()), (by_hand, *runs[1:])
    known = people_in(newest)
    more = {
        link.person: Cause("change", person=link.person, key=link.key, event=link.event)
        for links in others
        for link in links
        if link.person is not None
    }
    return (*newest, *(link for person, link in more.items() if person not in known))


def _written(collection: str, kind: str, request: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """The keys in this collection that an effect changes."""
    define, values = request.get("define") or {}, result.get("values") or {}
    if (define.get("collection") or request.get("collection")) != collection:
        return []
    own = kind == "record" or (
        kind == "sql_write" and not define
    )  # what a step writes into the record of its run
    named = [
        request.get("key") if own else None,
        values.get("key"),
        *(entry.get("key") for entry in values.get("records") or ()),
    ]
    if kind in ("sql_write", "sql_delete") and not own and define.get("record") is None:
        named.append(request.get("record"))
    return [str(key) for key in named if key is not None]
