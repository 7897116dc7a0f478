"""Invitations: one link, one person, once, for seven days; and nothing to be learnt from a link that opens nothing."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.auth import access, accounts
from console.auth.accounts import invitations, person_changes, teamwork
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.infra import settings
from tests.company import Company
from tests.servers.outside import Mailbox, smtp
from tests.support.staff import hired, noted, sql

HERE = "203.0.113.50"
GOOD = "seven tall herons wade"
TOLD = {"name": "Nora Weiss", "password": GOOD, "locale": "de-AT", "zone": "Europe/Vienna"}


@pytest.fixture(scope="module")
def company(module_company: Company) -> Company:
    """One company for the module; each test invites to an address of its own."""
    return module_company


@pytest.fixture
def mailbox(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server of ours, and the console set up for it."""
    with smtp() as box:
        monkeypatch.setenv("CONSOLE_SMTP_URL", f"smtp://127.0.0.1:{box.port}?tls=off")
        monkeypatch.setenv("CONSOLE_MAIL_FROM", "handrail@fernwick.example")
        monkeypatch.setenv("CONSOLE_BASE_URL", "https://console.fernwick.example")
        settings.current.cache_clear()
        yield box
    monkeypatch.undo()
    settings.current.cache_clear()


def token_of(sent: accounts.Sent) -> str:
    return sent.path.removeprefix("/invitation/")


def opens(token: str) -> bool:
    """Whether the link opens something; what it opens nothing with is always said in the same words."""
    try:
        accounts.open_invitation(token, HERE)
    except NotFound as error:
        gone = error
    else:
        return True
    assert (gone.message, gone.code, gone.status, gone.details, gone.extra) == (
        invitations.GONE,
        "not_found",
        404,
        [],
        {},
    )
    return False


def test_who_accepts_has_what_was_given_and_signs_in(company: Company) -> None:
    sent = accounts.invite(company.ines, " Nora@Example.COM ", [("lead", "operations"), ("auditor", "audit")])
    assert (sent.email, sent.mailed, sent.trouble) == ("nora@example.com", False, "")
    waiting = invitations.invitation(company.ines, sent.id)
    assert (waiting.roles, waiting.teams, waiting.mail, waiting.expired) == (
        frozenset({("lead", "operations"), ("auditor", "*")}),
        ("audit", "operations"),
        "none",
        False,
    )
    assert opens(token_of(sent))
    assert opens(token_of(sent))  # looking uses nothing up
    person = accounts.accept(token_of(sent), HERE, **TOLD)
    assert (person.id, person.email, person.name, person.locale, person.zone) == (
        waiting.person,
        "nora@example.com",
        "Nora Weiss",
        "de-AT",
        "Europe/Vienna",
    )
    assert (person.roles, person.teams) == (
        frozenset({("lead", "operations"), ("auditor", "*")}),
        ("audit", "operations"),
    )
    assert accounts.sign_in("nora@example.com", GOOD, HERE, "test")
    assert not opens(token_of(sent))
    with pytest.raises(NotFound):
        accounts.accept(token_of(sent), HERE, **TOLD)
    with pytest.raises(NotFound):
        invitations.invitation(company.ines, sent.id)


def test_inviting_and_entering_are_events_under_the_persons_key(company: Company) -> None:
    sent = accounts.invite(company.ines, "events@example.com", [("operator", "operations")])
    person = invitations.invitation(company.ines, sent.id).person
    accounts.accept(token_of(sent), HERE, **TOLD)
    (invited, entered) = noted(person)
    assert invited[0] == "person_invited"
    assert {name: invited[1][name] for name in ("invitation", "roles", "teams")} == {
        "invitation": sent.id,
        "roles": ["operator@operations"],
        "teams": ["operations"],
    }
    assert invited[2] == {"email": "events@example.com"}
    assert entered[0] == "person_created"
    assert (entered[1]["invitation"], entered[1]["invited_by"], entered[1]["roles"]) == (
        sent.id,
        company.ines.id,
        ["operator@operations"],
    )
    assert entered[2] == {"name": "Nora Weiss", "email": "events@example.com"}


def test_the_database_knows_no_link(company: Company) -> None:
    sent = accounts.invite(company.ines, "hash@example.com", [("operator", "operations")])
    ((row,),) = sql("select i::text from console.invitation i where id = :id", id=sent.id)
    assert token_of(sent) not in row
    assert len(token_of(sent)) == 43
    assert token_of(sent) not in str(noted())


