"""No column of a file is taken for consent by itself: a person chooses it, says what its words mean, and is asked no second time for the same headings."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from console.auth import access
from console.core.errors import Invalid
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches, imports
from console.messaging.imports.import_batches import Import
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messaging.contacts.test_opted_out_lines import club, given
from tests.views.test_contact_import import why

__all__ = ["club"]

pytestmark = pytest.mark.lengthy
HEAD = "name,email,stage,SMS consent,Consent source,Consent date\n"
BO, EVA = "Bo,bo@post.example,new,yes,fair,2026-05-01\n", "Eva,eva@post.example,new,Ja,fair,2026-05-01\n"


def kept(company: Company, text: str) -> Import:
    return import_batches.keep(company.olivia, "contact", io.BytesIO(text.encode()))


def again(
    company: Company, found: Import, columns: Mapping[str, str], meanings: Mapping[str, Mapping[str, str]]
) -> Import:
    asked = replace(found.question, columns={**found.question.columns, **columns}, meanings=meanings)
    return import_batches.look_again(company.olivia, found.id, asked)


@pytest.mark.parametrize(
    "heading",
    [
        "SMS consent",
        "Newsletter",
        "Accepts SMS marketing",
        "Opted in",
        "Unsubscribed",
        "Do not call",
        "Status",
    ],
)
def test_no_heading_makes_a_column_one_of_consent(company: Company, heading: str) -> None:
    found = kept(
        company,
        f"name,email,stage,{heading}\nBo,bo@post.example,new,yes\nCy,cy@post.example,new,unsubscribed\n",
    )
    assert (found.question.columns, found.new, found.consents) == (
        {"0": "name", "1": "email", "2": "stage"},
        2,
        0,
    )


def test_only_the_words_that_a_person_says_mean_yes_give_a_consent(company: Company) -> None:
    chosen = again(company, kept(company, HEAD + BO + EVA), {"3": "consent:sms"}, {})
    assert (chosen.new, chosen.consents, chosen.words, chosen.unknown) == (
        2,
        0,
        {"3": {"yes": 1, "Ja": 1}},
        {"3": {"yes": 1, "Ja": 1}},
    )
    said = again(company, chosen, {}, {"3": {"YES": "yes"}})
    assert (said.new, said.consents, said.words["3"], said.unknown) == (
        2,
        1,
        {"yes": 1, "Ja": 1},
        {"3": {"Ja": 1}},
    )
    import_batches.confirm(company.olivia, said.id)
    assert (given("7"), given("8")) == ({"sms"}, set())


def test_a_consent_is_given_by_no_word_that_nobody_has_named(company: Company) -> None:
    with pytest.raises(Invalid) as refused:
        import_batches.send(
            company.olivia,
            "contact",
            io.BytesIO((HEAD + BO).encode()),
            headings={"SMS consent": "consent:sms"},
            match=None,
            change=False,
            same={},
            preview=True,
            meanings={"SMS consent": {"*": "yes"}},
        )
    assert [each["field"] for each in refused.value.details] == ["meanings.SMS consent.*"]
    said = again(company, kept(company, HEAD + BO), {"3": "consent:sms"}, {"3": {"*": "yes"}})
    assert (said.new, said.consents) == (1, 0)


def test_words_of_a_column_about_opting_out_wait_for_what_they_mean(company: Company) -> None:
    text = "name,email,stage,Reason\nBo,bo@post.example,new,Too many mails\nCy,cy@post.example,new,\nDi,di@post.example,new,still here\n"
    chosen = again(company, kept(company, text), {"3": "optout:every"}, {})
    assert (chosen.new, chosen.opted_out, sorted(why(chosen))) == (1, 0, [2, 4])
    said = again(company, chosen, {}, {"3": {"still here": "no", "*": "opted out"}})
    assert (said.new, said.opted_out, said.unknown) == (3, 1, {})


def test_what_was_confirmed_is_remembered_for_the_same_headings_of_the_same_person(company: Company) -> None:
    said = again(company, kept(company, HEAD + BO), {"3": "consent:sms"}, {"3": {"yes": "yes"}})
    assert not kept(company, HEAD + EVA).question.as_before, "a look alone confirms nothing"
    import_batches.confirm(company.olivia, said.id)
    next_one = kept(company, HEAD + BO.replace("bo@", "bo2@"))
    assert (next_one.question.as_before, next_one.consents, next_one.question.columns) == (
        True,
        1,
        said.question.columns,
    )
    assert kept(company, HEAD.replace("stage", "status") + BO).consents == 0
    assert kept(company, BO).question.as_before is False
    assert b"consent" not in b"".join(
        bytes(row[0]) for row in fetch("select ct from console.import_mapping")
    ), "it is sealed"


def test_what_one_person_confirmed_is_not_said_for_another(company: Company) -> None:
    access.grant("reviewer", "collection:contact", ["create", "update"], team="operations")
    access.grant("reviewer", "collection:consent", ["create"], team="operations")
    said = again(company, kept(company, HEAD + BO), {"3": "consent:sms"}, {"3": {"yes": "yes"}})
    import_batches.confirm(company.olivia, said.id)
    assert not import_batches.keep(
        company.rosa, "contact", io.BytesIO((HEAD + EVA).encode())
    ).question.as_before


def test_what_is_remembered_and_no_longer_possible_is_left_out(company: Company) -> None:
    said = again(company, kept(company, HEAD + BO), {"3": "consent:sms"}, {"3": {"yes": "yes"}})
    import_batches.confirm(company.olivia, said.id)
    named = [
        name for name, _ in imports.choices(company.olivia, imports.importable(company.olivia, "contact"))
    ]
    assert "consent:sms" in named
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            imports, "choices", lambda *_: [(name, name) for name in named if name != "consent:sms"]
        )
        assert kept(company, HEAD + EVA).question.meanings == {}


def test_an_import_that_version_0_5_began_goes_on_and_loses_nothing_that_was_confirmed(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        HEAD.replace("\n", ",Unsubscribed\n")
        + BO.replace("\n", ",no\n")
        + EVA.replace("\n", ",\n")
        + BO.replace("o@", "u@").replace("\n", ",yes\n")
    )
    chosen = again(company, kept(company, text), {"3": "consent:sms", "6": "optout:every"}, {})
    stored = {
        name: value
        for name, value in chosen.question.to_json().items()
        if name not in ("explicit", "as_before")
    }
    rewrite(company, chosen.id, stored)
    former = import_batches.get(company.olivia, chosen.id)
    assert former.question == replace(chosen.question, explicit=False)
    done = import_batches.confirm(company.olivia, chosen.id)
    work_until_idle({"import_contacts"})
    done = import_batches.get(company.olivia, done.id)
    assert (done.new, done.consents, done.opted_out, done.refused) == (2, 1, 1, 1)
    assert why(done) == {3: ["“Ja” says neither that they agreed nor that they did not: say what it means."]}
    assert given("7") == {"sms"}


def rewrite(company: Company, ident: str, question: Mapping[str, Any]) -> None:
    sealed = import_batches.IMPORTS.seal(ident, company.olivia.id, orjson.loads(orjson.dumps(question)))
    fetch(
        "update console.enrolment_batch set kid = %(kid)s, nonce = %(nonce)s, ct = %(ct)s where id = %(id)s returning 1",
        sealed | {"id": ident},
    )


def test_columns_that_may_be_about_consent_are_looked_at_before_everybody_is_said_to_have_agreed(
    company: Company,
) -> None:
    lines = b"name,email,stage,GDPR,Opt-out,MEMBER_RATING\nBo,bo@post.example,new,yes,x,2\n"
    found = import_batches.keep(company.olivia, "contact", io.BytesIO(lines))
    assert imports.unused_columns(found.question, company.olivia.id) == (
        ["GDPR", "Opt-out", "MEMBER_RATING"],
        ["GDPR", "Opt-out"],
    )

    def send(told: dict[str, str]) -> Import:
        same = {"everyone": ["sms"], "source": "fair"}
        meanings = {"Opt-out": {"x": "opted out"}} if "Opt-out" in told else {}
        return import_batches.send(
            company.olivia,
            "contact",
            io.BytesIO(lines),
            headings=told,
            match=None,
            change=False,
            same=same,
            preview=True,
            meanings=meanings,
        )

    with pytest.raises(Invalid) as refused:
        send({"GDPR": ""})
    assert [each["field"] for each in refused.value.details] == ["columns.Opt-out"]
    assert send({"GDPR": "", "Opt-out": "optout:every"}).opted_out == 1


def test_a_column_of_telephone_numbers_is_known_by_its_cells(company: Company) -> None:
    found = kept(company, "name,reach,stage\nBo,+46 70 123 45 67,new\nCy,+44 20 7946 0780,new\n")
    assert found.question.columns["1"] == "phone"
    assert "1" not in kept(company, "name,number,stage\nBo,4711,new\n").question.columns
