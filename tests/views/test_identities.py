"""What a sign-in through the identity provider gives, and that it ends with it: every source of a role, and every way that it ends."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console.auth import accounts
from console.auth.accounts import entry, identities, person_changes
from console.auth.accounts.entry import GroupRole
from console.core.actor import Actor
from console.infra.db.engine import fetch
from tests.servers.outside import Received
from tests.views.conftest import Page
from tests.views.test_oidc import (
    House,
    There,
    actor_of,
    come_back,
    confirm,
    connect,
    house as house,  # noqa: PLC0414 - a fixture
    leave,
    person,
    reasons,
    rules,
    sent_to_connect,
    sign_in,
    somebody,
    usual as usual,  # noqa: PLC0414 - a fixture
    with_password,
)
from tests.views.test_oidc_attacked import Claims, signed_by_us

pytestmark = pytest.mark.lengthy

OPERATOR, LEAD, REVIEWER, ADMIN = (
    ("operator", "operations"),
    ("operations_lead", "operations"),
    ("reviewer", "operations"),
    ("admin", "*"),
)


def grants(person_id: str) -> dict[tuple[str, str], set[str]]:
    """The person's roles, each with its sources; of identities only the subject is told."""
    names = {f"identity:{one.id}": one.subject for one in identities.identities_of(person_id)}
    return {
        (role["role"], role["team"]): {names.get(source, source) for source in role["from"]}
        for role in identities.roles_with_sources(person_id)
    }


def events(kind: str) -> list[dict[str, Any]]:
    rows = fetch(
        "select convert_from(body, 'UTF8')::jsonb from console.event where convert_from(body, 'UTF8')::jsonb ->> 'type' = %s order by id",
        (kind,),
    )
    return [row[0]["data"]["open"] for row in rows]


# --- every source × every end ---------------------------------------------------------------------------------------------------

numbers = iter(range(1000))


BY = {
    "hand": REVIEWER,
    "invitation": ("buyer", "procurement"),
    "first": OPERATOR,
    "second": ("reviewer", "procurement"),
}
"""The role that each source alone gives; all of them together give LEAD."""


class Somebody:
    """A person who has one role by hand, one by invitation, one by each of two identities, and one from all four of them."""

    def __init__(self, house: House) -> None:
        self.house, self.name = house, f"sources{next(numbers)}"
        rules(
            groups=(
                GroupRole("first", *BY["first"]),
                GroupRole("second", *BY["second"]),
                GroupRole("all", *LEAD),
                GroupRole("it", *ADMIN),
            )
        )
        accounts.invite(house.company.ines, f"{self.name}@people.example", [BY["invitation"], LEAD])
        self.client, _ = self.sign_in("first")
        self.id = actor_of(self.client).id
        house.provider.person(f"{self.name}-second", **somebody(f"{self.name}-second", "second", "all"))
        confirm(self.client, connect(house, self.client))
        self.second, _ = self.sign_in("second")
        pairs = accounts.person(self.id).roles
        accounts.change_roles(house.company.ines, self.id, {*pairs, REVIEWER}, by_hand=[REVIEWER, LEAD])
        assert self.sources() == {pair: {source} for source, pair in BY.items()} | {LEAD: {*BY}}

    def sign_in(self, which: str, *groups: str) -> tuple[FlaskClient, Any]:
        subject = self.name if which == "first" else f"{self.name}-{which}"
        told = somebody(subject, *(groups or (which, "all")), email=f"{self.name}@people.example")
        return sign_in(self.house, subject, **told)

    def sources(self) -> dict[tuple[str, str], set[str]]:
        words = {self.name: "first", f"{self.name}-second": "second", f"{self.name}-third": "third"}
        return {
            pair: {words.get(source, source) for source in sources}
            for pair, sources in grants(self.id).items()
        }

    def identity(self, which: str) -> str:
        subject = self.name if which == "first" else f"{self.name}-{which}"
        return next(one.id for one in identities.identities_of(self.id) if one.subject == subject)

    @property
    def actor(self) -> Actor:
        return accounts.persons.actor_of_person(self.id)


