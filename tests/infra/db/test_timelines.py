"""A primary of an older timeline than one that was seen is refused; another cluster, and one that was put back on purpose, are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.infra.db import dump, engine, timelines, troubles
from console.operations import health
from tests.conftest import Database


@pytest.fixture
def file(
    clean: Database, tmp_path: Path, given_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Path:
    del clean
    address = dump.libpq(engine.app_url())
    given_settings(DATABASE_URL=address, CONSOLE_DATA_DIR=str(tmp_path))
    monkeypatch.setattr(timelines, "_seen", {})
    engine.dispose()
    return tmp_path / timelines.FILE


def cluster() -> str:
    with timelines.connect_url(engine.app_url()) as connection:
        row = connection.execute("select system_identifier::text from pg_control_system()").fetchone()
    assert row is not None
    return str(row[0])


def test_an_older_timeline_than_was_seen_is_refused_until_it_is_forgotten(file: Path) -> None:
    name = cluster()
    assert not file.exists()  # nothing was ever promoted
    file.write_text(f"{name} 2\n{name} 3\n")
    engine.dispose()
    assert [trouble.code for trouble in health.examine().troubles] == ["stale_primary"]
    with pytest.raises(timelines.StalePrimary) as refused, engine.borrowed():
        pass
    assert troubles.trouble_of(refused.value) is troubles.STALE
    with pytest.raises(timelines.StalePrimary):
        timelines.pinned(engine.migration_url())
    file.unlink()
    timelines._seen.clear()  # as a process that is started anew
    assert engine.fetch("select 1") == [(1,)]


def test_what_another_cluster_has_gone_through_says_nothing_of_this_one(file: Path) -> None:
    file.write_text(f"{int(cluster()) + 1} 9\n")
    assert engine.fetch("select 1") == [(1,)]
