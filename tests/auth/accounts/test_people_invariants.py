"""Whatever is done to people, by whomever, in whatever order and at once: an admin stays, nobody who is closed is signed in, the log says what is."""

import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from console import runs
from console.auth import access, accounts
from console.auth.accounts import authority, passwords, person_changes
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotAllowed
from console.infra.db import engine as db
from tests import warm
from tests.company import Company
from tests.support.staff import hired, noted, signed_in, sql

pytestmark = pytest.mark.lengthy

Act = Callable[[Actor, str], object]


def refused(code: str, act: Callable[[], object]) -> ConsoleError:
    """What `act` is refused with, which must be this code; nothing is noted by it."""
    before = len(noted())
    with pytest.raises(ConsoleError) as error:
        act()
    assert (error.value.code, len(noted())) == (code, before)
    return error.value


# --- the last admin -----------------------------------------------------------------------------------------------------------


def test_the_last_admin_stays(clean: object) -> None:
    accounts.create_person(
        "o@example.com", role="operator", team="operations", password="seven tall herons wade"
    )
    first = hired(("admin", "*"))
    third = hired(("admin", "*"))
    accounts.disable_person(third.id)  # an admin who is closed does not count
    by_shell = accounts.COMMAND_LINE
    for act in (
        lambda: accounts.disable_person(first.id),
        lambda: accounts.change_roles(by_shell, first.id, [("lead", "operations")]),
        lambda: accounts.change_roles(by_shell, first.id, []),
        lambda: accounts.remove_person(by_shell, first.id, person_changes.CONFIRM),
    ):
        assert refused("last_admin", act).message == "This is the last admin: make another one first."
    accounts.change_roles(by_shell, first.id, [("admin", "*"), ("lead", "operations")])
    accounts.enable_person(by_shell, third.id)
    accounts.change_roles(by_shell, first.id, [])
    refused("last_admin", lambda: accounts.disable_person(third.id))


def test_of_many_admins_at_each_other_at_once_one_stays(clean: object) -> None:
    accounts.create_person(
        "o@example.com", role="operator", team="operations", password="seven tall herons wade"
    )
    admins = [hired(("admin", "*")) for _ in range(4)]
    acts: list[Act] = [
        lambda who, other: accounts.disable_person(other, by=who),
        lambda who, other: accounts.change_roles(who, other, []),
        lambda who, other: accounts.remove_person(who, other, person_changes.CONFIRM),
        lambda who, other: accounts.change_roles(who, other, [("operator", "operations")]),
    ]
    answers: list[str] = []

    def attack(number: int) -> None:
        for victim in admins:
            try:
                acts[number](admins[number], victim.id)
                answers.append("done")
            except ConsoleError as error:
                answers.append(error.code)

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    access.refresh()
    left = [
        who
        for who in admins
        if not accounts.person(who.id).disabled and ("admin", "*") in access.roles_of(who.id)
    ]
    assert len(left) == 1
    assert set(answers) <= {
        "done",
        "own_account",
        "last_admin",
        "not_allowed",
        "account_closed",
        "account_removed",
    }
    assert answers.count("done") >= 3


# --- whatever happens, in whatever order ----------------------------------------------------------------------------------------

Pairs = frozenset[tuple[str, str]]
ADMIN, CLERK, OPERATOR, LEAD = (
    ("admin", "*"),
    ("clerk", "operations"),
    ("operator", "operations"),
    ("lead", "operations"),
)
ROLES: list[Pairs] = [
    frozenset(pairs) for pairs in ([], [ADMIN], [CLERK, OPERATOR], [OPERATOR], [LEAD], [ADMIN, OPERATOR])
]
SHELL = accounts.COMMAND_LINE.id
ACTS = ("roles", "roles", "disable", "enable", "remove", "sign in", "invite", "accept", "revoke")


@dataclass
class Someone:
    """What the model knows of an account."""

    roles: Pairs = frozenset()
    state: str = "active"


