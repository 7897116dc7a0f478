"""Addresses inside the data folder are kept without its path, whatever the path looks like; any other stays as it is."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url

from console.core.errors import Invalid
from console.infra import settings
from console.infra.postgres import Embedded
from console.records import portable_address

Moved = Callable[[Path], Path]


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moved]:
    """`moved(folder)`: this process works in that data folder now, on its own server."""
    for name in ("DATABASE_URL", "DATABASE_MIGRATION_URL"):
        monkeypatch.delenv(name, raising=False)

    def go(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("CONSOLE_DATA_DIR", str(folder))
        settings.current.cache_clear()
        return folder

    yield go
    settings.current.cache_clear()


NAMES = ["plain", "with blank", "Zürich ％ 100% #1?x=y&z", "~data-folder", "comma, @host", "x" * 150]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_and_the_own_server_are_found_in_the_folder_of_today(
    moved: Moved, tmp_path: Path, name: str
) -> None:
    first = moved(tmp_path / "first" / name)
    file = URL.create("sqlite", database=str(first / "shop ü.db")).render_as_string()
    server = URL.create(
        "postgresql",
        "reader",
        "p:w/d@",
        query={"host": str(Embedded(first).socket), "port": "5432"},
        database="shop",
    )
    stored = [
        portable_address.stored_address(one) for one in (file, server.render_as_string(hide_password=False))
    ]
    assert not [
        one
        for one in stored
        if str(tmp_path) in one
        or name in make_url(one).render_as_string().replace(portable_address.FOLDER, "")
    ]
    assert [make_url(portable_address.resolve(one)) for one in stored] == [make_url(file), server]
    second = moved(tmp_path / "second")
    assert make_url(portable_address.resolve(stored[0])).database == str(second / "shop ü.db")
    assert make_url(portable_address.resolve(stored[1])).query["host"] == str(Embedded(second).socket)
    assert make_url(portable_address.resolve(stored[1])).password == "p:w/d@"


@pytest.mark.parametrize(
    ("demo", "place", "open_"),
    [
        (True, "shop/shop.db", True),
        (True, "fernwick.db", False),
        (True, "shop/../keys/x.db", False),
        (False, "shop/shop.db", False),
    ],
)
def test_a_page_of_the_demo_may_name_its_shop_alone(
    moved: Moved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: bool, place: str, open_: bool
) -> None:
    monkeypatch.setenv("CONSOLE_DEMO", "1" if demo else "0")
    monkeypatch.delenv("CONSOLE_SQLITE_FOLDERS", raising=False)
    folder = moved(tmp_path / "data")
    address = URL.create("sqlite", database=str(folder / place))
    with nullcontext() if open_ else pytest.raises(Invalid, match="CONSOLE_SQLITE_FOLDERS"):
        portable_address.require_place(address, typed=True)
