"""`console secret` as somebody at a shell uses it, and the same by program: a secret goes in, and never comes out."""

import json
import os

import psutil
import pytest
from click.testing import CliRunner

from console import workflows
from console.commands.secret import secret
from console.core.errors import Invalid, NotFound
from console.infra import settings
from console.infra.outbound import outgoing_secrets
from console.infra.processes import supervisor
from tests.company import Company
from tests.conftest import web_app
from tests.views.test_webhook_pages import key

TEXT = "sk_live_9876543210"
HOSTS = ["--hosts", "api.bank.example,api2.bank.example"]
PLACE = "/api/v1/secrets"


def test_set_from_the_standard_input_listed_without_it_and_deleted(company: Company) -> None:
    shell = CliRunner()
    assert shell.invoke(secret, ["set", "bank", *HOSTS], input="").exit_code == 2
    assert isinstance(shell.invoke(secret, ["set", "bank", *HOSTS], input="short\n").exception, Invalid)
    assert shell.invoke(secret, ["set", "bank", *HOSTS], input=f"{TEXT}\n").output == "bank is set\n"
    assert outgoing_secrets.for_address("bank", "https://api2.bank.example") == TEXT
    assert shell.invoke(secret, ["set", "bank", "--hosts", "api.bank.example", "--keep"]).exit_code == 0
    assert shell.invoke(secret, ["list"]).output == "bank  api.bank.example  not used\n"
    assert isinstance(shell.invoke(secret, ["set", "bank", *HOSTS, "--keep"]).exception, Invalid), (
        "another host needs it once more"
    )
    assert shell.invoke(secret, ["delete", "bank"]).output == "bank is removed\n"
    assert isinstance(shell.invoke(secret, ["delete", "bank"]).exception, NotFound)


@pytest.mark.parametrize("who", ["olivia", "mona", "stan", "ada", "rosa"])
def test_by_program_nobody_without_the_right_sees_sets_or_removes_one(company: Company, who: str) -> None:
    client, headers = web_app().test_client(), key(company.people[who])
    calls = (
        client.get(PLACE, headers=headers),
        client.put(f"{PLACE}/bank", json={"value": TEXT, "hosts": ["a.example"]}, headers=headers),
        client.delete(f"{PLACE}/bank", headers=headers),
    )
    assert [call.status_code for call in calls] == [403, 403, 403]
    assert outgoing_secrets.all_secrets() == []


def test_by_program_it_is_set_and_no_answer_holds_it(company: Company) -> None:
    client, headers = web_app().test_client(), key(company.people["ines"])
    made = client.put(f"{PLACE}/bank", json={"value": TEXT, "hosts": ["api.bank.example"]}, headers=headers)
    listed = client.get(PLACE, headers=headers)
    assert (
        made.status_code,
        made.get_json()["hosts"],
        [one["name"] for one in listed.get_json()["data"]],
    ) == (
        200,
        ["api.bank.example"],
        ["bank"],
    )
    assert TEXT not in made.text + listed.text
    elsewhere = client.put(
        f"{PLACE}/bank", json={"hosts": ["api.bank.example", "mine.example"]}, headers=headers
    )
    assert (elsewhere.status_code, elsewhere.get_json()["details"][0]["field"]) == (422, "value")
    assert [client.delete(f"{PLACE}/bank", headers=headers).status_code for _ in range(2)] == [204, 404]


def test_a_command_line_knows_the_secrets_of_what_serves_from_its_folder(company: Company) -> None:
    """The demo gives its provider's secret to the processes that it starts, and to no command line: `check --sources` warned of two shipped files."""
    folder = settings.current().data_dir
    (folder / "serving").mkdir(parents=True, exist_ok=True)
    note = {
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "folder": supervisor.identity(folder),
        "secrets": ["bank"],
    }
    file = folder / "serving" / f"{os.getpid()}.json"
    assert "bank" not in (workflows.validation_context().secrets or ())
    file.write_text(json.dumps(note))
    try:
        assert "bank" in (workflows.validation_context().secrets or ())
    finally:
        file.unlink()
