"""Backup and restore: the whole path."""

from pathlib import Path

from console import backup, privacy, restore, runs
from console.core.actor import Actor
from tests.company import Company

CLI = Actor("system", "sys_cli", "Command line", session="sys:config")


def test_path(company: Company, tmp_path: Path) -> None:
    company.finished("1")
    open_run = company.at("note", "2")
    made = backup.write(CLI, tmp_path / "b.zip")
    print(made)
    company.finished("3")
    privacy.erase(company.ines, "customer", "1", "asked")
    done = restore.restore(CLI, tmp_path / "b.zip", replace=True, agree=lambda words: print(words) or True)
    print(done)
    company.answer(open_run)
    assert list(runs.rebuild(check=True)) == []
