"""People, passwords, sessions, keys of the API, and what the log says of them."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from console import log
from console.auth import access, accounts
from console.auth.accounts import passwords, signing_in, throttle
from console.auth.accounts.throttle import Limit
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db import engine as db
from tests.conftest import REAL_HASHER
from tests.tables import cases

GOOD = "seven tall herons wade"
HERE = ("127.0.0.1", "test")


@pytest.fixture
def olivia(clean: object) -> accounts.Person:
    """An operator of Operations who signs in with GOOD."""
    return accounts.create_person(
        "olivia@fernwick.example",
        role="operator",
        team="operations",
        name="Olivia Vance",
        password=GOOD,
        tags={"desks": ["retail"]},
    ).person


def noted(chain: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Kind, open and sealed values of the events of a chain, oldest first."""
    return [(event.type, event.body["data"]["open"], event.values) for event in log.events_of(chain)]


def sql(statement: str, **values: Any) -> list[Any]:
    """Rows of a statement behind the service's back."""
    with db.hot_engine().connect() as connection:
        result = connection.execute(sa.text(statement), values)
        return list(result.all()) if result.returns_rows else []


def slowed(kind: str, free: int) -> bool:
    """Whether a count of this kind is over what is free; it waits long enough then for a slow machine to find it waiting."""
    statement = "update console.throttle set until = now() + interval '5 minutes' where key like :kind and count > :free returning key"
    return bool(sql(statement, kind=f"{kind}:%", free=free))


def token() -> str:
    """A session of Olivia's."""
    opened = accounts.sign_in("olivia@fernwick.example", GOOD, *HERE)
    assert opened is not None
    return opened


# --- passwords ----------------------------------------------------------------------------------------------------------------


@cases(
    "weak",
    [
        "short",
        "elevenchars",
        "password1234",
        "P@ssw0rd!2026",
        "123456789012",
        "abcdefghijkl",
        "qwertyuiop[]",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "olivia123456",
        "Olivia-2026!",
        "adminadmin12",
        "x" * 1025,
        "with\0nul in it",
        "new\nline and more",
    ],
)
def test_weak_passwords_are_refused_with_a_reason(weak: str) -> None:
    reason = passwords.weakness(weak, email="olivia@fernwick.example", name="Olivia Vance")
    assert reason is not None
    assert reason.endswith(".")


@cases(
    "good",
    [
        GOOD,
        "Tr4verse-Lampoon",
        "ünïcödé pässwörter",
        "x7" * 2 + "kqpzvmbt",
        "a" * 4 + "long sentence about nothing " * 8,
        "密码很长而且不容易猜到的一句话",
    ],
)
def test_good_passwords_are_taken_without_rules_of_composition(good: str) -> None:
    assert passwords.weakness(good, email="olivia@fernwick.example", name="Olivia Vance") is None


