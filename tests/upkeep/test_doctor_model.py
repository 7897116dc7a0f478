"""The doctor looks at the model that was chosen in the console, where the environment names none."""

import sqlalchemy as sa

from console.db.engine import transaction
from console.proposals.settings_document import Options
from console.upkeep import doctor, doctor_model
from tests.company import Company
from tests.servers import model

_SAVED = sa.text(
    "insert into console.ai_setting (version, at, by, note, document) values"
    " ((select coalesce(max(version), 0) + 1 from console.ai_setting), now(), 'usr_x', '', cast(:document as jsonb))"
)


def saved(**changes: object) -> None:
    """A document of settings as the pages would have kept it."""
    document = Options.model_validate(changes, by_name=True).model_dump_json()
    with transaction() as connection:
        connection.execute(_SAVED, {"document": document})


def test_at_first_rules_propose(company: Company) -> None:
    check = doctor_model.chosen_model()
    assert (check.ok, check.message, bool(check.fix)) == (True, "none is set: rules propose what is certain", True)


def test_a_model_that_was_chosen_is_looked_at(company: Company) -> None:
    with model.serving() as server:
        saved(provider="openai_compatible", model="local-model", base_url=server.chat_url)
        hidden = doctor_model.chosen_model()
        assert server.requests == [], "a host of the own network has to be named by who runs the machine"
    assert (hidden.ok, "CONSOLE_PRIVATE_HOSTS" in hidden.fix) == (False, True)


def test_switched_off_it_says_why(company: Company) -> None:
    saved(on=False, reason="the contract ended")
    check = doctor_model.chosen_model()
    assert (check.ok, "the contract ended" in check.message) == (True, True)


def test_the_whole_examination_names_the_model_once(company: Company) -> None:
    assert [check["name"] for check in doctor.examine()["checks"]].count("model") == 1
