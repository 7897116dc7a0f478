"""What the database itself does for the log: triggers that refuse change, constraints, and the rights that the application's role has not.

A look at the catalogue of the server, whose cost does not depend on how long the log is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from console.infra.db.engine import fetch

CHANGE, UPDATE, TRUNCATE = 27, 19, 34
"""When a trigger fires, as the server counts it."""

FIRES = {
    CHANGE: "before update or delete on {} for each row",
    UPDATE: "before update on {} for each row",
    TRUNCATE: "before truncate on {}",
}
REFUSING = {
    "event": {"event_append_only": CHANGE, "event_no_truncate": TRUNCATE},
    "event_value": {"event_value_no_update": UPDATE, "event_value_no_truncate": TRUNCATE},
    "checkpoint": {"checkpoint_append_only": CHANGE, "checkpoint_no_truncate": TRUNCATE},
    "workflow_version": {"workflow_version_immutable": CHANGE, "workflow_version_no_truncate": TRUNCATE},
}
"""Table → its triggers that refuse, and when each fires."""

CONSTRAINTS = {
    "event": ("event_pkey", "event_leaf_is_hash", "event_once"),
    "event_value": ("event_value_pkey",),
    "activity": ("activity_pkey",),
    "archived_place": ("archived_place_pkey",),
    "checkpoint": ("checkpoint_pkey",),
    "tile": ("tile_pkey",),
}

_ALL = ("insert", "update", "delete", "truncate", "trigger")
WITHHELD = {
    "event": _ALL,
    "event_value": ("insert", "update", "truncate", "trigger"),
    "log_pending": _ALL,
    "chain": _ALL,
    "activity": _ALL,
    "archived_place": _ALL,
    "tile": _ALL,
    "checkpoint": ("update", "delete", "truncate", "trigger"),
    "workflow_version": ("update", "delete", "truncate", "trigger"),
}
"""Table → what the application's role may not do there, in an installation with two roles."""

_PARTS = "c.oid in (select i.inhrelid from pg_inherits i where i.inhparent = 'console.activity'::regclass)"
FOUND = f"""
select array(
    select format('%%s %%s %%s', c.relname, t.tgname, t.tgtype) from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
    where c.relnamespace = 'console'::regnamespace and c.relname = any(%(guarded)s) and not t.tgisinternal and t.tgenabled = 'A' and t.tgqual is null
    and p.pronamespace = 'console'::regnamespace and p.proname = 'refuse_change'
), array(
    select format('%%s %%s', c.relname, t.tgname) from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'console'::regnamespace and (c.relname = any(%(tables)s) or {_PARTS}) and not t.tgisinternal
), array(
    select format('%%s %%s', c.relname, r.rulename) from pg_rewrite r join pg_class c on c.oid = r.ev_class
    where c.relnamespace = 'console'::regnamespace and (c.relname = any(%(tables)s) or {_PARTS})
), array(
    select format('%%s %%s', c.relname, k.conname) from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'console'::regnamespace and c.relname = any(%(tables)s) and k.convalidated
), array(
    select c.relname || ' ' || w.act from unnest(%(names)s::text[], %(acts)s::text[]) w (name, act), pg_class c
    where c.relnamespace = 'console'::regnamespace and (c.relname = w.name or w.name = 'activity' and {_PARTS})
    and not (select r.rolsuper or pg_has_role(current_user, c.relowner, 'member') from pg_roles r where r.rolname = current_user)
    and case when w.act in ('insert', 'update') then has_any_column_privilege(c.oid, w.act) else has_table_privilege(c.oid, w.act) end
), exists (
    select from pg_proc p where p.pronamespace = 'console'::regnamespace and p.proname = 'refuse_change' and p.prosrc ~ '^\\s*begin\\s+raise exception'
), current_user
"""  # noqa: S608 (texts of this file)
GIVEN: Mapping[str, Any] = {
    "guarded": list(REFUSING),
    "tables": [*WITHHELD],
    "names": [table for table, acts in WITHHELD.items() for _ in acts],
    "acts": [act for acts in WITHHELD.values() for act in acts],
}


class Missing(NamedTuple):
    """What is not as the console made it, in words, and the statements by which the owner of the tables puts it right (empty: see the migrations)."""

    words: str
    mend: str = ""


def missing() -> list[Missing]:
    """What is not as the console made it; none where all of it stands. One statement.

    Who owns the tables or is superuser has every right: with a single role only triggers and constraints are looked at.
    """
    return missing_guards(*fetch(FOUND, GIVEN)[0])


def missing_guards(
    refusing: Sequence[str],
    triggers: Sequence[str],
    rules: Sequence[str],
    constraints: Sequence[str],
    rights: Sequence[str],
    refuses: bool,
    role: str,
) -> list[Missing]:
    """The protections that are missing, found by the statement `FOUND`."""
    missing = [] if refuses else [Missing("the function console.refuse_change refuses nothing")]
    for table, names in REFUSING.items():
        for name, fires_as in names.items():
            if f"{table} {name} {fires_as}" not in refusing:
                fires = FIRES[fires_as].format(f"console.{table}")
                again = f"drop trigger if exists {name} on console.{table}; create trigger {name} {fires} execute function console.refuse_change()"
                mend = f"{again}; alter table console.{table} enable always trigger {name}"
                missing.append(
                    Missing(f"the trigger {name} of console.{table} does not refuse changes", mend)
                )
    ours = {f"{table} {name}" for table, names in REFUSING.items() for name in names}
    for kind, strange in (("trigger", set(triggers) - ours), ("rule", set(rules))):
        for table, name in (line.split(" ", 1) for line in sorted(strange)):
            missing.append(
                Missing(
                    f"the {kind} {name} of console.{table} is none of the console's",
                    f'drop {kind} "{name}" on console.{table}',
                )
            )
    for table, needed in CONSTRAINTS.items():
        missing += [
            Missing(f"the constraint {name} of console.{table} is gone")
            for name in needed
            if f"{table} {name}" not in constraints
        ]
    for table, act in (line.split(" ", 1) for line in sorted(rights)):
        missing.append(
            Missing(
                f"the application's role may {act} in console.{table}",
                f'revoke {act} on console.{table} from "{role}", public',
            )
        )
    return missing
