"""The command line over a company at work: what each command prints, how it ends, and that what goes wrong is one line without a trace."""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from console import cli, log, runs, workflows
from console.auth import access, accounts
from console.auth.access import policy_store
from console.core.actor import Actor
from tests.company import DOCUMENT, Company


class Done(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


class Shell:
    """Somebody with the shell of the machine: commands as they are typed, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: str) -> Done:
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "argv", ["console", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self.capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, said.out, said.err)


@pytest.fixture(name="shell")
def fixture_shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line."""
    return Shell(monkeypatch, capsys)


WRONG: list[tuple[str, int, str]] = [
    # typed                                                                     status, said
    ("frobnicate", 2, "No such command"),
    ("run", 2, "Usage: console run"),
    ("run stop", 2, "No such command"),
    ("run start", 2, "Missing argument 'WORKFLOW'"),
    ("run start care-review", 2, "Missing argument 'COLLECTION'"),
    ("run start care-review customer", 2, "Missing argument 'KEY'"),
    ("run start care-review customer 1", 2, "Missing option '--user'"),
    ("run start care-review customer 1 --user", 2, "requires an argument"),
    ("run start care-review customer 1 2 --user olivia@fernwick.example", 2, "unexpected extra argument"),
    (
        "run start care-review customer 1 --user nobody@fernwick.example",
        1,
        "Nobody signs in as nobody@fernwick.example",
    ),
    ("run start no-such customer 1 --user olivia@fernwick.example", 1, "no published workflow no-such"),
    ("run start care-review account 1 --user olivia@fernwick.example", 1, "starts from a record of customer"),
    (
        "run start care-review customer 99 --user olivia@fernwick.example --input why=periodic",
        1,
        "nothing here",
    ),
    ("run start care-review customer 3 --user tom@fernwick.example --input why=periodic", 1, "nothing here"),
    (
        "run start care-review customer 1 --user rosa@fernwick.example --input why=periodic",
        1,
        "workflow.start",
    ),
    (
        "run start care-review customer 1 --user stan@fernwick.example --input why=periodic",
        1,
        "no published workflow",
    ),
    ("run start care-review customer 1 --user olivia@fernwick.example", 1, "input.why"),
    ("run start care-review customer 1 --user olivia@fernwick.example --input why=never", 1, "input.why"),
    (
        "run start care-review customer 1 --user olivia@fernwick.example --input why=periodic --input colour=red",
        1,
        "input.colour",
    ),
    ("user", 2, "Usage: console user"),
    ("user create", 2, "Missing argument 'EMAIL'"),
    ("user create ana@example.com --role lead", 2, "Missing option '--team'"),
    ("user create ana --role lead --team t", 1, "takes an e-mail address"),
    ("user create ana@example.com --role chief --team t", 1, "no role 'chief'"),
    ("user create ana@example.com --role lead --team !", 1, "letters and digits"),
    ("user create OLIVIA@fernwick.example --role lead --team t", 1, "olivia@fernwick.example already"),
    ("user password nobody@example.com", 1, "Nobody signs in as"),
    ("user disable nobody@example.com", 1, "Nobody signs in as"),
    ("user disable ines@fernwick.example", 1, "last admin"),
    ("user list everybody", 2, "unexpected extra argument"),
    ("apikey create", 2, "Missing argument 'NAME'"),
    ("apikey create k --user nobody@example.com", 1, "Nobody signs in as"),
    ("apikey create k --user olivia@fernwick.example --expires soon", 2, "90d, 12h or 8w"),
    ("apikey create k --user olivia@fernwick.example --expires 366d", 1, "a year at most"),
    ("apikey revoke key_nobody", 1, "nothing here"),
    ("policy export all", 2, "unexpected extra argument"),
    ("policy import", 2, "Missing argument 'FILE'"),
    ("policy import nothing.csv", 2, "does not exist"),
    ("policy check nothing.csv", 2, "does not exist"),
    ("policy why olivia@fernwick.example start collection:customer", 1, "collection knows"),
    ("policy why nobody@example.com read collection:customer", 1, "Nobody signs in as"),
    ("policy why olivia@fernwick.example read collection:customer 99", 1, "nothing here"),
    ("seal --fast", 2, "No such option"),
    ("source inspect nothing", 1, "nothing"),
    ("source refresh nothing", 1, "nothing"),
    ("source add company sqlite:///x.db", 1, "company"),
    ("source add Bad! sqlite:///x.db", 1, ""),
    ("source add other nonsense", 1, ""),
    ("source add other sqlite:////no/such/folder/x.db", 1, ""),
    ("workflow export no-such", 1, "There is no workflow no-such"),
    ("workflow publish no-such", 1, "no draft"),
    ("workflow import /no/such/file.json", 1, "cannot be read"),
    ("workflow check", 2, "Missing argument 'FILES"),
    ("demo load --again", 2, "No such option"),
]


def test_what_goes_wrong_is_told_in_few_words_and_changes_nothing(company: Company, shell: Shell) -> None:
    def state() -> tuple[object, ...]:
        return (
            runs.find(company.mona),
            accounts.people(),
            set(access.all_rows()),
            workflows.all_known(),
            len(log.events_of("sys:config")),
        )

    before = state()
    for typed, status, told in WRONG:
        done = shell(*typed.split())
        assert done.status == status, (typed, done)
        assert told.lower() in (done.out + done.err).lower(), (typed, done)
        if status == 1:
            assert done.out == "", (typed, done)
            assert done.err.startswith(("console: ", "Error: ")), (typed, done)
            assert all(line.startswith("  ") for line in done.err.splitlines()[1:]), (typed, done)
    assert state() == before


def test_a_run_is_started_in_the_name_of_a_person(company: Company, shell: Shell) -> None:
    done = shell(
        "run",
        "start",
        "care-review",
        "customer",
        "1",
        "--user",
        "Olivia@Fernwick.example",
        "--input",
        "why=periodic",
    )
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(r"run_[0-9a-z]{26}\n", done.out)
    told = company.told(done.out.strip())
    assert (told["holder"], told["started_by"], told["current"]["step"]) == (
        company.olivia.id,
        company.olivia.id,
        "read",
    )
    assert told["context"]["start"] == {"why": "periodic"}
    first = log.events_of(told["id"])[0]
    assert (first.body["actor"]["id"], first.body["actor"]["session"]) == (
        company.olivia.id,
        f"cli:{company.olivia.id}",
    )
    again = shell(
        "run",
        "start",
        "care-review",
        "customer",
        "1",
        "--user",
        "tom@fernwick.example",
        "--input",
        "why=event",
    )
    assert (again.status, again.out) == (1, "")
    assert "already ongoing" in again.err
    assert shell("user", "disable", "tom@fernwick.example").status == 0
    closed = shell(
        "run",
        "start",
        "care-review",
        "customer",
        "2",
        "--user",
        "tom@fernwick.example",
        "--input",
        "why=event",
    )
    assert (closed.status, closed.out) == (1, "")
    assert "closed" in closed.err


def test_a_person_and_their_key_from_the_first_to_the_last_day(company: Company, shell: Shell) -> None:
    made = shell(
        "user",
        "create",
        "ana@example.com",
        "--role",
        "operator",
        "--team",
        "Operations",
        "--name",
        "Ana Ilić",
    )
    told = re.fullmatch(r"ana@example\.com  (\S+)  Ana Ilić, operator, operations\n", made.out)
    assert told is not None
    assert accounts.sign_in("ana@example.com", told[1], "127.0.0.1", "test")
    key = shell("apikey", "create", "nightly", "--user", "ana@example.com", "--expires", "1h")
    assert (key.status, key.err) == (0, "")
    actor = accounts.actor_of_key(key.out.strip())
    assert isinstance(actor, Actor)
    assert (actor.kind, actor.name, actor.roles) == (
        "key",
        "Ana Ilić",
        frozenset({("operator", "operations")}),
    )
    assert "ana@example.com  Ana Ilić  operator in operations\n" in shell("user", "list").out
    new = shell("user", "password", "ana@example.com").out.split()[1]
    assert accounts.sign_in("ana@example.com", told[1], "127.0.0.2", "test") is None
    assert accounts.sign_in("ana@example.com", new, "127.0.0.3", "test")
    assert shell("apikey", "revoke", str(actor.key_id)).status == 0
    assert shell("apikey", "revoke", str(actor.key_id)).status == 1
    assert accounts.actor_of_key(key.out.strip()) is None
    assert shell("user", "disable", "ana@example.com") == (0, "ana@example.com can no longer sign in\n", "")
    assert accounts.sign_in("ana@example.com", new, "127.0.0.4", "test") is None
    assert shell("apikey", "create", "late", "--user", "ana@example.com").status == 1
    kinds = [event.type for event in log.events_of("sys:config")]
    assert kinds[-6:].count("key_created") == 1
    said = str([event.body for event in log.events_of("sys:config")])
    assert not any(
        secret in said for secret in (told[1], new, key.out.strip(), "Ana Ilić", "ana@example.com")
    )


def test_the_policy_that_is_exported_is_the_one_in_use_and_reads_back(company: Company, shell: Shell) -> None:
    access.grant(
        "operator",
        "collection:account",
        ["export"],
        "record.status == 'open' && record.iban != \"a,b\"",
        team="operations",
    )
    done = shell("policy", "export")
    assert done.status == 0
    rows = access.parse(done.out)
    assert set(rows) == set(access.all_rows())
    assert len(rows) == len(set(rows))
    assert access.export(rows) == done.out, "and the same file again"
    index = access.Index(rows)
    for who in company.people.values():
        for obj, act in [
            ("workflow:care-review", "start"),
            ("collection:customer", "read"),
            ("collection:account", "export"),
            ("policy", "manage"),
        ]:
            ours, used = (
                each.verdict(f"user:{who.id}", None, obj, act)
                for each in (index, policy_store.current().index)
            )
            told = [(each.free, each.barred, len(each.allow), len(each.deny)) for each in (ours, used)]
            assert told[0] == told[1], (who.name, obj)


def test_a_workflow_goes_out_and_in_again_byte_for_byte(
    company: Company, shell: Shell, tmp_path: Path
) -> None:
    first = shell("workflow", "export", "care-review")
    assert first.status == 0
    file = tmp_path / "care.json"
    file.write_text(first.out, encoding="utf-8")
    assert shell("workflow", "check", str(file)) == (0, f"{file}: fine\n", "")
    assert shell("workflow", "check", str(file), "--sources").out == f"{file}: fine\n"
    assert (
        shell("workflow", "import", str(file), "--publish").out
        == "care-review  Care review  version 1 is live\n"
    ), "the same bytes"
    document = json.loads(first.out) | {"title": "Care review, anew"}
    file.write_text(json.dumps(document, indent=2), encoding="utf-8")
    assert shell("workflow", "import", str(file)).out == "care-review  Care review, anew  version 1 is live\n"
    assert shell("workflow", "export", "care-review").out == first.out, (
        "the live version, until it is published"
    )
    done = shell("workflow", "publish", "care-review")
    assert re.fullmatch(r"care-review  version 2 is live  \S+\n", done.out)
    second = shell("workflow", "export", "care-review")
    assert json.loads(second.out)["title"] == "Care review, anew"
    assert workflows.live("care-review").hash == done.out.split()[-1]
    bad = document | {"steps": DOCUMENT["steps"][:-1]}
    file.write_text(json.dumps(bad), encoding="utf-8")
    refused = shell("workflow", "check", str(file))
    assert (refused.status, refused.out.count("\n") >= 1) == (1, True)
    assert shell("workflow", "import", str(file), "--publish").status == 1
    assert workflows.live("care-review").number == 2


def test_sources_are_listed_without_what_opens_them(company: Company, shell: Shell) -> None:
    done = shell("source", "list")
    assert done.status == 0
    assert re.fullmatch(r"company  sqlite  \S+  2 collections\n", done.out)
    seen = shell("source", "inspect", "company").out
    assert "customer  Customers (table; id)" in seen
    assert "    display_name: text, Display name" in seen
    company.sql("alter table customer add column phone text")
    company.sql("create table note (id integer primary key)")
    changed = shell("source", "inspect", "company").out
    assert "console source refresh company" in changed
    assert shell("source", "refresh", "company").out == "3 collections of company\n"
    assert "phone" in shell("source", "inspect", "company").out
