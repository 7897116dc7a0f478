"""What the web master reads before it forks its workers."""

import threading

from sqlalchemy.pool import QueuePool

from console import web
from console.core.expressions import language
from console.db import engine
from console.runs.rows import version_origins
from tests.company import Company


def test_the_workers_find_live_versions_read_and_no_connection_open(company: Company) -> None:
    version_origins._compute_origins.cache_clear()
    language.parse.cache_clear()
    threads = threading.enumerate()
    web.read_ahead()
    assert threading.enumerate() == threads, "what runs in a thread is not there after a fork"
    pools = [made.pool for made in engine._made.values() if isinstance(made.pool, QueuePool)]
    assert [pool.checkedin() + pool.checkedout() for pool in pools] == [0] * len(engine._made)
    assert language.parse.cache_info().currsize > 0
    before = version_origins._compute_origins.cache_info().misses, language.parse.cache_info().misses
    company.started()
    assert (version_origins._compute_origins.cache_info().misses, language.parse.cache_info().misses) == before