@dataclass
class Model:
    """Accounts as the rules say that they are, kept in a few lines without a database."""

    people: dict[str, Someone] = field(default_factory=dict)
    waiting: dict[str, tuple[str, str, Pairs]] = field(
        default_factory=dict
    )  # token → invitation, sender, roles

    def manages(self, who: str) -> bool:
        return who == SHELL or (
            self.people[who].state == "active" and bool(self.people[who].roles & {ADMIN, CLERK})
        )

    def gives(self, who: str, pairs: Pairs) -> bool:
        return who == SHELL or ADMIN in self.people[who].roles or pairs <= self.people[who].roles

    def spared(self, victim: str) -> bool:
        admins = {one for one, told in self.people.items() if told.state == "active" and ADMIN in told.roles}
        return admins != {victim}

    def may(self, act: str, who: str, victim: str, pairs: Pairs) -> bool:
        """Whether the rules let `who` do this to `victim`."""
        told = self.people[victim]
        if act == "invite":
            return self.manages(who) and bool(pairs) and self.gives(who, pairs)
        if not self.manages(who) or who == victim or told.state == "removed":
            return False
        if act == "roles":
            return self.gives(who, told.roles ^ pairs) and (ADMIN in pairs or self.spared(victim))
        return self.gives(who, told.roles) and (act == "enable" or self.spared(victim))


def actor_of(who: str) -> Actor:
    """Whoever it is, with today's rights, also where the account is closed: as one who was quicker than the news of it."""
    if who == SHELL:
        return accounts.COMMAND_LINE
    return Actor("user", who, session=f"ses_{who[4:]}", roles=access.roles_of(who), teams=("operations",))


def real_act(act: str, who: Actor, victim: str, pairs: Pairs) -> None:
    match act:
        case "roles":
            accounts.change_roles(who, victim, pairs)
        case "disable":
            accounts.disable_person(victim, by=who)
        case "enable":
            accounts.enable_person(who, victim)
        case "remove":
            accounts.remove_person(who, victim, person_changes.CONFIRM)


def in_database() -> dict[str, Someone]:
    """Every account as the tables have it."""
    told = sql(
        "select id, case when removed_at is not null then 'removed' when disabled_at is not null then 'disabled' else 'active' end from console.person"
    )
    with db.transaction() as connection:
        return {ident: Someone(authority.role_pairs(connection, ident), state) for ident, state in told}


def in_log() -> dict[str, Someone]:
    """Every account as the events alone tell it."""
    people: dict[str, Someone] = {}
    for kind, opened, _ in noted():
        who = opened.get("person", "")
        if kind == "person_created":
            people[who] = Someone(frozenset(person_changes.pair_of(word) for word in opened["roles"]))
        elif kind == "person_removed":
            people[who] = Someone(frozenset(), "removed")
        elif kind == "person_changed":
            assert {person_changes.pair_of(word) for word in opened.get("roles_before", ())} <= people[
                who
            ].roles
            people[who].roles = (
                frozenset(person_changes.pair_of(word) for word in opened["roles"])
                if "roles" in opened
                else people[who].roles
            )
            people[who].state = {True: "disabled", False: "active", None: people[who].state}[
                opened.get("disabled")
            ]
    return people


