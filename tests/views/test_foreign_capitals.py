"""References of MySQL, which leaves capitals out of account: a foreign key holds for a text that is spelled otherwise than the key that it leads to."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.views.foreign import connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

STATEMENTS = [
    "create table insurer (code varchar(10) primary key, name varchar(40) not null) default charset utf8mb4 collate utf8mb4_general_ci",
    (
        "create table thing (id int primary key, name varchar(40), insurer varchar(10), foreign key (insurer) references insurer (code)) default charset utf8mb4"
        " collate utf8mb4_general_ci"
    ),
    "insert into insurer values ('AOK', 'Rhineland Fund'), ('TK', 'Engineers Fund')",
    "insert into thing values (1, 'Ann', 'aok'), (2, 'Bea', 'TK'), (3, 'Cid', null)",
]


class Asked:
    """The fixtures of a server for `connected`."""

    param = "mysql"

    def __init__(self, request: Any) -> None:
        self.getfixturevalue = request.getfixturevalue


@pytest.mark.slow
def test_a_reference_spelled_otherwise_is_called_by_its_record_and_leads_there(
    request: pytest.FixtureRequest, pages: "Pages", tmp_path: Path
) -> None:
    with connected(Asked(request), pages, tmp_path, "capitals", STATEMENTS) as made:
        page = pages.olivia.get(made.things)
        assert "that is gone" not in page.text
        assert ("Rhineland Fund" in page.text, "Engineers Fund" in page.text) == (True, True)
        led = next(href for href in page.links if "insurer/AOK" in href)
        assert "Rhineland Fund" in pages.olivia.get(led).text
        assert "Rhineland Fund" in pages.olivia.get(f"{made.things}/1").text
