"""Rights while they change: many threads ask, others write, and nobody is refused what was theirs all along."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from console.auth import access, accounts
from console.auth.access import policy_store
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.demo import staff
from console.infra.db import engine as db
from tests.conftest import Database

pytestmark = pytest.mark.lengthy

GOOD = "seven tall herons wade"


def together(*tasks: Callable[[], object]) -> list[object]:
    """What the tasks answer or raise, all started at once."""
    db.engine(), db.hot_engine()
    gate, answers = threading.Barrier(len(tasks)), [object()] * len(tasks)

    def run(number: int, task: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers[number] = task()
        except Exception as error:  # noqa: BLE001 - the test looks at what came
            answers[number] = error

    threads = [threading.Thread(target=run, args=(number, task)) for number, task in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def anna(clean: object) -> Actor:
    """An operator of Operations."""
    staff.give_rights()
    made = accounts.create_person("anna@example.com", role="operator", team="operations", password=GOOD)
    return accounts.actor_of_person(made.person.id)


def test_no_false_answer_while_the_policy_is_swapped(anna: Actor) -> None:
    stop = threading.Event()

    def ask() -> int:
        wrong = 0
        while not stop.is_set():
            wrong += not access.can(anna, "operations", "workflow:kyc-review", "start")
            wrong += access.can(anna, "operations", "workflow:kyc-review", "cancel")
            wrong += access.scope_for(anna, "charge").nothing
        return wrong

    def change() -> None:
        try:
            for number in range(12):
                access.grant("reviewer", f"collection:c{number}", ["read"])
        finally:
            stop.set()

    assert together(ask, ask, ask, change) == [0, 0, 0, None]


def test_two_changes_at_once_are_both_there_and_have_their_own_numbers(anna: Actor) -> None:
    before = access.current_version()
    answers = together(
        *(
            lambda number=number: access.grant("operator", f"collection:c{number}", ["read"])
            for number in range(6)
        )
    )
    assert sorted(answers, key=str) == sorted(range(before + 1, before + 7), key=str)
    access.refresh()
    assert all(access.can(anna, None, f"collection:c{number}", "read") for number in range(6))


def test_a_right_taken_away_elsewhere_is_gone_at_the_next_comparison(anna: Actor) -> None:
    assert access.can(anna, "operations", "workflow:kyc-review", "start")
    with db.transaction() as connection:
        policy_store.write(connection, removed=policy_store.rows_of(connection, sub=f"user:{anna.id}"))
    policy_store._Clock.asked -= policy_store.COMPARE_S
    with pytest.raises(NotAllowed):
        access.require(anna, "operations", "workflow:kyc-review", "start")


def test_two_admins_cannot_close_each_other_at_once(clean: object) -> None:
    first, second = (
        accounts.create_person(f"{name}@example.com", role="admin", team="office", password=GOOD).person
        for name in ("ines", "iris")
    )
    by_first, by_second = accounts.actor_of_person(first.id), accounts.actor_of_person(second.id)
    answers = together(
        lambda: accounts.disable_person(second.id, by=by_first),
        lambda: accounts.disable_person(first.id, by=by_second),
    )
    assert sorted(str(getattr(answer, "code", answer)) for answer in answers) == ["None", "account_closed"]
    assert sum(not person.disabled for person in accounts.people()) == 1


def test_whoever_comes_first_after_a_pause_is_not_refused_while_another_compares(
    anna: Actor, clean: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page asks for its parts at once: with the process idle for longer than rights are trusted, one compares and the others wait for it."""
    assert access.can(anna, "operations", "workflow:kyc-review", "start")
    monkeypatch.setattr(policy_store, "WAIT_S", 60.0)
    policy_store._Clock.asked -= 2 * policy_store.TRUSTED_S
    policy_store._Clock.sure -= 2 * policy_store.TRUSTED_S
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(access.can(anna, "operations", "workflow:kyc-review", "start"))
        except NotAllowed as refused:
            answers.append(refused.code)

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    with psycopg.connect(clean.admin_url) as held:
        held.execute("lock table console.version in access exclusive mode")
        first.start()
        while not held.execute(
            "select from pg_locks where relation = 'console.version'::regclass and not granted"
        ).fetchall():
            assert first.is_alive()
        second.start()
        second.join(0.2)  # long enough to be refused; whoever waits goes on waiting
    first.join()
    second.join()
    assert answers == [True, True]
