"""What became of proposals, counted: shares, groups, who may read them, and what it costs to ask."""

from datetime import timedelta

from console.proposals import measure
from console.proposals.measure import Window
from tests.company import Company
from tests.services.proposing import NOW, call

WINDOW = Window(NOW + timedelta(minutes=1))


def test_eight_accepted_one_edited_one_rejected(company: Company) -> None:
    for _ in range(8):
        call(company, {"note": "accepted"}, seconds=12)
    call(company, {"note": "edited"})
    call(company, {"note": "cleared"})
    call(company, {"note": "accepted"}, by="tom", seconds=1, opened=0, ago=timedelta(days=40))
    told = measure.report(company.mona, WINDOW)
    total = told.total
    assert (total.asked, total.values, total.precision, total.edited_rate, total.rejected_rate) == (10, 10, 0.8, 0.1, 0.1)
    (version,) = told.versions
    assert version.key[1:] == ("note", 1)
    assert version.figures.whole_rate == 0.8
    assert not told.stamps
    wide = measure.report(company.mona, Window(WINDOW.until, 90))
    (stamp,) = wide.stamps
    assert (stamp.key[2], stamp.figures.quick, stamp.figures.unopened, stamp.figures.taken) == (company.tom.id, 1, 1, 1)