def test_sent_again_only_the_new_link_counts(company: Company) -> None:
    first = accounts.invite(company.ines, "again@example.com", [("operator", "operations")])
    sql("update console.invitation set expires_at = now() - interval '1 second' where id = :id", id=first.id)
    assert not opens(token_of(first))
    assert invitations.invitation(company.ines, first.id).expired
    with pytest.raises(Conflict, match="is invited already"):
        accounts.invite(company.ines, "again@example.com", [("operator", "operations")])
    second = accounts.resend(company.ines, first.id)
    assert (second.id, opens(token_of(first)), opens(token_of(second))) == (first.id, False, True)
    assert noted(invitations.invitation(company.ines, first.id).person)[-1][1]["again"] is True
    accounts.revoke(company.ines, first.id)
    assert not opens(token_of(second))
    assert sql("select count(*) from console.invitation where email = 'again@example.com'") == [(0,)]
    kind, opened, _ = noted()[-1]
    assert (kind, opened["invitation"], opened["reason"]) == ("invitation_ended", first.id, "revoked")
    for act in (accounts.resend, accounts.revoke, invitations.invitation):
        for unknown in (first.id, "inv_x", "a\0b"):
            with pytest.raises(NotFound):
                act(company.ines, unknown)


def test_an_invitation_dies_with_the_rights_of_who_sent_it(company: Company) -> None:
    access.grant("clerk", "user", ["manage"], team="operations")

    def sender() -> Actor:
        return hired(("clerk", "operations"), ("operator", "operations"))

    def sent_by(who: Actor, number: list[int]) -> str:
        number.append(1)
        return token_of(accounts.invite(who, f"dies{len(number)}@example.com", [("operator", "operations")]))

    count: list[int] = []
    ways: list[Callable[[Actor], object]] = [
        lambda who: accounts.disable_person(who.id, by=company.ines),
        lambda who: accounts.remove_person(company.ines, who.id, person_changes.CONFIRM),
        lambda who: accounts.change_roles(
            company.ines, who.id, [("clerk", "operations")]
        ),  # may not give operator any more
        lambda who: accounts.change_roles(
            company.ines, who.id, [("operator", "operations")]
        ),  # may not invite any more
    ]
    for ends in ways:
        who = sender()
        token = sent_by(who, count)
        assert opens(token)
        ends(who)
        assert not opens(token)
        with pytest.raises(NotFound):
            accounts.accept(token, HERE, **TOLD)
        resent = accounts.resend(
            company.ines,
            sql(
                "select id from console.invitation where email = :email",
                email=f"dies{len(count)}@example.com",
            )[0][0],
        )
        assert opens(token_of(resent))  # under the name of an admin it lives again


def test_an_invitation_dies_with_its_team_and_with_its_address(company: Company) -> None:
    team = teamwork.create(company.ines, "Short lived")
    first = accounts.invite(company.ines, "team@example.com", [("operator", team)])
    teamwork.archive(company.ines, team)
    assert not opens(token_of(first))
    with pytest.raises(Invalid):
        accounts.resend(company.ines, first.id)
    second = accounts.invite(company.ines, "taken@example.com", [("operator", "operations")])
    accounts.create_person("taken@example.com", role="operator", team="operations", password=GOOD)
    assert not opens(token_of(second))


def test_nobody_invites_above_their_own_rights(company: Company) -> None:
    access.grant("clerk", "user", ["manage"], team="operations")
    clerk = hired(("clerk", "operations"), ("operator", "operations"))
    for pairs, teams in (
        ([("admin", "*")], ["operations"]),
        ([("operator", "procurement")], []),
        ([("operator", "operations")], ["procurement"]),
    ):
        with pytest.raises(NotAllowed) as refused:
            accounts.invite(clerk, "above@example.com", pairs, teams)
        assert refused.value.code == "above_own_rights"
    admin = accounts.invite(company.ines, "above@example.com", [("admin", "admin")])
    for act in (accounts.resend, accounts.revoke):
        with pytest.raises(NotAllowed):
            act(clerk, admin.id)
    for who in (company.stan, company.mona, company.ada):
        refused_acts: list[Callable[[Actor], object]] = [
            lambda who: accounts.invite(who, "x@example.com", [("operator", "operations")]),
            lambda who: accounts.resend(who, admin.id),
            lambda who: accounts.revoke(who, admin.id),
            lambda who: invitations.invitation(who, admin.id),
        ]
        for refused_act in refused_acts:
            with pytest.raises(NotAllowed) as missing:
                refused_act(who)
            assert missing.value.need == ("user", "manage")


