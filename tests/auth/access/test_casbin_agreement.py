"""Rare, dangerous acts take both judges: 1,000 random policies × 200 questions (sampled here), and what a disagreement comes to."""

import functools
import gc
import itertools
import random
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings

from console.auth import access
from console.auth.access import casbin_agreement
from console.auth.access.index import Index, Verdict
from console.auth.access.oracle import Judge
from console.auth.access.rows import ACTS, WHOLE, PolicyError, Row
from console.core import expressions
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.infra.db.engine import fetch
from console.work import approvals, notices
from tests.company import Company
from tests.support.four_eyes import asking, bank as bank, charging, requested, status  # noqa: PLC0414 (a fixture)

CONDITIONS = (
    "",
    "",
    "",
    "record.desk in $currentUser.tags.desks",
    "input.amount <= 100",
    "run.started_by != $currentUser.id",
    "true",
    "record.owner.desk == 'x'",
)

ROLES, TEAMS, USERS = 6, ("a", "b", "c"), 5

NAMES = ("x", "y", "z.long")


def drawn(draw: random.Random) -> list[Row]:
    """A random policy: roles that people have, some built from others, and rules about every kind of object."""
    places = ("*", *(f"t:{team}" for team in TEAMS))
    rows = {
        Row("g", f"role:own{number}", draw.choice(places), f"role:{draw.randrange(ROLES)}")
        for number in range(draw.randrange(4))
    }
    for _ in range(draw.randrange(1, 10)):
        role = draw.choice([f"role:{draw.randrange(ROLES)}", f"role:own{draw.randrange(4)}"])
        rows.add(Row("g", f"user:{draw.randrange(USERS)}", draw.choice(places), role))
    for _ in range(draw.randrange(1, 40)):
        kind = draw.choice([kind for kind in ACTS if kind not in ("field", "label")])
        obj = kind if kind in WHOLE else f"{kind}:{draw.choice((*NAMES, '*'))}"
        who = draw.choice(
            [f"role:{draw.randrange(ROLES)}", f"role:own{draw.randrange(4)}", f"user:{draw.randrange(USERS)}"]
        )
        act = draw.choice([*sorted(ACTS[kind]), "*"])
        rows.add(
            Row(
                "p",
                who,
                draw.choice(places),
                obj,
                act,
                draw.choice(["allow", "allow", "allow", "deny"]),
                draw.choice(CONDITIONS),
            )
        )
    return sorted(rows)


def asked(draw: random.Random) -> tuple[str, str | None, str, str, dict[str, object]]:
    """A random question, and what its conditions look at."""
    kind = draw.choice([kind for kind in ACTS if kind not in ("field", "label")])
    obj = kind if kind in WHOLE else f"{kind}:{draw.choice(NAMES)}"
    roots: dict[str, object] = {
        "currentUser": {"id": "1", "tags": {"desks": draw.choice([[], ["x"], ["x", "y"]])}}
    }
    if draw.random() < 0.7:
        roots["record"] = {
            "desk": draw.choice(["x", "y", None]),
            "owner": draw.choice([{"desk": "x"}, {"desk": "y"}, {}, None]),
        }
    if draw.random() < 0.5:
        roots["input"] = {"amount": draw.choice([100, 101, None])}
    if draw.random() < 0.5:
        roots["run"] = {"started_by": draw.choice(["1", "2"])}
    return (
        f"user:{draw.randrange(USERS + 1)}",
        draw.choice([None, *TEAMS, "unnamed"]),
        obj,
        draw.choice(sorted(ACTS[kind])),
        roots,
    )


def counts(row: Row, roots: dict[str, object]) -> bool:
    """Whether the row takes part, judged on its own."""
    if not row.expression:
        return True
    condition = expressions.parse(row.expression)
    return condition.test(roots) if row.eft == "allow" else not condition.denies(roots)


def counting(roots: dict[str, object], row: Row) -> bool:
    """`counts`, the other way round."""
    return counts(row, roots)


def compared(policies: int, questions: int, seed: int) -> tuple[int, list[Any]]:
    """How many answers were allowed, and on which questions the two judges disagree."""
    draw, allowed = random.Random(seed), 0
    wrong: list[Any] = []
    for _ in range(policies):
        rows = drawn(draw)
        index, judge = Index(rows), Judge(rows)
        for _ in range(questions):
            sub, team, obj, act, roots = asked(draw)
            one = index.verdict(sub, team, obj, act).holds(roots)
            other, row = judge.decide(sub, team, obj, act, functools.partial(counting, roots))
            allowed += one
            if one is not other or (row is not None and other is not (row.eft == "allow")):
                wrong.append((rows, sub, team, obj, act, roots, one, other))
    return allowed, wrong


def test_index_and_casbin_agree_on_random_policies() -> None:
    whole = settings().max_examples >= 1_000  # bin/test --hypothesis-profile thorough
    allowed, wrong = compared(1_000 if whole else 25, 200 if whole else 40, 20261121)
    assert wrong == []
    assert allowed > 10  # the questions are not all refused


