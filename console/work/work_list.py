"""The work of the reader's teams in one list: live runs, tickets, open approvals and open tasks, who has them, what they wait for, by when they are due.

One statement over the union of the three tables, in the order in which things are due and then the oldest first; each branch is read by an index and up to the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from console import log, workflows
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import Malformed
from console.core.list_addresses import one_of, require_known
from console.core.moments import midnight, moment_text
from console.infra.db.engine import fetch
from console.runs import RunHead
from console.runs.views import lists, queues, record_reach
from console.work import due_times, tasks
from console.work.waiting_reasons import Reason, reasons
from console.workflows import Known, inboxes

MOST_COUNTED = 1_000
"""Counts end here."""
MOST_PEOPLE = 60
MOST_OTHERS = 10_000
"""So many approvals, and so many tasks, are counted."""
BATCH, ROUNDS = 500, 8  # rows looked at once more, and how often, where few of them are for the reader
NOBODY = "none"
"""The value of the filters `person` and `due` for what nobody has, and what has no due time."""
KINDS = ("run", "ticket", "approval", "task")
_NOW = """to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
STATES = {
    "in_progress": "r.ticket is null and r.status in ('running', 'waiting_person') and (r.status = 'running' or r.holder is not null)",
    "inbox": f"r.ticket is not null and coalesce(r.ticket ->> 'until', '') <= {_NOW}",
    "snoozed": f"r.ticket is not null and coalesce(r.ticket ->> 'until', '') > {_NOW}",
    "saved": "r.ticket is null and r.status in ('saved', 'waiting_person') and coalesce(r.holder, '') = ''",
    "waiting": "r.ticket is null and r.status in ('waiting_time', 'waiting_event')",
    "approval": "",
    "task": "",
}
"""State → the condition on a run; approvals and tasks are states of their own. That nobody holds it is said so that `run_live` serves it, and no index of all teams."""
DUE = ("overdue", "today", "week", "later", NOBODY)
GROUPS = ("person", "workflow", "state", "due")
_LIVE = "r.status in ('running', 'waiting_person', 'waiting_time', 'waiting_event', 'saved')"
"""Of every live run; so said, the index `run_live` serves what names a holder and no status."""
_NEVER = "'infinity'::timestamptz"


@dataclass(frozen=True, slots=True)
class _Branch:
    """A table of the union: SQL of what each row is. `states` are those that it can have."""

    kinds: Sequence[str]
    states: Sequence[str]
    source: str
    kind: str
    id: str
    person: str
    due: str
    since: str
    team: str = "r.team"


