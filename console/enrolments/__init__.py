"""Enrolments: who is in which workflow, at which place, at what pace they begin, and how they leave."""

from console.enrolments import erasing
from console.enrolments.admission import Answer, Candidate
from console.enrolments.batches import Batch
from console.enrolments.beginning import begin
from console.enrolments.counts import Counts, counts_of
from console.enrolments.entering import enrol, enrol_at_once, enrol_leads, enrolled_before, has_places, start, takes_in
from console.enrolments.leaving import leave, unenrol
from console.enrolments.leaving_many import TakeOut, TakeOutPlan, Those, take_out
from console.enrolments.pace import Pace, paces
from console.enrolments.places import HERE, STATUSES, Lead, Places
from console.enrolments.targets import Target, find, seen
from console.enrolments.whom_to_enrol import Question

__all__ = [
    "HERE",
    "STATUSES",
    "Answer",
    "Batch",
    "Candidate",
    "Counts",
    "Lead",
    "Pace",
    "Places",
    "Question",
    "TakeOut",
    "TakeOutPlan",
    "Target",
    "Those",
    "batches",
    "begin",
    "beginning",
    "counts",
    "counts_of",
    "enrol",
    "enrol_at_once",
    "enrol_leads",
    "enrolled_before",
    "erasing",
    "exits",
    "find",
    "has_places",
    "leave",
    "leaving",
    "leaving_many",
    "paces",
    "places",
    "seen",
    "start",
    "take_out",
    "takes_in",
    "targets",
    "unenrol",
    "whom_to_enrol",
]
