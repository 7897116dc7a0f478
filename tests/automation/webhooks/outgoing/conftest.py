"""A server of the company's partner that notes what it is sent."""

from collections.abc import Callable, Iterator

import pytest

from tests.servers import outside
from tests.servers.outside import Receiver


@pytest.fixture
def receiver(given_settings: Callable[..., None]) -> Iterator[Receiver]:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with outside.http() as made:
        yield made