_BRANCHES = (
    _Branch(
        ("run", "ticket"),
        ("in_progress", "inbox", "snoozed", "saved", "waiting"),
        "console.run r where r.ended_at is null",
        "case when r.ticket is null then 'run' else 'ticket' end",
        "r.id",
        "r.holder",
        "r.due_at",
        "r.created_at",
    ),
    _Branch(
        ("approval",),
        ("approval",),
        "console.approval a left join console.approval_assignee x on x.id = a.id cross join lateral (select * from console.run r /* every run */ where r.id = a.run offset 0) r where a.status = 'open'",
        "'approval'",
        "a.id",
        "x.person",
        "least(a.until, r.due_at)",
        "a.requested_at",
        "a.team",
    ),
    _Branch(
        ("task",),
        ("task",),
        "console.task t cross join lateral (select * from console.run r /* every run */ where r.id = t.run offset 0) r where t.status = 'open'",
        "'task'",
        "t.id",
        "t.assignee",
        "(t.due_on + 1)::timestamp at time zone 'UTC' - interval '1 second'",
        "t.created_at",
        "t.run_team",
    ),
)
_TICKETS = replace(
    _BRANCHES[0],
    source=f"(select * from {access.EVERY_RUN.sql('t')} where t.ended_at is null and t.ticket is not null and t.ticket ->> 'inbox' = any(%(inboxes)s::text[]) offset 0) r where true",  # noqa: S608 (a text of ours)
)
"""Only what waits in inboxes, read by their index: few beside all runs, whatever the statistics say."""
_PEOPLE = f"""
with recursive holders as (
    (select r.holder as person from {access.EVERY_RUN.sql()} where r.ended_at is null and r.holder is not null order by r.holder limit 1)
    union all
    select (select r.holder from {access.EVERY_RUN.sql()} where r.ended_at is null and r.holder > h.person order by r.holder limit 1)
    from holders h where h.person is not null
)
select person from holders where person is not null
union select assignee from console.task where status = 'open' and assignee is not null
union select x.person from console.approval_assignee x join console.approval a on a.id = x.id and a.status = 'open' limit %s
"""  # noqa: S608 (texts of ours)
"""Everybody who has something, read from one entry of an index to the next. Of them only those are named whose count is not 0."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the work is listed; "" is no filter. `person` is an id or `NOBODY`, `workflow` a slug, `away` "1" for what is with people who are away."""

    kind: str = ""
    workflow: str = ""
    team: str = ""
    person: str = ""
    state: str = ""
    due: str = ""
    away: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> "Filters":
        """The filters of an address. Raises Malformed for an unknown name or value."""
        require_known(given, [each.name for each in fields(cls)])
        for name, known in (("kind", KINDS), ("state", tuple(STATES)), ("due", DUE), ("away", ("1",))):
            if given.get(name):
                one_of(name, given[name], known)
        return cls(**{name: value for name, value in given.items() if value})

    def to_query(self) -> dict[str, str]:
        """The filters as parameters of an address."""
        return {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name)}


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work. `run` is its run; `person` is an id. `since` is when its run last changed, or when it was asked for."""

    kind: str
    id: str
    title: str
    state: str
    person: str | None
    person_name: str
    away: str
    since: datetime
    waits_for: str
    due: date | None
    run: RunHead
    movable: bool = False

    def to_json(self) -> dict[str, Any]:
        """The item as one of a list of the API."""
        run = self.run
        return {
            "kind": self.kind,
            "id": self.id,
            "title": self.title,
            "state": self.state,
            "run": run.id,
            "revision": run.revision,
            "workflow": run.slug,
            "team": run.team,
            "collection": run.collection,
            "record": run.record,
            "step": run.step,
            "inbox": (run.ticket or {}).get("inbox"),
            "holder": self.person,
            "away": self.away or None,
            "since": log.body.moment(self.since),
            "waits_for": self.waits_for or None,
            "due": due_times.due_text(self.due),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """What has the same value of a filter: how many, at least `count` where there are `more`. `count` is None for a reader to whom it would tell of what they may not see."""

    value: str
    label: str
    count: int | None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the work, and the cursor of what follows; None at the end."""

    items: Sequence[Item]
    next: str | None


def may_see(actor: Actor) -> bool:
    """Whether there is a workflow whose runs the actor may see."""
    return bool(_seen_workflows(actor))


def find(actor: Actor, filters: Filters, *, limit: int = 50, after: str | None = None) -> Page:
    """Work of the actor's teams that meets the filters, by when it is due, then the oldest first. Raises Malformed for a cursor that is not ours."""
    place = _place(after) if after else None
    found: list[tuple[Any, Item]] = []
    rest = False
    for batch in (limit + 1, *[BATCH] * ROUNDS):
        rows = _rows(actor, filters, batch, place)
        items = _items(actor, rows)
        found += [(row, items[row[1]]) for row in rows if row[1] in items]
        rest = len(rows) == batch
        if len(found) > limit or not rest:
            break
        place = _place_of(rows[-1])
    page = found[:limit]
    last = _place_of(page[-1][0]) if len(found) > limit else place if rest else None
    return Page([item for _, item in page], "~".join(last) if last else None)


def groups(actor: Actor, filters: Filters, by: str) -> list[Group]:
    """The groups of the work by one of GROUPS, with the other filters, and last the whole of it under the value "". Empty ones are left out. Two statements."""
    wanted = {each.name: getattr(filters, each.name) for each in fields(filters)} | {by: ""}
    values = _values(actor, by)
    asked = [Filters(**wanted | {by: value}) for value in values] + [Filters(**wanted)]
    numbers: Sequence[int | None] = [None] * len(asked) if _would_reveal(actor) else _counts(actor, by, asked)
    made = [
        Group(
            value, label, None if number is None else min(number, MOST_COUNTED), (number or 0) > MOST_COUNTED
        )
        for (value, label), number in zip([*values.items(), ("", "All")], numbers, strict=True)
        if number != 0 or not value
    ]
    if by in ("person", "workflow"):
        made[:-1] = sorted(made[:-1], key=lambda each: (-(each.count or 0), each.label.casefold()))
    return made


