"""Settings that were read before anybody looked for secrets among them."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from console import records, sources
from console.core.documents.collections import named_secrets
from console.db import tables
from console.db.engine import transaction
from tests.sources.test_sources import made


@pytest.mark.parametrize(("held", "hidden"), [("smtppass", True), ("theme", False)])
def test_settings_read_before_anybody_looked_for_secrets_are_hidden_until_a_worker_has_looked(
    clean: object, tmp_path: Path, held: str, hidden: bool
) -> None:
    file = tmp_path / "shop.db"
    sources.add(
        "shop",
        made(
            file, f"create table config (id integer primary key, name text, value text); insert into config values (1, '{held}', 'hunter2')"
        ),
    )
    kept = tables.collection
    with transaction() as connection:
        structure = connection.execute(sa.select(kept.c.structure)).scalar_one()
        for column in structure["columns"]:
            column.pop(named_secrets.SOUGHT, None)
            column.pop("form", None)
        connection.execute(sa.update(kept).values(structure=structure))
    records.forget()
    value = records.collection("shop.config").by_name["value"]
    assert value.hidden
    assert value.hidden_because == named_secrets.NOT_LOOKED
    moved = file.rename(tmp_path / "away.db")
    assert sources.seek_secrets() == 0, "the file is away"
    moved.rename(file)
    assert sources.seek_secrets() == 1
    value = records.collection("shop.config").by_name["value"]
    assert (value.hidden, value.hidden_because != named_secrets.NOT_LOOKED) == (hidden, True)
    assert sources.seek_secrets() == 0
    assert not sources.difference("shop").changes
