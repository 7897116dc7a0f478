"""Enrolments: who is in which workflow, at which place, at what pace they begin, and how they leave."""

from console.enrolments import erasing
from console.enrolments.admission import Answer, Candidate
from console.enrolments.batches import Batch
from console.enrolments.beginning import begin, full_until, held_up, room_for_triggers
from console.enrolments.counts import Counts, counts_for
from console.enrolments.direct_enrolment import (
    enrol,
    enrol_at_once,
    enrol_leads,
    enrolled_before,
    gives_places,
    rerun,
    start,
    takes_in,
)
from console.enrolments.leaving import leave, unenrol
from console.enrolments.leaving_many import TakeOut, TakeOutPlan, Those, take_out
from console.enrolments.pace import paces
from console.enrolments.places import HERE, STATUSES, Lead, Places, leads_of
from console.enrolments.targets import Target, find, judges_entries, seen
from console.enrolments.whom_to_enrol import Question

OPEN_MODULES = frozenset({"leaving_many", "whom_it_lets_in"})