def _would_reveal(actor: Actor) -> bool:
    """Whether the actor sees only a part of the records that work is about: a count would tell of the others."""
    limited = set(record_reach.limited_collections(actor))
    return any(known.collection in limited for known in _seen_workflows(actor))


def _seen_workflows(actor: Actor) -> list[Known]:
    seen = lists.visible_pairs(actor)
    return [known for known in workflows.all_known() if (known.team, known.id) in seen]


def _values(actor: Actor, by: str) -> dict[str, str]:
    """The values of the groups → their labels."""
    match by:
        case "workflow":
            return {known.slug: known.title for known in _seen_workflows(actor)}
        case "state":
            return dict.fromkeys(STATES, "")
        case "due":
            return dict.fromkeys(DUE, "")
    if _would_reveal(actor):
        return {NOBODY: "", actor.id: actor.name}
    names = accounts.names({row[0] for row in fetch(_PEOPLE, (MOST_PEOPLE,))})
    return {NOBODY: "", **names}


# ------------------------------------------------------------------------------------------------------------- statements


def _rows(actor: Actor, filters: Filters, limit: int, after: tuple[str, ...] | None) -> list[Any]:
    """(kind, id, run, person, due, since) of work, in order."""
    given: dict[str, Any] = {"limit": limit}
    parts = []
    for branch, _, where in _conditions(actor, filters, given, after):
        due = _due(branch)
        columns = f"{branch.kind} as kind, {branch.id} as id, r.id as run, {branch.person} as person, {due} as due, {branch.since} as since"
        order = f"{due}, {branch.since}, {branch.id}"
        parts.append(f"(select {columns} from {branch.source} and {where} order by {order} limit %(limit)s)")  # noqa: S608 (texts of ours)
    if not parts:
        return []
    union = " union all ".join(parts)
    columns = f"kind, id, run, person, nullif(due, {_NEVER}), since"
    return fetch(f"select {columns} from ({union}) found order by due, since, id limit %(limit)s", given)  # noqa: S608 (as above)


def _counts(actor: Actor, by: str, asked: Sequence[Filters]) -> list[int]:
    """How much work meets each of the filters, which differ in `by`; at most one more than is counted. Two statements.

    Of runs each is counted to its end by an index; of approvals and tasks, which are few, all are read once.
    """
    limited = record_reach.limited_collections(actor)
    given: dict[str, Any] = {"most": MOST_COUNTED + 1, "limited": limited}
    unseen = " and (r.collection is null or r.collection <> all(%(limited)s::text[]))" if limited else ""
    counted = []
    for filters in asked:
        found = [
            (branch.source, pairs, where)
            for branch, pairs, where in _conditions(actor, filters, given, counts=True)
            if "run" in branch.kinds
        ]
        for source, pairs, where in found:
            rows = f"select from {source} and {where}{unseen} limit %(most)s"
            rows = f"select from {pairs} cross join lateral ({rows}) r limit %(most)s" if pairs else rows
            counted.append(f"(select count(*) from ({rows}) found)")  # noqa: S608 (as above)
        if not found:
            counted.append("0")
    numbers = list(fetch(f"select {', '.join(counted)}", given)[0])
    others = _count_approvals_and_tasks(actor, by, asked[-1], unseen, limited)
    return [
        number + (others.get(getattr(filters, by), 0) if getattr(filters, by) else sum(others.values()))
        for number, filters in zip(numbers, asked, strict=True)
    ]