ALIKE = [
    ("x", "X"),
    ("\u00e9", "e\u0301"),
    ("\u00df", "ss"),
    ("x", "\u200bx"),
    ("*x", "x"),
    ("x", "x*"),
    ("x.y", "x-y"),
    ("x", "x:x"),
    ("\u017f", "s"),
    ("keyMatch(x)", "x"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_only_look_alike_are_two_names_to_both_judges(one: str, other: str) -> None:
    """A person, role, team or object of the one name has nothing of what is given to that of the other."""
    for given, meant in ((one, other), (other, one)):
        rows = [
            Row("g", f"user:{given}", f"t:{given}", f"role:{given}"),
            Row("p", f"role:{given}", f"t:{given}", f"workflow:{given}", "start"),
        ]
        index, judge = Index(rows), Judge(rows)
        held: Any = SimpleNamespace(index=index, judge=judge)
        for sub, team, obj in itertools.product((given, meant), (given, meant), (given, meant)):
            asked = (f"user:{sub}", team, f"workflow:{obj}", "start")
            exact = (sub, team, obj) == (given, given, given)
            assert (index.verdict(*asked).plain, judge.decide(*asked, lambda _: True)[0]) == (exact, exact), (
                asked
            )
        for named in (given, meant):
            question = casbin_agreement.Question(
                Actor("user", given), given, *casbin_agreement.APPROVAL, {}, roles=(named,)
            )
            assert (
                named in index.held(f"user:{given}", given),
                casbin_agreement.decided(held, question)[0],
            ) == (named == given,) * 2


def test_a_policy_whose_roles_are_not_linked_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Row("g", "user:u", "t:a", "role:own"),
        Row("g", "role:own", "*", "role:lead"),
        Row("p", "role:lead", "*", "policy", "manage"),
    ]
    assert Judge(rows).decide("user:u", "a", "policy", "manage", lambda _: True)[0]
    from casbin.rbac.default_role_manager import RoleManager

    monkeypatch.setattr(RoleManager, "has_link", lambda *_: False)
    with pytest.raises(PolicyError, match="does not link"):
        Judge(
            [*rows, Row("p", "role:lead", "*", "activity", "read")]
        )  # what was found in order once is not loaded again


def _settled() -> None:
    for thread in threading.enumerate():
        if thread.name == "rights-alarm":
            thread.join(10)


def test_a_disagreement_denies_and_alarms(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    ines = company.ines
    access.require(ines, None, "policy", "manage")
    stan = company.stan
    real = Index.verdict

    def generous(self: Index, sub: str, team: str | None, obj: str, act: str) -> Verdict:
        return (
            Verdict(free=True)
            if (obj, act) in {("policy", "manage"), ("collection:customer", "export")}
            else real(self, sub, team, obj, act)
        )

    monkeypatch.setattr(Index, "verdict", generous)
    assert not access.can(stan, None, "policy", "manage")
    with pytest.raises(NotAllowed):
        access.require(stan, None, "policy", "manage")
    assert not access.can(stan, None, "collection:customer", "export")
    assert access.scope_for(stan, "collection:customer".partition(":")[2], "export").nothing
    assert access.can(ines, None, "policy", "manage")  # on whom both agree
    _settled()
    monkeypatch.undo()
    noted = fetch(
        "select convert_from(body, 'UTF8') from console.event where convert_from(body, 'UTF8') like '%%rights_disagreed%%'"
    )
    assert len(noted) == 2  # once for each question
    assert [notice.text for notice in notices.notices_of(ines) if "judges of rights" in notice.text]


def test_an_error_of_casbin_denies(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(casbin_agreement, "allowed", broken)
    assert not access.can(company.ines, None, "user", "manage")
    assert access.can(company.ines, None, "collection:customer", "browse")  # neither rare nor dangerous
    _settled()


@pytest.mark.slow
def test_an_approval_that_names_roles_takes_casbin_too(
    bank: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that gives everybody every role lets nobody answer: not the step that only asks, nor the one that acts."""
    asking()
    charging()
    requests = [requested(bank, slug=slug)[1] for slug in ("asking", "charging")]
    monkeypatch.setattr(Index, "held", lambda *_: frozenset({"lead", "operations_lead"}))
    for approval in requests:
        with pytest.raises(NotAllowed, match="needs the yes of"):
            approvals.approve(bank.tom, approval)
        with pytest.raises(NotAllowed, match="needs the yes of"):
            approvals.reject(bank.tom, approval, reason="No.")
    _settled()
    monkeypatch.undo()
    noted = fetch(
        "select convert_from(body, 'UTF8') from console.event where convert_from(body, 'UTF8') like '%%rights_disagreed%%'"
    )
    assert ["action:*" in body for (body,) in noted] == [True]  # once for each question
    assert [status(bank, approval) for approval in requests] == ["open", "open"]
    for approval in requests:
        approvals.approve(bank.mona, approval)  # on whom both agree
    assert [status(bank, approval) for approval in requests] == ["approved", "approved"]


def test_no_dangerous_act_is_done_on_the_word_of_the_index_alone(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person without any role is given none of these by an index that gives everything away."""
    stranger = replace(company.stan, id="usr_without_roles")
    monkeypatch.setattr(Index, "verdict", lambda *_: Verdict(free=True))
    asked = {
        (f"{kind}:customer" if kind == "collection" else kind if kind in WHOLE else f"{kind}:kyc-review", act)
        for kind, act in casbin_agreement.DANGEROUS
    }
    assert {one for one in asked if access.can(stranger, None, *one)} == set()
    _settled()


def test_casbin_answers_many_threads_at_once_whatever_interrupts_it() -> None:
    """Python 3.11 fails to parse in one thread while another parses, which a collector of garbage that runs Python brings about."""
    judge = Judge(
        [Row("g", "user:1", "*", "role:1"), Row("p", "role:1", "*", "workflow:x", "start", "allow")]
    )
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(40):
            try:
                if not judge.decide("user:1", "a", "workflow:x", "start", lambda _: True)[0]:
                    wrong.append("refused")
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
                wrong.append(error)

    def collected(*_: object) -> None:
        sum(range(50))

    interval, threshold, threads = (
        sys.getswitchinterval(),
        gc.get_threshold(),
        [threading.Thread(target=ask) for _ in range(8)],
    )
    gc.callbacks.append(collected)
    try:
        sys.setswitchinterval(1e-6)
        gc.set_threshold(5, 2, 2)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collected)
    assert wrong == []