@pytest.fixture
def house(clean: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two admins, a clerk and an operator; passwords take no time."""
    access.grant("clerk", "user", ["manage"], team="operations")
    monkeypatch.setattr(passwords, "hash_password", lambda password: password)
    sql("insert into console.team (id, name) values ('operations', 'Operations')")
    for pairs in (ROLES[1], ROLES[1], ROLES[2], ROLES[3]):
        hired(*pairs)


_STEP = st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.integers(0, 9), st.sampled_from(ROLES))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(_STEP, min_size=6, max_size=14))
def test_random_lives_follow_the_rules(house: None, steps: list[tuple[str, int, int, Pairs]]) -> None:
    model = Model(in_database())
    for number, (act, one, other, pairs) in enumerate(steps):
        ids = sorted(model.people)
        who, victim = [*ids, SHELL][one % (len(ids) + 1)], ids[other % len(ids)]
        if act == "sign in":
            if who != SHELL and model.people[who].state == "active":
                signed_in(Actor("user", who))
        elif act in ("accept", "revoke"):
            _settle(model, act, who, number)
        else:
            _try(model, act, who, victim, pairs)
    assert {ident: (told.roles, told.state) for ident, told in in_database().items()} == {
        i: (t.roles, t.state) for i, t in model.people.items()
    }
    assert in_log() == in_database()


def _try(model: Model, act: str, who: str, victim: str, pairs: Pairs) -> None:
    """The act by model and for real, which must agree; then what must hold whatever happened."""
    allowed, actor = model.may(act, who, victim, pairs), actor_of(who)
    try:
        if act == "invite":
            sent = accounts.invite(
                actor, f"new{len(model.people)}-{len(noted())}@example.com", pairs, ["operations"]
            )
            model.waiting[sent.path.rpartition("/")[2]] = (sent.id, who, pairs)
        else:
            real_act(act, actor, victim, pairs)
        done, why = True, ""
    except ConsoleError as error:
        done, why = False, error.message
    assert done == allowed, (why, act, who, victim, pairs, model)
    if done and act != "invite":
        told = model.people[victim]
        told.roles = pairs if act == "roles" else frozenset() if act == "remove" else told.roles
        told.state = {"disable": "disabled", "enable": "active", "remove": "removed"}.get(act, told.state)
    _holds()


def _settle(model: Model, act: str, who: str, number: int) -> None:
    """The oldest invitation accepted, or revoked by somebody."""
    if not model.waiting:
        return
    token = next(iter(model.waiting))
    ident, sender, pairs = model.waiting[token]
    actor = actor_of(who)
    allowed = (
        model.manages(sender) and model.gives(sender, pairs)
        if act == "accept"
        else model.manages(who) and model.gives(who, pairs)
    )
    try:
        if act == "accept":
            person = accounts.accept(
                token,
                "203.0.113.9",
                name=f"New {number}",
                password="seven tall herons wade",
                locale="en",
                zone="UTC",
            )
            model.people[person.id] = Someone(pairs)
        else:
            accounts.revoke(actor, ident)
        done = True
        del model.waiting[token]
    except ConsoleError:
        done = False
    assert done == allowed, (act, who, pairs)
    _holds()


def _holds() -> None:
    assert sql(
        "select exists (select from console.person p join console.policy g on g.sub = 'user:' || p.id"
        " where g.ptype = 'g' and g.obj = 'role:admin' and g.dom = '*' and p.disabled_at is null)"
    ) == [(True,)]
    assert sql(
        "select count(*) from console.session s join console.person p on p.id = s.person where s.ended_at is null and p.disabled_at is not null"
    ) == [(0,)]
    assert sql(
        "select count(*) from console.person where removed_at is not null and (email is not null or password_hash is not null or tags <> '{}')"
    ) == [(0,)]


# --- at once, everywhere ------------------------------------------------------------------------------------------------------

ELSEWHERE = """
import sys, time
from console.auth import access
from console.core.actor import Actor
who = Actor("user", sys.argv[1])
print(access.can(who, "operations", "workflow:care-review", "resume"), flush=True)
for line in sys.stdin:
    time.sleep(1.05)
    print(access.can(who, "operations", "workflow:care-review", "resume"), flush=True)
"""


def test_a_change_counts_in_another_process_within_a_second_and_in_the_middle_of_a_run(
    company: Company,
) -> None:
    olivia, run = company.olivia, company.at("note")
    with subprocess.Popen(
        [warm.python(), "-c", ELSEWHERE, olivia.id], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def asked() -> str:
            other.stdin.write("\n")  # type: ignore[union-attr]
            other.stdin.flush()  # type: ignore[union-attr]
            return other.stdout.readline().strip()  # type: ignore[union-attr]

        assert other.stdout.readline().strip() == "True"
        on_screen = company.told(run)
        accounts.change_roles(
            company.ines, olivia.id, [("reviewer", "operations")]
        )  # sees the run, and may not go on with it
        with pytest.raises(NotAllowed):
            company.answer(run, told=on_screen)
        assert asked() == "False"
        accounts.change_roles(company.ines, olivia.id, [("operator", "operations")])
        company.answer(run)
        assert asked() == "True"
        other.stdin.close()
    assert company.told(run)["current"]["step"] == "rate"


def test_what_another_process_changed_counts_before_anything_is_given(clean: object) -> None:
    accounts.create_person(
        "o@example.com", role="operator", team="operations", password="seven tall herons wade"
    )
    first, second, third = hired(("admin", "*")), hired(("admin", "*")), hired()
    with db.transaction() as connection:  # as another process would, of which this one has not heard
        connection.execute(
            sa.text("delete from console.policy where sub = :sub"), {"sub": f"user:{first.id}"}
        )
        connection.execute(sa.text("update console.version set number = number + 1 where name = 'policy'"))
    with pytest.raises(NotAllowed):
        accounts.change_roles(first, third.id, [("admin", "*")])
    refused("last_admin", lambda: accounts.disable_person(second.id))


def test_the_engine_does_nothing_in_the_name_of_who_is_gone(company: Company) -> None:
    run = company.at("note")
    accounts.remove_person(company.ines, company.olivia.id, person_changes.CONFIRM)
    for act in (
        lambda: accounts.actor_of_person(company.olivia.id),
        lambda: runs.assign(company.mona, run, revision=None, user=company.olivia.id),
    ):
        with pytest.raises(ConsoleError):
            act()
    assert accounts.names([company.olivia.id]) == {company.olivia.id: "Olivia"}
    assert company.told(run, "mona")["status"] == "waiting_person"