def test_passwords_are_kept_as_argon2id_of_the_agreed_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)
    stored = passwords.hash_password(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != passwords.hash_password(GOOD)
    assert passwords.matches(stored, GOOD)
    assert not passwords.matches(stored, GOOD + " ")
    assert not passwords.matches(None, GOOD)
    assert not passwords.matches("not a hash", GOOD)
    assert not passwords.is_outdated(stored)


# --- people -------------------------------------------------------------------------------------------------------------------


def test_a_person_is_entered_with_role_and_team(clean: object) -> None:
    made = accounts.create_person(
        " Ana.Ilic@Example.COM ", role="lead", team="Financial Crime", also=[("reviewer", "operations")]
    )
    assert made.person == accounts.person(made.person.id)
    assert (made.person.email, made.person.name, made.person.teams) == (
        "ana.ilic@example.com",
        "Ana Ilic",
        ("financial_crime",),
    )
    assert made.person.roles == {("lead", "financial_crime"), ("reviewer", "operations")}
    assert accounts.teams() == [accounts.Team("financial_crime", "Financial Crime")]
    assert accounts.sign_in("ana.ilic@example.com", made.password, *HERE)
    assert accounts.people() == [made.person]
    assert accounts.names([made.person.id, "usr_nobody"]) == {made.person.id: "Ana Ilic"}
    assert accounts.names([]) == {}


def test_entering_a_person_is_an_event_with_name_and_address_sealed(olivia: accounts.Person) -> None:
    kind, opened, sealed = noted("sys:config")[-1]
    assert (kind, opened) == (
        "person_created",
        {"person": olivia.id, "roles": ["operator@operations"], "teams": ["operations"]},
    )
    assert sealed == {"name": "Olivia Vance", "email": "olivia@fernwick.example"}
    (body,) = sql("select body from console.event where run = 'sys:config' order by run_seq desc limit 1")
    assert b"Olivia" not in bytes(body[0])
    assert b"olivia@" not in bytes(body[0])


def test_an_address_is_taken_once(olivia: accounts.Person) -> None:
    before = access.current_version()
    with pytest.raises(Conflict) as refused:
        accounts.create_person("OLIVIA@fernwick.example", role="lead", team="operations")
    assert refused.value.code == "email_taken"
    access.refresh()
    assert access.current_version() == before


def test_a_closed_account_opens_nothing(olivia: accounts.Person) -> None:
    opened, key = token(), accounts.create_key("report", olivia.id)
    accounts.disable_person(olivia.id)
    assert accounts.session_of(opened) is None
    assert accounts.actor_of_key(key.text) is None
    assert accounts.sign_in(olivia.email, GOOD, *HERE) is None
    assert accounts.person(olivia.id).disabled
    assert noted("sys:config")[-1][:2] == (
        "person_changed",
        {"person": olivia.id, "fields": ["disabled"], "disabled": True},
    )
    with pytest.raises(NotAllowed) as refused:
        accounts.actor_of_person(olivia.id)
    assert refused.value.code == "account_closed"
    with pytest.raises(NotFound):
        accounts.create_key("another", olivia.id)


def test_a_new_password_ends_the_sessions_and_the_old_one(olivia: accounts.Person) -> None:
    opened, key = token(), accounts.create_key("report", olivia.id)
    made = accounts.set_password(olivia.id)
    assert accounts.session_of(opened) is None
    assert accounts.actor_of_key(key.text) is not None
    assert accounts.sign_in(olivia.email, GOOD, *HERE) is None
    assert accounts.sign_in(olivia.email, made, *HERE)
    assert noted("sys:config")[-1][:2] == ("person_changed", {"person": olivia.id, "fields": ["password"]})
    with pytest.raises(Invalid):
        accounts.set_password(olivia.id, "olivia123456")
    with pytest.raises(NotFound):
        accounts.set_password("usr_nobody")


def test_neither_oneself_nor_the_last_admin_is_closed(clean: object) -> None:
    first = accounts.create_person("ines@example.com", role="admin", team="office").person
    with pytest.raises(NotAllowed) as refused:
        accounts.disable_person(first.id)
    assert refused.value.code == "last_admin"
    second = accounts.create_person("iris@example.com", role="admin", team="office").person
    with pytest.raises(NotAllowed) as refused:
        accounts.disable_person(first.id, by=accounts.actor_of_person(first.id))
    assert refused.value.code == "own_account"
    accounts.disable_person(first.id, by=accounts.actor_of_person(second.id))
    with pytest.raises(NotAllowed):
        accounts.disable_person(second.id)
    with pytest.raises(NotFound):
        accounts.disable_person("usr_nobody")


def test_the_engine_acts_for_a_person_with_todays_rights(olivia: accounts.Person) -> None:
    actor = accounts.actor_of_person(olivia.id, "sys:engine")
    assert (actor.kind, actor.id, actor.session, actor.tags) == (
        "user",
        olivia.id,
        "sys:engine",
        {"desks": ["retail"]},
    )
    assert access.can(actor, "operations", "workflow:kyc-review", "start")
    access.assign(olivia.id, [])
    assert not access.can(actor, "operations", "workflow:kyc-review", "start")
    assert accounts.actor_of_person(olivia.id).roles == frozenset()
    with pytest.raises(NotAllowed):
        accounts.actor_of_person("usr_nobody")


# --- sessions -----------------------------------------------------------------------------------------------------------------


def test_a_session_is_known_by_its_token_and_stored_as_a_hash(olivia: accounts.Person) -> None:
    opened = token()
    known = accounts.session_of(opened)
    assert known is not None
    actor = known.actor
    assert (actor.kind, actor.id, actor.email, actor.teams) == (
        "user",
        olivia.id,
        olivia.email,
        ("operations",),
    )
    assert actor.roles == {("operator", "operations")}
    assert (actor.attributes["tags"], actor.policy) == ({"desks": ["retail"]}, access.current_version())
    assert re.fullmatch(r"[\w-]{43}", opened)
    ((stored,),) = sql("select s::text from console.session s")
    assert opened not in stored
    assert accounts.session_of(opened[:-1]) is None
    assert accounts.session_of("") is None


def test_signing_in_and_out_are_events_of_the_session(olivia: accounts.Person) -> None:
    opened = token()
    known = accounts.session_of(opened)
    assert known is not None
    actor = known.actor
    accounts.sign_out(opened)
    assert [(kind, told) for kind, told, _ in noted(actor.session)] == [
        ("signed_in", {"person": olivia.id, "session": actor.session, "method": "password"}),
        ("signed_out", {"person": olivia.id, "session": actor.session, "reason": "asked"}),
    ]
    assert noted(actor.session)[0][2] == {"ip": "127.0.0.1", "agent": "test"}
    assert accounts.session_of(opened) is None
    accounts.sign_out(opened)
    assert len(noted(actor.session)) == 2


@pytest.mark.parametrize(
    ("change", "open_still"),
    [
        ("seen_at = now() - interval '29 minutes'", True),
        ("seen_at = now() - interval '31 minutes'", False),
        ("created_at = now() - interval '11 hours 59 minutes'", True),
        ("created_at = now() - interval '12 hours 1 minute'", False),
        ("ended_at = now()", False),
    ],
)
def test_sessions_end_when_idle_or_old(olivia: accounts.Person, change: str, open_still: bool) -> None:
    opened = token()
    sql(f"update console.session set {change}")
    assert (accounts.session_of(opened) is not None) is open_still


def test_without_its_event_there_is_no_session(
    olivia: accounts.Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(log, "note", broken)
    with pytest.raises(OSError, match="no space left"):
        token()
    assert sql("select count(*) from console.session") == [(0,)]


def test_an_old_hash_is_renewed_at_sign_in(olivia: accounts.Person) -> None:
    import argon2

    sql(
        "update console.person set password_hash = :old",
        old=argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD),
    )
    token()
    ((stored,),) = sql("select password_hash from console.person")
    assert not passwords.is_outdated(stored)
    token()


FAILED = [
    ("olivia@fernwick.example", "not her password", "password"),
    ("olivia@fernwick.example", "", "password"),
    ("nobody@fernwick.example", GOOD, "unknown"),
    ("no address", GOOD, "malformed"),
    ("", "", "malformed"),
    ("a\0b@example.com", GOOD, "malformed"),
    ("olivia@fernwick.example", "x" * 5000, "malformed"),
]


def test_a_failed_sign_in_is_an_event_of_the_process(olivia: accounts.Person) -> None:
    for email, password, reason in FAILED:
        assert accounts.sign_in(email, password, "203.0.113.9", "agent") is None
        kind, opened, sealed = noted(signing_in.STRANGER.session)[-1]
        assert kind == "sign_in_failed"
        assert opened == {"person": olivia.id if reason == "password" else None, "reason": reason}
        assert sealed["ip"] == "203.0.113.9"
        assert signing_in.STRANGER.session.startswith("sys:signin-")


def test_failures_slow_down_and_do_not_lock_out(olivia: accounts.Person) -> None:
    for _ in range(signing_in.PER_PAIR + 3):
        assert accounts.sign_in(olivia.email, "wrong wrong wrong", "203.0.113.9", "agent") is None
    assert slowed("pair", signing_in.PER_PAIR)
    assert accounts.sign_in(olivia.email, GOOD, "203.0.113.9", "agent") is None  # right, and too early
    assert noted(signing_in.STRANGER.session)[-1][1]["reason"] == "throttled"
    assert accounts.sign_in(olivia.email, GOOD, "127.0.0.1", "test")  # from elsewhere it is open
    sql("update console.throttle set until = now() - interval '1 second'")
    assert accounts.sign_in(olivia.email, GOOD, "203.0.113.9", "agent")


def test_many_addresses_slow_down_strangers_but_not_who_is_known_here(olivia: accounts.Person) -> None:
    token()  # from 127.0.0.1
    for number in range(signing_in.PER_ACCOUNT + 2):
        accounts.sign_in(olivia.email, "wrong wrong wrong", f"203.0.113.{number}", "agent")
    assert slowed("account", signing_in.PER_ACCOUNT)
    assert accounts.sign_in(olivia.email, GOOD, "198.51.100.1", "agent") is None
    assert token()


def test_one_address_with_many_accounts_is_slowed_down(olivia: accounts.Person) -> None:
    limits = [Limit("address", "203.0.113.9", signing_in.PER_ADDRESS)]
    assert all(throttle.take(limits) for _ in range(signing_in.PER_ADDRESS + 1))
    assert slowed("address", signing_in.PER_ADDRESS)
    assert accounts.sign_in("somebody@else.example", GOOD, "203.0.113.9", "agent") is None
    assert accounts.sign_in(olivia.email, GOOD, *HERE)


def test_attempts_at_once_cannot_slip_through_together(clean: object) -> None:
    def attempt() -> None:
        taken.append(throttle.take([Limit("pair", "x", 0), Limit("address", "y", 50)]))

    taken: list[bool] = []
    db.hot_engine()
    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= sum(taken) <= 3


def test_addresses_do_not_stand_in_the_table(olivia: accounts.Person) -> None:
    accounts.sign_in(olivia.email, "wrong wrong wrong", "203.0.113.9", "agent")
    told = json.dumps([list(row) for row in sql("select key from console.throttle")])
    assert "olivia" not in told
    assert "203.0.113" not in told


# --- keys of the API ----------------------------------------------------------------------------------------------------------


def test_a_key_acts_as_its_owner(olivia: accounts.Person) -> None:
    made = accounts.create_key("nightly report", olivia.id)
    assert re.fullmatch(r"cns_[0-9a-z]{26}_[0-9a-f]{64}", made.text)
    actor = accounts.actor_of_key(made.text)
    assert actor is not None
    assert (actor.kind, actor.id, actor.session, actor.key_id, actor.email) == (
        "key",
        olivia.id,
        made.id,
        made.id,
        olivia.email,
    )
    assert access.can(actor, "operations", "workflow:kyc-review", "start")
    access.assign(olivia.id, [])
    assert not access.can(actor, "operations", "workflow:kyc-review", "start")
    assert sql("select last_used_at is not null from console.api_key") == [(True,)]


def test_a_key_is_stored_as_a_hash_and_its_making_is_an_event(olivia: accounts.Person) -> None:
    made = accounts.create_key("nightly report", olivia.id, lasts=timedelta(days=1))
    secret = made.text.rpartition("_")[2]
    ((stored,),) = sql("select k::text from console.api_key k")
    assert secret not in stored
    kind, opened, sealed = noted("sys:config")[-1]
    assert (kind, opened["key"], opened["person"], sealed["name"]) == (
        "key_created",
        made.id,
        olivia.id,
        "nightly report",
    )
    assert (sealed["before"], sealed["after"]) == (
        None,
        {"name": "nightly report", "scopes": {}, "networks": []},
    )
    assert made.expires_at - datetime.now(UTC) < timedelta(days=1)
    assert secret not in json.dumps(opened)


def test_wrong_keys_open_nothing(olivia: accounts.Person) -> None:
    made = accounts.create_key("report", olivia.id).text
    other = accounts.create_key("other", olivia.id).text
    mixed = f"{made.rpartition('_')[0]}_{other.rpartition('_')[2]}"
    for wrong in (
        "",
        "cns_",
        made[:-1],
        made + "0",
        made.upper(),
        mixed,
        f" {made}",
        f"{made}\n",
        made.replace("cns_", "sk_"),
        "cns_" + "0" * 26 + "_" + "0" * 64,
    ):
        assert accounts.actor_of_key(wrong) is None, wrong


@pytest.mark.parametrize("change", ["expires_at = now() - interval '1 second'", "revoked_at = now()"])
def test_keys_end(olivia: accounts.Person, change: str) -> None:
    made = accounts.create_key("report", olivia.id)
    sql(f"update console.api_key set {change}")
    assert accounts.actor_of_key(made.text) is None


def test_a_revoked_key_opens_nothing_and_is_revoked_once(olivia: accounts.Person) -> None:
    made = accounts.create_key("report", olivia.id)
    accounts.revoke_key(made.id)
    assert accounts.actor_of_key(made.text) is None
    assert noted("sys:config")[-1][:2] == ("key_revoked", {"key": made.id, "person": olivia.id})
    with pytest.raises(NotFound):
        accounts.revoke_key(made.id)


BAD_KEYS = [
    ("report", timedelta(days=366)),
    ("report", timedelta(0)),
    ("report", timedelta(days=-1)),
    ("", timedelta(days=1)),
    ("a\nb", timedelta(days=1)),
    ("x" * 201, timedelta(days=1)),
]


def test_keys_have_a_name_and_an_end_within_a_year(olivia: accounts.Person) -> None:
    for name, lasts in BAD_KEYS:
        with pytest.raises(Invalid):
            accounts.create_key(name, olivia.id, lasts=lasts)
        assert sql("select count(*) from console.api_key") == [(0,)]