def test_each_way_that_a_source_ends_takes_what_it_alone_gave_and_nothing_else(house: House) -> None:
    ines, table = house.company.ines, BY

    def replaced(one: Somebody) -> None:
        assert sign_in(house, f"{one.name}-third", **somebody(one.name, "first"))[1].status_code == 403
        identities.replace(ines, one.id, f"{one.name}-third", one.identity("second"))

    def by_hand(pair: tuple[str, str]) -> Callable[[Somebody], None]:
        return lambda one: accounts.change_roles(ines, one.id, accounts.person(one.id).roles - {pair})

    def unmapped(one: Somebody) -> None:
        rules(groups=tuple(line for line in entry.current().groups if line.group != "second"))

    ends: dict[str, tuple[Callable[[Somebody], Any], str]] = {
        "the group goes": (lambda one: one.sign_in("second", "none"), "second"),
        "the claim is missing": (lambda one: sign_in(house, f"{one.name}-second"), "second"),
        "no line of the settings gives it": (unmapped, "second"),
        "the person disconnects it": (
            lambda one: identities.remove(one.actor, one.id, one.identity("second")),
            "second",
        ),
        "an administrator takes it off": (
            lambda one: identities.remove(ines, one.id, one.identity("second")),
            "second",
        ),
        "the identity is replaced": (replaced, "second"),
        "an administrator takes the role by hand": (by_hand(table["hand"]), "hand"),
        "an administrator takes the role of the invitation": (by_hand(table["invitation"]), "invitation"),
    }
    for way, (end, source) in ends.items():
        one = Somebody(house)
        others = {name: pair for name, pair in table.items() if name != source}
        of_all = {*table} - (
            {source} if source == "second" and way != "no line of the settings gives it" else set()
        )
        end(one)
        house.provider.change = lambda _, status, headers, body: (status, headers, body)
        assert one.sources() == {pair: {name} for name, pair in others.items()} | {LEAD: of_all}, way
        assert {team for _, team in accounts.person(one.id).roles} <= {*accounts.person(one.id).teams}, way
        gone = source == "second" and way in (
            "the person disconnects it",
            "an administrator takes it off",
            "the identity is replaced",
        )
        assert (one.second.get("/c").status_code == 303) is gone, way
        assert one.client.get("/c").status_code == 200, way
    one = Somebody(house)
    accounts.remove_person(ines, one.id, person_changes.CONFIRM)
    assert fetch(
        "select count(*) from console.role_source s where not exists (select from console.policy p where p.id = s.policy)"
    ) == [(0,)]
    assert (one.sources(), identities.identities_of(one.id), one.client.get("/c").status_code) == (
        {},
        [],
        303,
    )


def test_the_last_source_of_a_role_takes_it_along(house: House) -> None:
    one = Somebody(house)
    ines = house.company.ines
    identities.remove(ines, one.id, one.identity("second"))
    identities.remove(ines, one.id, one.identity("first"))
    assert one.sources()[LEAD] == {"hand", "invitation"}
    accounts.change_roles(ines, one.id, {REVIEWER})
    assert one.sources() == {REVIEWER: {"hand"}}


def test_a_team_that_somebody_is_in_by_hand_stays_when_a_group_gave_a_role_in_it(house: House) -> None:
    stan = house.company.stan
    person_changes.change_teams(house.company.ines, stan.id, add="operations")
    client = with_password(house, "stan")
    house.provider.person("stan-teams", **somebody("stan-teams", "ops", email="stan@fernwick.example"))
    confirm(client, connect(house, client))
    sign_in(house, "stan-teams", **somebody("stan-teams", "ops", email="stan@fernwick.example"))
    assert accounts.person(stan.id).roles >= {OPERATOR}
    sign_in(house, "stan-teams", **somebody("stan-teams", email="stan@fernwick.example"))
    assert (OPERATOR in accounts.person(stan.id).roles, "operations" in accounts.person(stan.id).teams) == (
        False,
        True,
    )
    person_changes.change_teams(house.company.ines, stan.id, drop="operations")
    identities.remove(house.company.ines, stan.id, identities.identities_of(stan.id)[0].id)


