"""Second check of rare, dangerous acts: what the index allows is done only if Casbin, evaluated anew over the rows, allows it too.

Casbin decides by the rows whose conditions hold; labels and subjects are the index's. If the two disagree the act is refused, with an alarm: process log, event
`rights_disagreed`, a metric, a line in the doctor, a notice.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.auth.access import narrowing, ownership, subject_scope
from console.auth.access.clearance_lookup import leaves_open
from console.auth.access.index import Index
from console.auth.access.rows import EVERY, Row, kind_of
from console.core import expressions
from console.core.actor import Actor
from console.core.scopes import stands_alone
from console.infra.db.engine import fetch
from console.infra.subscribers import Subscribers

if TYPE_CHECKING:
    from console.auth.access.policy_store import Held

DANGEROUS = frozenset(
    {
        ("action", "approve"),
        ("action", "execute"),
        ("collection", "export"),
        ("collection", "reveal"),
        ("collection", "delete"),
        ("collection", "create"),
        ("collection", "message"),
        ("activity", "export"),
        ("subject", "erase"),
        ("policy", "manage"),
        ("key", "manage"),
        ("user", "manage"),
        ("source", "manage"),
        ("ai", "manage"),
        ("ai", "audit"),
        ("workflow", "publish"),
        ("workflow", "activate"),
        ("workflow", "start"),
        ("workflow", "cancel"),
        ("workflow", "takeover"),
        ("inbox", "manage"),
        ("account", "use"),
        ("webhook", "manage"),
    }
)
"""Kinds of object and acts that need both judges. Importing contacts is `create`, enrolling many `start`, taking them out `cancel`, moving runs `publish`."""
APPROVAL = ("action:*", "approve")
"""What is asked about an approval that names roles, of whatever action."""

MOST_KEPT = 20_000
_RECENT = (
    "select count(*) from console.activity where kind = 'rights_disagreed' and at > now() - interval '7 days'"
)
_log = logging.getLogger(__name__)
watchers = Subscribers[[Actor, str | None, str, str, int], None]("auth.access.casbin_agreement.watchers")
"""Called once for each question on which the judges disagree, with actor, team, object, act and policy version, outside the caller's transaction.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A question for Casbin: may the actor do this act in the team? `roots` are the values that conditions test; `some`: for any record.

    `roles`: whoever has one of these may, and no row of the policy counts: for an approval that names roles.
    """

    actor: Actor
    team: str | None
    obj: str
    act: str
    roots: Mapping[str, Any]
    some: bool = False
    roles: tuple[str, ...] = ()


class _Answers:
    """Casbin's cached answers under one policy. Replaced as a whole, so answers never mix policies."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.known: dict[Any, tuple[bool, Row | None]] = {}
        self.told: set[tuple[str, str | None, str, str]] = set()


_answers: _Answers | None = None


def dangerous(obj: str, act: str) -> bool:
    """Whether this needs both judges."""
    return (kind_of(obj), act) in DANGEROUS


def agrees(held: "Held", question: Question) -> bool:
    """Whether Casbin allows what the index has allowed. A disagreement or an error in Casbin is a refusal and raises an alarm."""
    why = "Casbin refuses what the index allows"
    try:
        if allowed(held, question):
            return True
    except Exception as error:  # noqa: BLE001 - fail closed, whatever it is
        why = f"Casbin could not decide: {type(error).__name__}"
    alarm(held, question, why)
    return False


def allowed(held: "Held", question: Question) -> bool:
    """Casbin's answer for the person and for their key."""
    actor, obj, act = question.actor, question.obj, question.act
    if actor.key_id is not None and not _in_key(held, actor.key_id, obj, act):
        return False
    known = obj not in held.labels or leaves_open(
        held, actor, obj, act, None if question.some else question.roots.get("record")
    )
    return (
        known
        and ownership.opens(held.index, held.personal, actor.id, obj, act)
        and decided(held, question)[0]
    )


