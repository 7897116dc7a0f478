"""The simulator: whether a person may do an act on a record or run, and why, rule by rule. Only for those who manage rights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console import records, workflows
from console.auth import access, accounts
from console.auth.access import limits
from console.auth.access.decisions import Decision, Spoken, who_would
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_words import act as act_words, condition, rule
from console.auth.access.rows import ACTS, EVERY, Row, kind_of, line
from console.core.actor import COMMAND_LINE, Actor
from console.core.errors import Invalid, NotAllowed
from console.core.expressions.operands import UNKNOWN
from console.core.scopes import Scope, unrestricted
from console.infra.db.engine import fetch
from console.permissions.role_rules import require_object
from console.permissions.writing import require_manager
from console.runs.commands.run_rights import see
from console.runs.engine.stepping import run_facts
from console.steps.effects import action_cache

HIDDEN = "you may not see it"


@dataclass(frozen=True, slots=True)
class Told:
    """A rule that applies: as a sentence, as a line of the policy file, the result of its condition, and the values it tested."""

    said: str
    line: str
    row: Row
    condition: str
    verdict: str
    values: tuple[tuple[str, str], ...]
    counts: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """The answer of the simulator. `deciding` is None if no rule allows it; `change` says which rule would have to change."""

    person: accounts.Person
    obj: str
    act: str
    team: str | None
    allowed: bool
    said: str
    deciding: Told | None
    rules: tuple[Told, ...]
    change: tuple[str, ...]
    fields: tuple[str, ...] = ()
    record: str = ""
    decision: Decision = field(default_factory=lambda: Decision(False, None))


def attempt(
    actor: Actor,
    person: str,
    act: str,
    obj: str,
    *,
    key: str = "",
    run: str = "",
    typed: Mapping[str, Any] | None = None,
) -> Tried:
    """The decision and its reasons. `person` is an id or address; `key` a record of the object's collection, `run` a run.

    `typed` are values of an action's form. Raises NotAllowed, Invalid for an act that the object does not have, NotFound for what does not
    exist or what the asking admin may not see.
    """
    require_manager(actor)
    if kind_of(obj) != "field":
        require_object(actor, obj, EVERY)
    if act not in ACTS.get(kind_of(obj), frozenset()):
        known_acts = ", ".join(sorted(ACTS.get(kind_of(obj), ())))
        raise Invalid(f"{kind_of(obj)} knows {known_acts}.", at=("act", f"Choose one of {known_acts}."))
    who = accounts.person(person) if person.startswith("usr_") else accounts.person_of_email(person)
    team, record, facts_of_run, hidden = _place(actor, obj, key, run)
    names = all_titles()
    try:
        attributes = accounts.actor_of_person(who.id)
    except NotAllowed:
        return Tried(
            who,
            obj,
            act,
            team,
            False,
            f"{who.name}'s account is closed: nothing is allowed in this name.",
            None,
            (),
            (),
        )
    roots = access.roots_of(attributes, record, facts_of_run, typed)
    some = kind_of(obj) == "collection" and record is None
    decision = limits.decision_of(who.id, team, obj, act, roots, some=some)
    if not decision.agreed:
        said = f"{who.name} may not {act_words(act)} {names.object(obj)}: the index and Casbin disagree, so it is refused. `console doctor` says more."
        return Tried(who, obj, act, team, False, said, None, (), ("This is a fault: report it.",))
    if decision.allowed and not access.can(attributes, team, obj, act, record, run=facts_of_run, typed=typed):
        said = f"{who.name} may not {act_words(act)} {names.object(obj)}: they are not cleared for it."
        return Tried(
            who,
            obj,
            act,
            team,
            False,
            said,
            None,
            tuple(_explained_rule(verdict, names, hidden, some=some) for verdict in decision.spoken),
            ("Their role would have to be cleared for it.",),
        )
    rules = tuple(_explained_rule(verdict, names, hidden, some=some) for verdict in decision.spoken)
    deciding = next((explained for explained in rules if decision.row == explained.row), None)
    return Tried(
        who,
        obj,
        act,
        team,
        decision.allowed,
        _sentence(who.name, decision, obj, act, team, names, some=some),
        deciding,
        rules,
        _change(decision, who, obj, act, team, names),
        fields=_fields(who.id, obj, act),
        record=key,
        decision=decision,
    )


def team_of(obj: str) -> str | None:
    """The team in which rights on this object are decided; None: any team of the person."""
    kind, _, ident = obj.partition(":")
    if kind == "action" and ident in action_cache.every():
        return action_cache.get(ident).team
    if kind == "workflow":
        known = workflows.find_known(ident)
        return known.team or None if known is not None else None
    if kind == "inbox":
        return next(
            (team for (team,) in fetch("select team from console.inbox where id = %s", (ident,))), None
        )
    return None


def _place(
    actor: Actor, obj: str, key: str, run: str
) -> tuple[str | None, dict[str, Any] | None, dict[str, Any] | None, frozenset[str]]:
    """(team, the record's values, the run's values, fields of the record that the admin may not see)."""
    team, kind, ident = team_of(obj), kind_of(obj), obj.partition(":")[2]
    collection = (
        ident
        if kind == "collection"
        else action_cache.get(ident).collection
        if kind == "action" and ident in action_cache.every()
        else None
    )
    facts_of_run = None
    if run:
        seen = see(actor, run)
        team, facts_of_run = seen.run.team, run_facts(seen.run)
        if not key and seen.run.record and collection in (None, seen.run.collection):
            collection, key = seen.run.collection, seen.run.record
    if not key or collection is None:
        return team, None, facts_of_run, frozenset()
    scope = unrestricted(collection) if actor is COMMAND_LINE else access.scope_for(actor, collection, "read")
    records.get(collection, key, scope)  # raises NotFound if the admin may not see it
    found = records.get(collection, key, unrestricted(collection))
    return team, dict(found.values), facts_of_run, _hidden(actor, collection, scope)


def _hidden(actor: Actor, collection: str, scope: Scope) -> frozenset[str]:
    """Fields of the record hidden from the admin, and relations to partly hidden records: `customer.`."""
    if actor is COMMAND_LINE:
        return frozenset()
    led = {
        f"{relation.name}."
        for relation in records.collection(collection).relations
        if not access.scope_for(actor, relation.collection, "read").unlimited
    }
    return scope.hidden | led


def _explained_rule(spoken: Spoken, names: Names, hidden: frozenset[str], *, some: bool) -> Told:
    row = spoken.row
    if not row.expression:
        verdict = "always"
    elif some and spoken.holds is None:
        verdict = "depends on the record"
    else:
        verdict = {True: "holds", False: "does not hold", None: "cannot be told"}[spoken.holds]
    values = tuple((path, _shown(path, value, hidden)) for path, value in spoken.values)
    return Told(
        rule(row, names),
        line(row),
        row,
        condition(row.expression) if row.expression else "",
        verdict,
        values,
        spoken.counts or (some and row.eft == "allow"),
    )


def _shown(path: str, value: Any, hidden: frozenset[str]) -> str:
    root, _, name = path.partition(".")
    first, led, _ = name.partition(".")
    if root == "record" and (first + led in hidden or first in hidden):
        return HIDDEN
    if value is UNKNOWN:
        return "not known"
    if value is None:
        return "empty"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _sentence(
    name: str, decision: Decision, obj: str, act: str, team: str | None, names: Names, *, some: bool
) -> str:
    done = f"{act_words(act)} {names.object(obj)}"
    where = f" {names.place(f't:{team}')}" if team else ""
    if decision.allowed:
        open_ = some and (
            decision.subject is not None or (decision.row is not None and decision.row.expression)
        )
        return f"{name} may {done}{where}{', some of the records' if open_ else ''}."
    if decision.row is not None:
        return f"{name} may not {done}{where}: a rule denies it."
    if decision.outside is not None:
        return f"{name} may not {done}{where}: only {_of_theirs(decision, obj, names)} {name} may see{'' if some else ', and this one is of another'}."
    return f"{name} may not {done}{where}: {'no condition of a rule holds' if decision.unmet else 'no rule allows it'}."


def _of_theirs(decision: Decision, obj: str, names: Names) -> str:
    """`papers of customers that`: whose records are meant; says so if the path is broken."""
    subject = decision.outside.collection if decision.outside else None
    return f"{names.object(obj).lower()} of {names.title('collection', subject).lower() if subject else 'those'} that"


def _change(
    decision: Decision, who: accounts.Person, obj: str, act: str, team: str | None, names: Names
) -> tuple[str, ...]:
    """What would have to change for another answer."""
    if decision.allowed:
        return (f"To take it away, change this rule: {rule(decision.row, names)}.",) if decision.row else ()
    if decision.row is not None:
        return (f"As long as this rule stands, no other allows it: {rule(decision.row, names)}.",)
    if decision.outside is not None:
        subject = names.title("collection", decision.outside.collection or "").lower() or "its subject"
        return (
            f"They would have to be able to read the {subject} that it belongs to.",
            f"Or a rule of theirs on {names.object(obj).lower()} would have to say “true”: then it holds whosever they are.",
        )
    needs = [
        f"The condition of this rule would have to hold, or be another: {rule(verdict.row, names)}."
        for verdict in decision.unmet
    ]
    own = sorted({role for role, _ in who.roles})
    if not needs and own:
        needs.append(f"A rule would have to allow it for {' or '.join(names.role(role) for role in own)}.")
    elif not own:
        needs.append(f"{who.name} has no role at all.")
    would = [names.role(role) for role in who_would(access.Index(access.all_rows()), obj, act, team)]
    if would:
        needs.append(f"These roles have it: {', '.join(would)}.")
    return tuple(needs)


def _fields(person: str, obj: str, act: str) -> tuple[str, ...]:
    """Fields that the person may not read or change in the collection."""
    if kind_of(obj) != "collection" or act not in ("browse", "read", "update", "export", "create"):
        return ()
    scope = access.scope_for(Actor("user", person), obj.partition(":")[2])
    return tuple(sorted(scope.hidden if act in ("browse", "read", "export") else scope.fixed))