# --- the cases H03 and H34 ------------------------------------------------------------------------------------------------------


@contextmanager
def claims(house: House, change: Callable[[Claims], Claims]) -> Iterator[None]:
    """The signed token with other claims, and nothing of the groups when the provider is asked."""
    signed = signed_by_us(change)

    def changed(told: Received, status: int, headers: dict[str, str], body: bytes) -> Any:
        if told.path == "/me":
            return (
                status,
                headers,
                json.dumps(
                    {name: value for name, value in json.loads(body).items() if name != "groups"}
                ).encode(),
            )
        return signed(told, status, headers, body)

    house.provider.change = changed
    yield
    house.provider.change = lambda _, status, headers, body: (status, headers, body)


MARKS: dict[str, Claims] = {
    "hasgroups": {"hasgroups": True},
    "distributed": {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.example.test/groups"}},
    },
    "some told and marked": {"groups": ["choir"], "hasgroups": True},
}


@pytest.mark.parametrize("mark", MARKS)
def test_h03_groups_that_the_provider_withholds_leave_roles_as_they_are(house: House, mark: str) -> None:
    name = f"dora-{mark.replace(' ', '-')}"
    sign_in(house, name, **somebody(name, "ops", "leads"))
    known = person(name, house)
    assert known is not None
    changed, told = len(events("person_changed")), len(events("groups_withheld"))
    with claims(house, lambda claims: claims | MARKS[mark]):
        client, answer = sign_in(house, name, **somebody(name))
    assert answer.status_code == 303
    assert actor_of(client).roles == {OPERATOR, LEAD}
    assert len(events("person_changed")) == changed
    assert [event["person"] for event in events("groups_withheld")[told:]] == [known.id]
    assert "did not tell your groups" in client.get("/settings/me").text
    (mine,) = fetch(
        "select count(*) from console.notice where person = %s and kind = 'groups_withheld_own'", (known.id,)
    )
    (managers,) = fetch(
        "select count(*) from console.notice where by = %s and kind = 'groups_withheld' and person = %s",
        (known.id, house.company.ines.id),
    )
    assert (mine, managers) == ((1,), (1,))
    ines = with_password(house, "ines")
    for page in ("/settings/sign-in", f"/settings/people/{known.id}", f"/settings/sign-in/of/{known.id}"):
        assert "did not tell" in ines.get(page).text, page
    client, _ = sign_in(house, name, **somebody(name, "leads"))
    assert actor_of(client).roles == {LEAD}
    assert "did not tell" not in ines.get(f"/settings/people/{known.id}").text


def test_who_is_new_and_whose_groups_are_withheld_is_told_so(house: House) -> None:
    with claims(house, lambda claims: claims | MARKS["hasgroups"]):
        _, answer = sign_in(house, "dorothy", **somebody("dorothy"))
    assert answer.status_code == 403
    assert "did not tell your groups" in answer.text


def test_a_claim_that_is_missing_takes_roles_unless_the_setting_says_unchanged_and_nothing_else(
    house: House,
) -> None:
    sign_in(house, "enno", **somebody("enno", "ops", "leads"))
    known = person("enno", house)
    assert known is not None
    rules(groups_missing="unchanged")
    client, _ = sign_in(house, "enno")
    assert (actor_of(client).roles, actor_of(client).email, actor_of(client).name) == (
        frozenset({OPERATOR, LEAD}),
        known.email,
        known.name,
    )
    client, _ = sign_in(house, "enno", **somebody("enno", "leads"))
    assert actor_of(client).roles == {LEAD}  # a claim that is there counts
    rules(groups_missing="remove")
    _, answer = sign_in(house, "enno")
    assert (answer.status_code, accounts.person(known.id).roles, accounts.person(known.id).name) == (
        403,
        frozenset(),
        known.name,
    )
    assert client.get("/c").status_code == 303  # who has no role here any more is signed out


