"""`console policy import`, `check` and `why` over the small company."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import permissions
from console.auth import access
from console.commands.policy import policy
from tests.company import Company


def run(*words: str) -> Result:
    """The command, as it is typed."""
    return CliRunner().invoke(policy, words)


@pytest.fixture
def file(company: Company, tmp_path: Path) -> Path:
    """The rights in force as a file."""
    path = tmp_path / "roles.csv"
    path.write_text(
        "".join(
            line for line in run("export").output.splitlines(keepends=True) if not line.startswith("g,user:")
        )
    )
    return path


def changed(file: Path, *, drop: str = "", add: str = "") -> Path:
    """The file without the lines that hold `drop`, and with one more."""
    kept = [line for line in file.read_text().splitlines(keepends=True) if not drop or drop not in line]
    file.write_text("".join([*kept, add + "\n"]))
    return file


def test_a_file_is_compared_tried_and_published_as_one_version(company: Company, file: Path) -> None:
    before = access.current_version()
    told = run("import", str(file), "--dry-run")
    assert told.output == "0 to come, 0 to go; something changes for 0 of 7 people\n"
    assert run("import", str(file)).exception is not None
    changed(
        file,
        drop="p,role:reviewer,t:operations,collection:",
        add="p, role:reviewer, t:operations, collection:account, browse export, allow, true && record.status == 'open'",  # reviewers may read no customers any more
    )
    told = run("import", str(file), "--dry-run")
    assert (
        "+ p, role:reviewer, t:operations, collection:account, export, allow, true && record.status == 'open'"
        in told.output
    )
    assert "- p, role:reviewer, t:operations, collection:account, browse, allow" in told.output
    assert "  export Accounts: 1 more, 0 less, 0 otherwise" in told.output
    assert access.current_version() == before
    told = run("import", str(file), "--note", "Accounts for reviewers")
    assert told.output.endswith(f"published as version {before + 1}\n")
    assert access.can(company.rosa, None, "collection:account", "export", {"status": "open"})
    assert access.roles_of(company.olivia.id) == {("operator", "operations")}
    (version, *_) = permissions.versions(company.ines)
    assert (version.by, version.note) == ("sys_cli", "Accounts for reviewers")


def test_a_file_after_which_nobody_could_give_rights_is_refused(company: Company, file: Path) -> None:
    before = set(access.all_rows())
    refused = run("import", str(changed(file, drop="policy")))
    assert refused.exception is not None
    assert "nobody could change the rights" in str(refused.exception)
    file.write_text("g, user:usr_1, role:admin, *\n")
    assert "holds no rule" in str(run("import", str(file)).exception)
    assert set(access.all_rows()) == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("p, role:x, t:nowhere, collection:customer, read, allow", "there is no team nowhere"),
        ("p, role:x, *, collection:nothing, read, allow", "there is no collection nothing"),
        ("p, role:x, *, action:a.b, execute, allow", "there is no action a.b"),
        ("p, role:x, *, collection:customer, read, allow, record.nothing == 1", "nothing"),
        ("p, role:x, *, activity, read, allow, run.holder == 'a'", "not at run"),
        ("g, role:x, role:ghost, *", "the role ghost has no rule"),
    ],
)
def test_check_names_what_is_wrong(company: Company, tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "roles.csv"
    file.write_text("p, role:admin, *, policy, manage, allow\n" + line + "\n")
    found = run("check", str(file))
    assert told in found.output
    assert found.exception is not None
    file.write_text("p, role:admin, *, policy, manage, allow\n")
    assert run("check", str(file)).output == "roles.csv: 1 rows, nothing wrong\n"
    file.write_text("p, role:admin, *, policy, mange, allow\n")
    assert "line 1" in str(run("check", str(file)).exception)


def test_why_says_who_may_what_and_which_rule_decided(company: Company) -> None:
    told = run("why", "tom@fernwick.example", "read", "collection:customer", "3").output
    assert told.startswith("Tom may not read Customers: no condition of a rule holds.\n")
    assert "record.desk = corporate" in told
    told = run("why", "mona@fernwick.example", "see", "workflow:care-review").output
    assert "decided by p, role:lead, *, workflow:*, see, allow" in told
