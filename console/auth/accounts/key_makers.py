"""Who made keys of a service account: whoever was shown a key can act as the account."""

from collections.abc import Iterable

from console.infra.db.engine import fetch

_MADE = """
with asked as (select id from console.person where kind = 'service' and id = any(%s)),
told as (
    select e.body from console.activity a join console.event e on e.id = a.event where a.kind = 'key_created' and exists (select from asked)
    union all
    select e.body from console.log_pending p join console.event e on e.run = p.run and e.run_seq = p.run_seq
    where p.run = 'sys:config' and exists (select from asked)
)
select distinct body->'data'->'open'->>'person', body->'actor'->>'id' from (select convert_from(body, 'UTF8')::jsonb as body from told) as events
where body->>'type' = 'key_created' and body->'actor'->>'kind' in ('user', 'key') and body->'data'->'open'->>'person' in (select id from asked)
"""


def makers_of_keys(people: Iterable[str]) -> dict[str, frozenset[str]]:
    """Service account → people who made a key of it, by the log; of the given ids those that are accounts with such keys.

    Keys that were revoked since count too: what was done with one stays done.
    """
    ids = sorted({person for person in people if person.startswith("usr_")})
    made: dict[str, set[str]] = {}
    for account, maker in fetch(_MADE, (ids,)) if ids else []:
        made.setdefault(account, set()).add(maker)
    return {account: frozenset(makers) for account, makers in made.items()}
