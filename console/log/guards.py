"""What the database itself does for the log: triggers that refuse change, constraints, and the rights that the application's role has not.

A look at the catalogue of the server, whose cost does not depend on how long the log is.
"""

from console.db.engine import fetch

REFUSING = {
    "event": {"event_append_only": 27, "event_no_truncate": 34},
    "event_value": {"event_value_no_update": 19, "event_value_no_truncate": 34},
    "checkpoint": {"checkpoint_append_only": 27, "checkpoint_no_truncate": 34},
    "workflow_version": {"workflow_version_immutable": 27, "workflow_version_no_truncate": 34},
}
"""Table → its triggers, each with the number by which the server tells when it fires (before; row or statement; update, delete, truncate)."""

CONSTRAINTS = {
    "event": ("event_pkey", "event_leaf_is_hash", "event_once"),
    "event_value": ("event_value_pkey",),
    "activity": ("activity_pkey", "activity_event_key"),
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
    "tile": _ALL,
    "checkpoint": ("update", "delete", "truncate", "trigger"),
    "workflow_version": ("update", "delete", "truncate", "trigger"),
}
"""Table → what the application's role may not do there, in an installation with two roles."""

_FOUND = """
select array(
    select format('%%s %%s %%s', c.relname, t.tgname, t.tgtype) from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
    where c.relnamespace = 'console'::regnamespace and c.relname = any(%(guarded)s) and not t.tgisinternal and t.tgenabled = 'A' and t.tgqual is null
    and p.pronamespace = 'console'::regnamespace and p.proname = 'refuse_change' and p.prosrc ~ '^\\s*begin\\s+raise exception'
), array(
    select format('%%s %%s', c.relname, t.tgname) from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'console'::regnamespace and c.relname = any(%(tables)s) and not t.tgisinternal
), array(
    select format('%%s %%s', c.relname, r.rulename) from pg_rewrite r join pg_class c on c.oid = r.ev_class
    where c.relnamespace = 'console'::regnamespace and c.relname = any(%(tables)s)
), array(
    select format('%%s %%s', c.relname, k.conname) from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'console'::regnamespace and c.relname = any(%(tables)s) and k.convalidated
), array(
    select w.name || ' ' || w.act from unnest(%(names)s::text[], %(acts)s::text[]) w (name, act), pg_class c
    where c.relnamespace = 'console'::regnamespace and c.relname = w.name
    and not (select r.rolsuper or pg_has_role(current_user, c.relowner, 'member') from pg_roles r where r.rolname = current_user)
    and case when w.act in ('insert', 'update') then has_any_column_privilege(c.oid, w.act) else has_table_privilege(c.oid, w.act) end
)
"""
_GIVEN = {
    "guarded": list(REFUSING),
    "tables": [*WITHHELD],
    "names": [table for table, acts in WITHHELD.items() for _ in acts],
    "acts": [act for acts in WITHHELD.values() for act in acts],
}


def missing() -> list[str]:
    """What is not as the console made it, a sentence each; none where all of it stands. One statement.

    Who owns the tables or is superuser has every right: with a single role only triggers and constraints are looked at.
    """
    refusing, triggers, rules, constraints, rights = (set(part) for part in fetch(_FOUND, _GIVEN)[0])
    wanted = {(table, name): f"{table} {name} {kind}" for table, names in REFUSING.items() for name, kind in names.items()}
    told = [
        f"the trigger {name} of console.{table} does not refuse changes" for (table, name), line in wanted.items() if line not in refusing
    ]
    strange = triggers - {f"{table} {name}" for table, name in wanted}
    told += [
        f"the trigger {line.partition(' ')[2]} of console.{line.partition(' ')[0]} is none of the console's" for line in sorted(strange)
    ]
    told += [f"the rule {line.partition(' ')[2]} of console.{line.partition(' ')[0]} is none of the console's" for line in sorted(rules)]
    needed = {
        f"{table} {name}": f"the constraint {name} of console.{table} is gone" for table, names in CONSTRAINTS.items() for name in names
    }
    told += [words for line, words in needed.items() if line not in constraints]
    told += [f"the application's role may {line.partition(' ')[2]} in console.{line.partition(' ')[0]}" for line in sorted(rights)]
    return told
