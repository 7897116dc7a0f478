"""Levels: names of sets of acts, by which a page shows and sets what a role may do. Policies hold acts alone."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from console.auth.access.policy_words import acts_of
from console.auth.access.rows import kind_of
from console.core.actor import Actor
from console.core.errors import Invalid
from console.permissions import role_rules, rule_drafts
from console.permissions.role_rules import Rule

NONE, VIEW, EDIT, MANAGE, CUSTOM = "None", "View", "Edit", "Manage", "Custom"
_MORE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "collection": {VIEW: "browse read", EDIT: "update act", MANAGE: "create shape message"},
        "action": {EDIT: "request", MANAGE: "execute"},
        "workflow": {
            VIEW: "see",
            EDIT: "start resume",
            MANAGE: "takeover assign cancel edit publish activate",
        },
        "inbox": {EDIT: "work", MANAGE: "manage"},
        "account": {EDIT: "use"},
        "label": {VIEW: "see"},
        "activity": {VIEW: "read verify"},
        "ai": {VIEW: "audit", MANAGE: "manage"},
        **{kind: {MANAGE: "manage"} for kind in ("source", "policy", "key", "user", "webhook")},
    }
)
"""Kind of object → level → what it adds to the level below. Export, reveal, delete, approve, erase and report are given one by one."""


def levels_of(kind: str) -> dict[str, tuple[str, ...]]:
    """Return each level of a kind with its acts in display order."""
    found: dict[str, tuple[str, ...]] = {NONE: ()}
    held: set[str] = set()
    for level, acts in _MORE.get(kind, {}).items():
        held |= set(acts.split())
        found[level] = tuple(act for act in acts_of(kind) if act in held)
    return found


def level_of(kind: str, acts: Iterable[str]) -> str:
    """Return the level that is exactly these acts, Custom for any other set."""
    given = set(acts)
    return next((level for level, those in levels_of(kind).items() if set(those) == given), CUSTOM)


def level_of_rules(obj: str, rules: Sequence[Rule]) -> str:
    """Return the level of the rules of one role on one object; several, or one that denies, are Custom."""
    if len(rules) > 1 or any(rule.effect == "deny" for rule in rules):
        return CUSTOM
    return level_of(kind_of(obj), rules[0].acts if rules else ())


def set_level(actor: Actor, role: str, place: str, obj: str, level: str) -> rule_drafts.Draft:
    """Put exactly the acts of the level into the actor's draft, under the condition that holds now; fields stay as they are.

    Raises NotAllowed, NotFound as `role_rules.edit`, Invalid where several rules hold or the level is none of this object.
    """
    acts = levels_of(kind_of(obj)).get(level)
    rows = rule_drafts.draft(actor).rows()
    rules = role_rules.rules_of(rows, role, place, obj)
    if acts is None:
        raise Invalid("There is no such level here.", at=("level", "Choose one of the list."))
    if len(rules) > 1 or any(rule.effect == "deny" for rule in rules):
        raise Invalid("Several rules hold here: change or take away those below.", at="level")
    wanted = [Rule("allow", acts, rules[0].condition if rules else "")] if acts else []
    fields = role_rules.fields_of(rows, role, place, obj.partition(":")[2])
    return role_rules.edit(actor, role, place, obj, wanted, fields)
