"""Enrolments: who is in which workflow, at which place, at what pace they begin, and how they leave."""

from console.automation.enrolments import erasing
from console.automation.enrolments.admission import Answer, Candidate
from console.automation.enrolments.batches import Batch
from console.automation.enrolments.beginning import begin, full_until, held_up, room_for_triggers
from console.automation.enrolments.counts import Counts, counts_for
from console.automation.enrolments.direct_enrolment import (
    enrol,
    enrol_at_once,
    enrol_leads,
    enrolled_before,
    gives_places,
    rerun,
    start,
    takes_in,
)
from console.automation.enrolments.leaving import leave, unenrol
from console.automation.enrolments.leaving_many import TakeOut, TakeOutPlan, Those, take_out
from console.automation.enrolments.pace import paces
from console.automation.enrolments.places import HERE, STATUSES, Lead, Places, leads_of
from console.automation.enrolments.targets import Target, find, judges_entries, require_target
from console.automation.enrolments.whom_to_enrol import Question

OPEN_MODULES = frozenset({"leaving_many", "whom_it_lets_in"})
