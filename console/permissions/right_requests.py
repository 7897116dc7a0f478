"""Explaining a refusal to the person themselves, and requesting the right from those who can grant it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from console import log, records
from console.auth import access, notify
from console.auth.access import limits
from console.auth.access.decisions import Decision, Spoken
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_words import act as act_words, condition, right
from console.auth.access.rows import ACTS, kind_of
from console.auth.accounts import throttle
from console.core import expressions
from console.core.actor import Actor
from console.core.errors import Invalid, TooMany
from console.core.expressions.nodes import Path, walk
from console.infra import subjects

FREE = 5
MOST_REASON = 500
MOST_TOLD = 50


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody may not do this, in words: the missing right, the deciding rule, and who could grant it. `need` is object and act.

    `own`: where the page is on which they themselves, who manage rights, see what would have to change; empty for everybody else.
    """

    need: tuple[str, str]
    team: str | None
    right: str
    rule: str
    who: tuple[str, ...]
    own: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form in the API, next to the message."""
        return {
            "need": {"object": self.need[0], "act": self.need[1]},
            "rule": self.rule,
            "who": list(self.who),
        }


def why_not(
    actor: Actor, team: str | None, obj: str, act: str, roots: Mapping[str, Any] | None = None
) -> Reason | None:
    """Why the actor may not do this; None if they may. Reveals nothing about records, or about values hidden from them."""
    if act not in ACTS.get(kind_of(obj), frozenset()):
        return None
    given = {**access.roots_of(actor), **(roots or {})}
    some = kind_of(obj) == "collection" and "record" not in given
    decision, names = limits.decision_of(actor.id, team, obj, act, given, some=some), all_titles()
    if decision.allowed:
        return None
    return Reason(
        (obj, act),
        team,
        right(obj, act, names),
        _rule(actor, decision, obj, act, team, names),
        tuple(name for _, name in givers(actor)[:3]),
        _try_page(actor, obj, act) if access.can(actor, None, "policy", "manage") else "",
    )


def _try_page(actor: Actor, obj: str, act: str) -> str:
    return f"/settings/access/try?{urlencode({'person': actor.id, 'object': obj, 'act': act})}"


def givers(actor: Actor) -> list[tuple[str, str]]:
    """Pairs of id and name of people who manage rights or people's roles, without the actor."""
    found = dict(limits.people_able(None, "policy", "manage")) | dict(
        limits.people_able(None, "user", "manage")
    )
    return sorted(
        ((ident, name) for ident, name in found.items() if ident != actor.id),
        key=lambda pair: (pair[1], pair[0]),
    )


def ask(actor: Actor, obj: str, act: str, team: str | None, reason: str = "") -> int:
    """Request a right that the actor was refused. Logged, and sent to those who can grant it, once a day per right; returns how many were notified.

    Raises Invalid for a reason that is too long, TooMany after several requests in a short time.
    """
    text = reason.strip()
    if len(text) > MOST_REASON or "\x00" in text:
        raise Invalid("That is too long.", at=("reason", f"At most {MOST_REASON} characters."))
    if not throttle.take([throttle.Limit("ask", actor.id, FREE)]):
        raise TooMany("You have asked several times already. Try again in a few minutes.", retry_after=30)
    names, people = all_titles(), givers(actor)[:MOST_TOLD]
    said = f"{actor.name} asks: {right(obj, act, names)}{_in(team, names)}{f'. “{text}”' if text else ''}"
    day = log.now().date().isoformat()
    link = _try_page(actor, obj, act)
    key = f"ask:{actor.id}:{obj}:{act}:{team or ''}:{day}"
    notify.notify(
        [ident for ident, _ in people],
        "access_requested",
        key,
        by=actor.id,
        text=said,
        subject=subjects.of_person(actor.id),
        link=link,
    )
    opened = {"object": obj, "act": act, "team": team, "count": len(people)}
    log.note(
        actor,
        "access_requested",
        open={name: value for name, value in opened.items() if value is not None},
        sealed={"reason": text} if text else None,
    )
    return len(people)


def _rule(actor: Actor, decision: Decision, obj: str, act: str, team: str | None, names: Names) -> str:
    """What decided, in a sentence that reveals nothing."""
    if decision.row is not None:
        what = _holder_words(decision.row.sub, decision.row.dom, names)
        where = _condition(actor, decision.row.expression, obj)
        return f"A rule for {what} denies it{f' where {where}' if where else ''}."
    if decision.outside is not None:
        subject = names.title("collection", decision.outside.collection or "").lower()
        return f"You may {act_words(act)} only {names.object(obj).lower()} of {subject or 'those'} that you may see."
    if decision.unmet:
        return " ".join(dict.fromkeys(_unmet(actor, rule, obj, names) for rule in decision.unmet))
    roles = sorted({names.role(role) for role, place in actor.roles if team is None or place in ("*", team)})
    if not roles:
        return f"You have no role{_in(team, names)}."
    return f"No rule allows it for {' or '.join(roles)}{_in(team, names)}."


def _in(team: str | None, names: Names) -> str:
    return f" {names.place(f't:{team}')}" if team else ""


def _unmet(actor: Actor, spoken: Spoken, obj: str, names: Names) -> str:
    row = spoken.row
    return f"{_holder_words(row.sub, row.dom, names)} may {act_words(row.act)} {names.object(row.obj)} only where {_condition(actor, row.expression, obj)}."


def _holder_words(sub: str, dom: str, names: Names) -> str:
    return "you yourself" if sub.startswith("user:") else f"{names.who(sub)} {names.place(dom)}"


def _condition(actor: Actor, text: str, obj: str) -> str:
    """The condition in words; empty if it uses fields hidden from the actor."""
    if not text:
        return ""
    paths = [
        node.steps
        for node in walk(expressions.parse(text).node)
        if isinstance(node, Path) and node.root == "record" and node.steps
    ]
    if kind_of(obj) != "collection":
        return "something holds that you may not see" if paths else condition(text)
    visible = all(_may_see(actor, obj.partition(":")[2], tuple(map(str, steps))) for steps in paths)
    return condition(text) if visible else "something holds that you may not see"


def _may_see(actor: Actor, collection: str, steps: tuple[str, ...]) -> bool:
    """Whether the actor may read the field at the end of the path on some record."""
    *path, name = steps
    for relation in path:
        led = records.collection(collection).relation(relation)
        if led is None:
            return False
        collection = led.collection
    scope = access.scope_for(actor, collection)
    return name not in scope.hidden and not (path and scope.nothing)