def _count_approvals_and_tasks(
    actor: Actor, by: str, filters: Filters, unseen: str, limited: Sequence[str]
) -> dict[str, int]:
    """Value of `by` → how many approvals and tasks, of at most `MOST_OTHERS` of each."""
    given: dict[str, Any] = {"most": MOST_OTHERS, "limited": limited, "zone": actor.zone}
    parts = []
    within = {due: _due_within(actor, due) for due in DUE}
    for branch, _, where in _conditions(actor, filters, given):
        if "run" in branch.kinds:
            continue
        keys = f"{branch.person} as person, r.workflow as workflow, {branch.kind} as state, {queues.due_end(branch.due, '%(zone)s')} as due"
        parts.append(f"(select {keys} from {branch.source} and {where}{unseen} limit %(most)s)")  # noqa: S608 (as above)
    if not parts:
        return {}
    found: dict[str, int] = {}
    for person, workflow, state, due in fetch(" union all ".join(parts), given):
        known = workflows.find_known(workflow)
        values = {
            "person": person or NOBODY,
            "workflow": known.slug if known is not None else workflow,
            "state": state,
            "due": next(name for name, bounds in within.items() if _is_within(due, bounds)),
        }
        found[values[by]] = found.get(values[by], 0) + 1
    return found


def _is_within(due: datetime | None, bounds: Sequence[tuple[str, datetime | None]]) -> bool:
    if due is None:
        return bounds == [("=", None)]
    return bounds != [("=", None)] and all(
        at is None or (due < at if sign == "<" else due >= at) for sign, at in bounds
    )


def _due(branch: _Branch) -> str:
    return f"coalesce({branch.due}, {_NEVER})"


def _conditions(
    actor: Actor,
    filters: Filters,
    given: dict[str, Any],
    after: tuple[str, ...] | None = None,
    *,
    counts: bool = False,
) -> Iterable[tuple[_Branch, str, str]]:
    """Each branch that can have such work, with its condition; what the conditions name is added to `given`.

    For `counts` of runs also a table of the pairs of team and workflow, "" where an index in the order of due times does better: each pair is read
    by an index up to the bound. Otherwise each row is compared with the pairs.
    """
    pairs = [
        f"{team} {workflow}"
        for team, workflow in sorted(lists.visible_pairs(actor))
        if not filters.team or team == filters.team
    ]
    if filters.workflow:
        known = workflows.find_known(filters.workflow)
        pairs = [pair for pair in pairs if known is not None and pair.endswith(f" {known.id}")]
    if not pairs:
        return

    def name(value: Any) -> str:
        given[f"p{len(given)}"] = value
        return f"%(p{len(given) - 1})s"

    allowed = [f"r.team || ' ' || r.workflow = any({name(pairs)}::text[])"]
    if filters.workflow:
        allowed.append(f"r.workflow = {name(pairs[0].partition(' ')[2])}")
    tickets = filters.kind == "ticket" or filters.state in ("inbox", "snoozed")
    given["inboxes"] = [inbox.id for inbox in inboxes.all_inboxes()]
    narrow = filters.person or filters.workflow or filters.state
    for branch in (_TICKETS if tickets else _BRANCHES[0], *_BRANCHES[1:]):
        if (filters.kind and filters.kind not in branch.kinds) or (
            filters.state and filters.state not in branch.states
        ):
            continue
        table, where = "", [*allowed, access.runs(actor).open("r")]
        if "run" not in branch.kinds:
            teams = sorted({pair.partition(" ")[0] for pair in pairs})
            where.append(f"{branch.team} = any({name(teams)}::text[])")
        elif counts and not tickets and (narrow or not filters.due):
            both = zip(*(pair.split(" ") for pair in pairs), strict=True)
            table = f"unnest({', '.join(f'{name(list(each))}::text[]' for each in both)}) p (team, workflow)"
            where[: len(allowed)] = ["r.team = p.team and r.workflow = p.workflow"]
            where += [] if filters.state else [_LIVE]
        if filters.kind in ("run", "ticket"):
            where.append(f"r.ticket is {'null' if filters.kind == 'run' else 'not null'}")
        if filters.state and STATES[filters.state]:
            where.append(STATES[filters.state])
        if filters.person:
            nobody = filters.person == NOBODY
            where.append(f"{branch.person} " + ("is null" if nobody else f"= {name(filters.person)}"))
        if filters.away:
            where.append(f"{branch.person} = any({name(list(absences.people_away()))}::text[])")
        if filters.due:
            given["zone"] = actor.zone
            for sign, at in _due_within(actor, filters.due):
                if at is None:
                    where.append(f"{_due(branch)} {sign} {_NEVER}")
                    continue
                near = at + timedelta(
                    days=1 if sign == "<" else -1
                )  # for the index: no zone is a day from UTC
                where.append(f"{_due(branch)} {sign} {name(near)}::timestamptz")
                where.append(f"{queues.due_end(branch.due, '%(zone)s')} {sign} {name(at)}::timestamptz")
        if after is not None:
            where.append(
                f"({_due(branch)}, {branch.since}, {branch.id}) > ({name(after[0])}::timestamptz, {name(after[1])}::timestamptz, {name(after[2])}::text)"
            )
        yield branch, table, " and ".join(where)


