"""Which runs have made changes that are found in a user's database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from console import log
from console.db.engine import fetch
from console.db.ids import id_at

CAUSED_WITHIN = timedelta(minutes=5)
"""A change that is found so soon after a run has changed the record counts as the run's; where nobody could look meanwhile, so much later."""
_CAUSES = """
select run, kind, request, result from console.effect
where id > %(since)s and status in ('requested', 'succeeded', 'unknown') and kind in ('record', 'sql_write', 'sql_insert', 'sql_delete')
and (request->>'key' = any(%(keys)s) or request->>'record' = any(%(keys)s) or result->'values'->>'key' = any(%(keys)s)
    or exists (select from jsonb_path_query(result, '$.values.records[*].key') entry where entry #>> '{}' = any(%(keys)s)))
order by id desc
"""
_LOOKED_S = (
    "select extract(epoch from clock_timestamp() - min(coalesce(read_at, looked_at))) from console.source_watch where collection = %s"
)


def caused_by(collection: str, keys: Sequence[str]) -> dict[str, str]:
    """Key → the run that has changed it, or was about to, a little before the last look or since; of those that one did."""
    if not keys:
        return {}
    since = log.now() - CAUSED_WITHIN - timedelta(seconds=float(fetch(_LOOKED_S, (collection,))[0][0] or 0))
    wanted, runs_of = set(keys), dict[str, str]()
    for run_id, kind, request, result in fetch(_CAUSES, {"since": id_at("eff", since), "keys": sorted(wanted)}):
        for key in _written(collection, kind, request or {}, result or {}):
            if key in wanted:
                runs_of.setdefault(key, run_id)
    return runs_of


def _written(collection: str, kind: str, request: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """The keys in this collection that an effect changes."""
    define, values = request.get("define") or {}, result.get("values") or {}
    if (define.get("collection") or request.get("collection")) != collection:
        return []
    own = kind == "record" or (kind == "sql_write" and not define)  # what a step writes into the record of its run
    named = [
        request.get("key") if own else None,
        values.get("key"),
        *(entry.get("key") for entry in values.get("records") or ()),
    ]
    if kind in ("sql_write", "sql_delete") and not own and define.get("record") is None:
        named.append(request.get("record"))
    return [str(key) for key in named if key is not None]