def test_h34a_who_disconnects_is_left_with_what_was_given_by_hand(house: House) -> None:
    stan = house.company.stan
    before = accounts.person(stan.id)
    client = with_password(house, "stan")
    house.provider.person("stan", **somebody("stan", "it", email="stan@fernwick.example"))
    confirm(client, connect(house, client))
    by_provider, _ = sign_in(house, "stan", **somebody("stan", "it", email="stan@fernwick.example"))
    assert actor_of(by_provider).roles == before.roles | {ADMIN}
    form = Page(client.get("/settings/me").text).form("/settings/me/disconnect")
    assert client.post(form["action"], data=form["fields"]).status_code == 303
    assert (accounts.person(stan.id).roles, accounts.person(stan.id).teams) == (before.roles, before.teams)
    assert by_provider.get("/c").status_code == 303
    assert client.get("/settings/me").status_code == 200
    assert identities.identities_of(stan.id) == []


def test_h34b_what_was_given_by_hand_stays_when_a_group_gave_it_too(house: House) -> None:
    tom = house.company.tom
    before = accounts.person(tom.id).roles
    rules(groups=tuple(GroupRole("ops", *pair) for pair in before))
    client = with_password(house, "tom")
    house.provider.person("tom-b", **somebody("tom-b", "ops", email="tom@fernwick.example"))
    confirm(client, connect(house, client))
    sign_in(house, "tom-b", **somebody("tom-b", "ops", email="tom@fernwick.example"))
    assert grants(tom.id) == {pair: {"hand", "tom-b"} for pair in before}
    client, answer = sign_in(house, "tom-b", **somebody("tom-b", email="tom@fernwick.example"))
    assert (answer.status_code, actor_of(client).roles) == (303, before)
    identities.remove(house.company.ines, tom.id, identities.identities_of(tom.id)[0].id)


def test_h34c_connecting_begins_by_a_form_of_ours_and_shows_whose_account_it_is(house: House) -> None:
    mona = house.company.mona
    client = with_password(house, "mona")
    house.provider.person("stranger", **somebody("stranger"))
    answer = client.get("/sign-in/oidc?for=link&next=/settings/me")
    assert answer.headers["Location"] == "/settings/me#company-account"
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/sign-in/oidc/connect", headers=headers).status_code == 403, headers
    asked = dict(parse_qsl(urlsplit(sent_to_connect(client)).query))
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    shown = connect(house, client)
    page = client.get(shown.headers["Location"]).text
    for words in ("Stranger Berg", "stranger@people.example", house.provider.issuer):
        assert words in page
    assert identities.identities_of(mona.id) == []  # as long as she has not said that it is hers
    other = with_password(house, "tom")
    assert other.get(shown.headers["Location"]).status_code == 409
    form = Page(page).form("/sign-in/oidc/connect/confirm")
    assert client.post(form["action"], data={"pending": form["fields"]["pending"]}).status_code == 403
    assert client.post(form["action"], data=form["fields"]).status_code == 303
    assert client.post(form["action"], data=form["fields"]).status_code == 409
    told = Page(client.get("/settings/me").text)
    assert "stranger@people.example" in told.text
    ines = with_password(house, "ines")
    for where in (f"/settings/people/{mona.id}", f"/settings/sign-in/of/{mona.id}"):
        listed = Page(ines.get(where).text)
        assert "stranger@people.example" in listed.text
    form = listed.form("/disconnect")
    assert ines.post(form["action"], data=form["fields"]).status_code == 303
    assert identities.identities_of(mona.id) == []