def _due_within(actor: Actor, due: str) -> list[tuple[str, datetime | None]]:
    """The comparisons of a due time that make up one of DUE; None is never."""
    now = log.now()
    today = now.astimezone(ZoneInfo(actor.zone)).date()
    tonight, week = (midnight(today + timedelta(days=days), actor.zone) for days in (1, 7))
    within: dict[str, list[tuple[str, datetime | None]]] = {
        "overdue": [("<", now)],
        "today": [(">=", now), ("<", tonight)],
        "week": [(">=", max(now, tonight)), ("<", week)],
        "later": [(">=", week), ("<", None)],
        NOBODY: [("=", None)],
    }
    return within[due]


def _place_of(row: Any) -> tuple[str, ...]:
    return (moment_text(row[4]) or "infinity", moment_text(row[5]), row[1])


def _place(after: str) -> tuple[str, ...]:
    """The cursor's due time, moment and id. Raises Malformed."""
    parts = tuple(after.split("~"))
    try:
        if len(parts) != 3 or "\x00" in after:
            raise ValueError(after)
        for text in parts[:2]:
            if text != "infinity" and datetime.fromisoformat(text).tzinfo is None:
                raise ValueError(text)
    except ValueError:
        raise Malformed(
            "The cursor is not one of ours; begin at the first page.",
            at=("after", "Not a cursor of this list."),
        ) from None
    return parts


# ------------------------------------------------------------------------------------------------------------------ items


def _items(actor: Actor, rows: Sequence[Any]) -> dict[str, Item]:
    """Id → item, of the rows whose record the actor may see."""
    heads = {head.id: head for head in lists.with_ids(actor, list({row[2] for row in rows}))}
    why = reasons(actor, list(heads.values()))
    titles = tasks.titles_of(actor, [row[1] for row in rows if row[0] == "task"])
    people = {row[3] for row in rows if row[3]}
    names, away = accounts.names(people), absences.away_words(people)
    assigns = lists.visible_pairs(actor, "assign")
    found = {}
    for row in rows:
        head = heads.get(row[2])
        if head is None or (row[0] == "task" and row[1] not in titles):
            continue
        found[row[1]] = _item(row, head, why.get(head.id), titles, names, away, assigns)
    return found


def _item(
    row: Any,
    head: RunHead,
    why: Reason | None,
    titles: Mapping[str, str],
    names: Mapping[str, str],
    away: Mapping[str, str],
    assigns: Iterable[tuple[str, str]],
) -> Item:
    kind, ident, _, person, due, since = row
    run = kind in ("run", "ticket")
    own_due = why.due if why else None
    if kind == "approval":
        own_due = due_times.earliest(own_due, due)
    elif kind == "task":
        own_due = due.astimezone(UTC).date() if due else None
    return Item(
        kind,
        ident,
        titles[ident] if kind == "task" else head.about or head.workflow_title,
        state_of(head) if run else kind,
        person,
        names.get(person or "", ""),
        away.get(person or "", ""),
        head.active_at if run else since,
        why.words if why and run else "",
        own_due,
        head,
        (head.team, head.workflow_id) in assigns,
    )


def state_of(head: RunHead) -> str:
    """One of STATES, of a live run."""
    if head.ticket is not None:
        return "snoozed" if (head.ticket.get("until") or "") > moment_text(log.now()) else "inbox"
    if head.status in ("waiting_time", "waiting_event"):
        return "waiting"
    return (
        "saved"
        if head.status == "saved" or (head.status == "waiting_person" and not head.holder)
        else "in_progress"
    )
