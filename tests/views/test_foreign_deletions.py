"""What deleting a record of a user's own database brings with it is told as that database does it, also for what hangs on what is deleted."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.auth import access
from console.auth.access import policy_store
from console.infra.db.engine import transaction
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

TABLES = """
create table thing (id integer primary key, name varchar(20));
create table piece (thing_id integer, pos integer, primary key (thing_id, pos), foreign key (thing_id) references thing (id) on delete cascade);
create table mark (id integer primary key, thing_id integer, pos integer, foreign key (thing_id, pos) references piece (thing_id, pos) on delete cascade);
create table bill (id integer primary key, thing_id integer, pos integer, foreign key (thing_id, pos) references piece (thing_id, pos) on delete restrict);
create table secret (id integer primary key, thing_id integer, foreign key (thing_id) references thing (id) on delete cascade);
insert into thing values (1, 'Billed'), (2, 'Marked'), (3, 'Bare');
insert into piece values (1, 1), (2, 1), (2, 2);
insert into mark values (1, 2, 1), (2, 2, 2), (3, 2, 2);
insert into bill values (1, 1, 1)
"""


@pytest.fixture(params=KINDS)
def falling(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Things with pieces, on which marks hang that go with them, and bills that keep them; and secrets, which nobody may open."""
    with connected(request, pages, tmp_path, "falling", TABLES.split(";")) as found:
        access.grant("operator", f"collection:{found.name}.thing", ["delete"], "", team="operations")
        access.refresh()
        yield found


def test_what_hangs_on_deleted_records_is_counted_and_what_keeps_them_is_named(falling: Odd) -> None:
    olivia = falling.pages.olivia
    page = olivia.get(f"{falling.things}/2/delete")
    assert "2 records of Piece will be deleted with it" in page.text
    assert "3 records of Mark refer to Piece and will be deleted too" in page.text
    assert "Bill" not in page.text.replace("Billed", "")
    billed = olivia.get(f"{falling.things}/1/delete")
    assert "1 record of Bill refers to Piece: the database refuses while that is so" in billed.text
    refused = olivia.send(billed, f"{falling.things}/1/delete", status=409)
    assert (
        "or to what would be deleted with it: delete or change them first. Nothing was deleted."
        in refused.text
    )
    assert "constraint" not in refused.text.lower()
    olivia.send(page, f"{falling.things}/2/delete")
    assert "was deleted" in olivia.follow().text


def test_that_unseen_records_can_be_deleted_too_is_said(falling: Odd) -> None:
    olivia = falling.pages.olivia
    assert "may not see" not in olivia.get(f"{falling.things}/3/delete").text
    with transaction() as connection:
        policy_store.write(
            connection,
            added=access.parse(f"p, role:operator, *, collection:{falling.name}.secret, browse, deny"),
        )
    access.refresh()
    page = olivia.get(f"{falling.things}/3/delete")
    assert "Records that you may not see can be deleted with it." in page.text
    assert "secret" not in page.text.lower()