def test_connecting_with_a_provider_that_does_not_ask_anew_is_refused(house: House) -> None:
    client = with_password(house, "mona")
    house.provider.person("silent", **somebody("silent"))
    with claims(house, lambda claims: claims | {"auth_time": claims["iat"] - 3600}):
        answer = connect(house, client)
    assert (answer.status_code, "did not ask you" in answer.text) == (422, True)
    with claims(house, lambda claims: {name: value for name, value in claims.items() if name != "auth_time"}):
        assert connect(house, client).status_code == 303  # it need not tell: whose account it is is shown


def save_settings(client: FlaskClient) -> TestResponse:
    """Save the page of the settings as it stands; the lines of groups, which are not sent, stay."""
    form = Page(client.get("/settings/sign-in").text).form("/settings/sign-in")["fields"]
    return client.post(
        "/settings/sign-in",
        data={name: value for name, value in form.items() if name not in ("group", "role", "team")},
    )


@pytest.mark.parametrize("ago", [308, None, -3600])
def test_h34d_a_sign_in_at_which_the_provider_asked_nothing_is_no_fresh_proof(
    house: House, ago: int | None
) -> None:
    rules(step_up=True)
    name = f"ulla{ago}"

    def asked(claims: Claims) -> Claims:
        told = {name: value for name, value in claims.items() if name != "auth_time"} | {"groups": ["it"]}
        return told if ago is None else told | {"auth_time": claims["iat"] - ago}

    with claims(house, asked):
        client, _ = sign_in(house, name, **somebody(name, "it"))
    answer = save_settings(client)
    assert (answer.status_code, "Confirm it’s you" in answer.text) == (403, True)
    house.provider.person(name, **somebody(name, "it"))
    come_back(client, There(house.provider).walk(leave(client, "/settings/sign-in", "&for=step_up")))
    assert save_settings(client).status_code == 303


def test_h34d_who_was_just_asked_is_not_asked_again(house: House) -> None:
    rules(step_up=True)
    with claims(house, lambda claims: claims | {"groups": ["it"], "auth_time": claims["iat"] - 20}):
        client, _ = sign_in(house, "ulf", **somebody("ulf", "it"))
    assert save_settings(client).status_code == 303


def test_h34e_an_administrator_lets_an_account_that_was_made_anew_take_the_place_of_the_former(
    house: House,
) -> None:
    former, _ = sign_in(house, "eva-1", **somebody("eva", "ops", "leads"))
    eva = actor_of(former)
    _, answer = sign_in(house, "eva-2", **somebody("eva", "ops"))
    assert (answer.status_code, reasons()[-1]) == (403, "not_linked")
    assert "Settings, People" in answer.text
    assert "password" not in answer.text.lower()  # she has none
    ines = with_password(house, "ines")
    form = Page(ines.get(f"/settings/sign-in/of/{eva.id}").text).form("/replace-identity")
    assert form["fields"]["subject"] == "eva-2"
    assert with_password(house, "tom").post(form["action"], data=form["fields"]).status_code == 403
    assert ines.post(form["action"], data=form["fields"] | {"subject": "eva-3"}).status_code == 409
    (old,) = identities.identities_of(eva.id)
    assert ines.post(form["action"], data=form["fields"] | {"identity": old.id}).status_code == 303
    assert former.get("/c").status_code == 303
    assert accounts.person(eva.id).roles == frozenset()
    client, answer = sign_in(house, "eva-2", **somebody("eva", "ops"))
    assert (answer.status_code, actor_of(client).id, actor_of(client).roles) == (
        303,
        eva.id,
        frozenset({OPERATOR}),
    )
    assert [one.subject for one in identities.identities_of(eva.id)] == ["eva-2"]
    assert sign_in(house, "eva-1", **somebody("eva", "leads"))[1].status_code == 403
    assert "replace-identity" in ines.get(f"/settings/sign-in/of/{eva.id}").text