WRONG: list[tuple[dict[str, str], str]] = [
    ({"password": "short"}, "password"),
    ({"password": "password1234"}, "password"),
    ({"password": "picky-picky1"}, "password"),
    ({"name": " "}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"locale": "xx_YY"}, "locale"),
    ({"zone": "Nowhere"}, "zone"),
]


def test_what_is_wrong_is_named_and_uses_nothing_up(company: Company) -> None:
    token = token_of(accounts.invite(company.ines, "picky@example.com", [("operator", "operations")]))
    for changed, field in WRONG:
        with pytest.raises(Invalid) as wrong:
            accounts.accept(token, HERE, **(TOLD | changed))
        assert [detail["field"] for detail in wrong.value.details] == [field]
    assert accounts.accept(token, HERE, **TOLD).email == "picky@example.com"


def test_of_many_who_accept_at_once_one_does(company: Company) -> None:
    token = token_of(accounts.invite(company.ines, "race@example.com", [("operator", "operations")]))
    answers: list[Any] = []

    def accept(number: int) -> None:
        try:
            answers.append(accounts.accept(token, HERE, **(TOLD | {"name": f"Racer {number}"})).id)
        except ConsoleError as error:
            answers.append(error.code)

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(answer).startswith("usr_") for answer in answers) == [False] * 5 + [True]
    assert set(answers) - {"not_found"} == {accounts.person_of_email("race@example.com").id}


def test_strangers_learn_nothing_and_are_slowed_down(company: Company) -> None:
    good = token_of(accounts.invite(company.ines, "guess@example.com", [("operator", "operations")]))
    for guess in ("", "x", good[:-1], good + "x", "x" * 5000, "a\0b", "../../etc", "%00", "ünï"):
        assert not opens(guess)
    sql("delete from console.throttle")
    for number in range(invitations.FREE_MISSES + 3):
        with pytest.raises(NotFound):
            accounts.open_invitation(f"guess{number}", "198.51.100.7")
    sql(
        "update console.throttle set until = now() + interval '5 minutes' where key like 'invitation:%' and count > :free",
        free=invitations.FREE_MISSES,
    )
    with pytest.raises(NotFound) as slowed:
        accounts.open_invitation(good, "198.51.100.7")  # right, and too early
    assert slowed.value.message == invitations.GONE
    assert opens(good)  # from elsewhere
    for _ in range(invitations.FREE_MISSES + 3):
        assert opens(good)  # good ones do not count


def test_the_link_goes_by_mail_where_mail_goes_out(company: Company, mailbox: Mailbox) -> None:
    sent = accounts.invite(company.ines, "mail@example.com", [("operator", "operations")])
    assert sent.mailed
    (letter,) = mailbox.messages
    assert (letter["To"], letter["From"], letter["Auto-Submitted"]) == (
        "mail@example.com",
        "handrail@fernwick.example",
        "auto-generated",
    )
    body = letter.get_content()
    assert f"https://console.fernwick.example{sent.path}" in body
    assert "invites you to Handrail" in body
    assert invitations.invitation(company.ines, sent.id).mail == "sent"
    mailbox.reply = "550 no such mailbox"
    again = accounts.resend(company.ines, sent.id)
    assert (again.mailed, invitations.invitation(company.ines, sent.id).mail) == (False, "failed")
    assert "it takes no mail for this address (550)" in again.trouble
    assert invitations.trouble_of(invitations.invitation(company.ines, sent.id)) == again.trouble, (
        "who looks later reads it too"
    )
    assert opens(token_of(again))  # to be handed over then


def test_a_name_with_lines_makes_no_header(company: Company, mailbox: Mailbox) -> None:
    accounts.invite(
        Actor("user", company.ines.id, "Ines\r\nBcc: all@example.com", session="ses_x"),
        "lines@example.com",
        [("operator", "operations")],
    )
    (letter,) = mailbox.messages
    assert letter["Bcc"] is None
    assert "Ines Bcc: all@example.com invites you" in letter.get_content()
