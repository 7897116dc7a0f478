"""Signing in with a password, and a code if the person has a second factor. Attempts are logged; refusals give no reason."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from console import log
from console.auth.accounts import entry, factors, one_time, passwords, persons, sessions, throttle
from console.auth.accounts.throttle import Limit
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.infra import subjects
from console.infra.db import engine as db
from console.infra.db.ids import new_id

PER_PAIR, PER_ACCOUNT, PER_ADDRESS, PER_CODE = 5, 20, 50, 5
CODE_LASTS = timedelta(minutes=10)
STRANGER = Actor(
    "system", "sys_sign_in", "Sign-in", session=new_id("sys:signin").replace("sys:signin_", "sys:signin-")
)
"""The actor for failed sign-ins of unknown people, on this process's chain."""

_ACCOUNT = sa.text(
    "select p.id, p.password_hash, p.disabled_at, exists (select from console.session s where s.person = p.id and s.ip = :ip"
    " and s.created_at > now() - interval '30 days') as known_here,"
    " exists (select from console.second_factor f where f.person = p.id) as factor from console.person p where p.email = :email"
)


class CodeWanted(ConsoleError):
    """The password was right, and the code of the second factor is wanted: `waiting` is what goes along with it."""

    status = 401
    default_code = "code_wanted"

    def __init__(self, waiting: str) -> None:
        super().__init__("The code of your second factor is wanted too.")
        self.waiting = waiting


def sign_in(email: str, password: str, ip: str, agent: str) -> str | None:
    """The token of a new session; None for a wrong password, unknown address, closed account, too many attempts, or if passwords are off.

    Raises `CodeWanted` if the password is right and the person has a second factor.
    """
    address = email.strip().lower()
    if not persons.EMAIL.fullmatch(address) or len(address) > 254 or len(password) > passwords.LONGEST:
        refuse("malformed", None, address[:254].replace("\0", ""), ip, agent)
        return None
    account = db.read_row(_ACCOUNT, {"email": address, "ip": ip})
    person_id = None if account is None else account.id
    limits = [Limit("pair", f"{address}\n{ip}", PER_PAIR), Limit("address", ip, PER_ADDRESS)]
    if (
        account is None or not account.known_here
    ):  # failures of strangers do not slow down people at their usual address
        limits.append(Limit("account", address, PER_ACCOUNT))
    if not throttle.take(limits):
        refuse("throttled", person_id, address, ip, agent)
        return None
    good = passwords.matches(None if account is None else account.password_hash, password)
    reason = _reason(account, good=good)
    if account is None or reason:
        refuse(reason, person_id, address, ip, agent)
        return None
    throttle.give_back(limits)
    _keep_up(account, password)
    if account.factor:
        raise CodeWanted(one_time.make("code", account.id, CODE_LASTS, address))
    with db.transaction() as connection:
        return sessions.open_session(account.id, "password", ip, agent, connection)


def sign_in_with_code(waiting: str, code: str, ip: str, agent: str) -> str | None:
    """The token of a new session, after the password, with a code or recovery code; None if it is wrong or there were too many attempts."""
    known = one_time.find("code", waiting)
    if known is None or known.person is None:
        return None
    limits = [Limit("code", known.person, PER_CODE), Limit("address", ip, PER_ADDRESS)]
    if not throttle.take(limits):
        refuse("throttled", known.person, known.content, ip, agent)
        return None
    shown = factors.accepts(known.person, code)
    if shown is None:
        refuse("code", known.person, known.content, ip, agent)
        return None
    if one_time.take("code", waiting) is None:
        return None
    throttle.give_back(limits)
    with db.transaction() as connection:
        return sessions.open_session(known.person, f"password+{shown}", ip, agent, connection)  # type: ignore[arg-type]


def waits_for_code(waiting: str) -> bool:
    """Whether this token can still be exchanged for a session."""
    return one_time.find("code", waiting) is not None


def refuse(reason: str, person_id: str | None, address: str, ip: str, agent: str) -> None:
    """Log a refused sign-in."""
    log.note(
        STRANGER,
        "sign_in_failed",
        open={"person": person_id, "reason": reason},
        sealed={"email": address, "ip": ip, "agent": agent[: sessions.LONGEST_AGENT]},
        subject=subjects.subject_of("person", person_id or STRANGER.id),
    )


def note_stranger(reason: str, ip: str, agent: str) -> None:
    """Log a refused sign-in of an unknown person."""
    refuse(reason, None, "", ip, agent)


def _reason(account: Any, *, good: bool) -> str:
    if account is None:
        return "unknown"
    if not good:
        return "password"
    if account.disabled_at is not None:
        return "closed"
    return "" if entry.current().password else "no_passwords"


def _keep_up(account: Any, password: str) -> None:
    """Hash the password again if its parameters are outdated."""
    if passwords.is_outdated(account.password_hash):
        with db.hot_engine().connect() as connection:
            statement = sa.text(
                "update console.person set password_hash = :hash where id = :id and password_hash = :old"
            )
            connection.execute(
                statement,
                {"hash": passwords.hash_password(password), "id": account.id, "old": account.password_hash},
            )
