"""The shop for the tests of this folder."""

import pytest

from console import sources
from console.infra.postgres import Embedded
from tests.records.agreeing import places
from tests.records.shop import shop_file, shop_url, shops

__all__ = ["places", "shop_file", "shop_url", "shops"]


@pytest.fixture
def shop(shops: None, pg: Embedded) -> Embedded:
    """The shop in PostgreSQL as the data source `shop`, for tests that change nothing in it."""
    return pg


@pytest.fixture
def file(clean: object, shop_file: str) -> str:
    """The shop in SQLite as the data source `shop`, of this test alone; the URL of its file."""
    sources.add("shop", shop_file)
    return shop_file