def decided(held: "Held", question: Question) -> tuple[bool, Row | None]:
    """Casbin's answer for the person, ignoring label and key, and the row that decided."""
    answers, judge = _answers_about(held), held.judge
    sub, obj, act = f"user:{question.actor.id}", question.obj, question.act
    rows = () if question.roles else judge.about(obj, act)
    counted = tuple(_counts(held, question, row) for row in rows)
    named = [Row("p", f"role:{role}", EVERY, obj, act) for role in question.roles]
    key = (sub, question.team, obj, act, counted, question.roles)
    taking_part = {row for row, counts in zip(rows, counted, strict=True) if counts}
    answer: tuple[bool, Row | None] = _kept(
        answers.known,
        key,
        lambda: judge.decide(sub, question.team, obj, act, taking_part.__contains__, named),
    )
    return answer


def _kept(store: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What the store has under the key, made if it is not there. A full store is emptied: all of it can be made again."""
    found = store.get(key)
    if found is None:
        found = make()
        if len(store) >= MOST_KEPT:
            store.clear()
        store[key] = found
    return found


def _answers_about(held: "Held") -> _Answers:
    global _answers  # noqa: PLW0603 - swapped whole when the policy is another
    answers = _answers
    if answers is None or answers.index is not held.index:
        answers = _answers = _Answers(held.index)
    return answers


def _counts(held: "Held", question: Question, row: Row) -> bool:
    """Whether the row takes part: its condition is met and, if it allows access to somebody's data, the subject may be read."""
    condition = expressions.parse(row.expression) if row.expression else None
    if condition is not None and not question.some:
        holds = condition.test(question.roots) if row.eft == "allow" else not condition.denies(question.roots)
        if not holds:
            return False
    if condition is not None and question.some and row.eft == "deny":
        return False
    if (
        row.eft == "deny"
        or kind_of(question.obj) != "collection"
        or (condition is not None and stands_alone(condition))
    ):
        return True
    return _subject_read(held, question)


def _subject_read(held: "Held", question: Question) -> bool:
    """Whether the person may read the subject of the record (or of some record); true without a subject."""
    subject = subject_scope.narrowed(held, question.actor, question.obj.partition(":")[2], question.team)
    if subject is None or question.some:
        return subject is None or not subject.scope.nothing
    return subject.seen_from(question.roots.get("record"), question.roots.get("now"))


def _in_key(held: "Held", key_id: str, obj: str, act: str) -> bool:
    """Whether the limits of the key, written as rows, allow it."""
    sub, kind, left = f"key:{key_id}", kind_of(obj), narrowing.of_key(key_id)
    acts = (
        [EVERY]
        if left.acts is None
        else [told.partition(".")[2] for told in sorted(left.acts) if told.partition(".")[0] == kind]
    )
    named = getattr(left, narrowing.NAMED[kind]) if kind in narrowing.NAMED else None
    objects = [obj] if named is None else [f"{kind}:{name}" for name in sorted(named)]
    rows = [Row("p", sub, EVERY, each, one) for each in objects for one in acts]
    return bool(
        _kept(
            _answers_about(held).known,
            (sub, obj, act),
            lambda: held.judge.decide(sub, None, obj, act, lambda _: False, rows),
        )[0]
    )


def alarm(held: "Held", question: Question, why: str) -> None:
    """Report a disagreement once for each question and policy, from a thread: the caller may be inside a transaction."""
    answers, key = _answers_about(held), (question.actor.id, question.team, question.obj, question.act)
    _log.error("alarm: the two judges of rights disagree about %s on %s: %s", question.act, question.obj, why)
    if key in answers.told:
        return
    if len(answers.told) >= MOST_KEPT:
        answers.told.clear()
    answers.told.add(key)
    threading.Thread(target=_tell, args=(question, held.version), daemon=True, name="rights-alarm").start()


def _tell(question: Question, version: int) -> None:
    from console import log

    opened = {"object": question.obj, "act": question.act, "team": question.team, "version": version}
    try:
        log.note(
            question.actor,
            "rights_disagreed",
            open={name: value for name, value in opened.items() if value is not None},
        )
        watchers(question.actor, question.team, question.obj, question.act, version)
    except Exception:  # noqa: BLE001 - the answer was no already; nothing waits for this thread
        _log.exception("alarm: the disagreement about rights could not be noted")


def disagreements() -> int:
    """Number of disagreement events of the last seven days."""
    return int(fetch(_RECENT)[0][0])
