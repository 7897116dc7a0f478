"""What the web master reads before it forks its workers."""

import threading

import sqlalchemy as sa

from console import web
from console.core.expressions import language
from console.db import engine
from console.db.engine import fetch
from console.runs.rows import version_origins
from tests.company import Company


def test_the_workers_find_live_versions_read_and_no_connection_open(company: Company) -> None:
    version_origins._compute_origins.cache_clear()
    language.parse.cache_clear()
    threads = threading.enumerate()
    web.read_ahead()
    assert threading.enumerate() == threads, "what runs in a thread is not there after a fork"
    pools = [made.pool for made in engine._made.values()]
    assert [pool.checkedin() + pool.checkedout() for pool in pools if isinstance(pool, sa.QueuePool)] == [0] * len(pools) != []
    assert language.parse.cache_info().currsize > 0
    [(workflow, version)] = fetch("select id, live_version from console.workflow where live_version is not null")
    assert "made" in vars(version_origins.origins_of(workflow, version)), "the first start of each worker would compute it"
    before = version_origins._compute_origins.cache_info().misses, language.parse.cache_info().misses
    company.started()
    assert (version_origins._compute_origins.cache_info().misses, language.parse.cache_info().misses) == before
