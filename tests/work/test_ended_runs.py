"""What ended today, as each reader may know it."""

from typing import TYPE_CHECKING

from console import log
from console.work import ended_runs

if TYPE_CHECKING:
    from tests.company import Company


def test_runs_of_records_out_of_the_reader_s_scope_are_not_counted(company: "Company") -> None:
    company.finished("3")  # a corporate customer: tom sees retail ones alone
    company.finished("1")

    def counted(who: str) -> tuple[int, int, int]:
        ended = ended_runs.ended_today(company.people[who], log.now(), "UTC")
        return ended.all, ended.guided.done, ended.mine

    assert counted("olivia") == (2, 2, 2)
    assert counted("tom") == (1, 1, 0)
    assert counted("stan") == (0, 0, 0)
