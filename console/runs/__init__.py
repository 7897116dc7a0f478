"""Runs: every command that people, programs and the engine can give to a run; one run on a page, lists of runs, and replay."""

from console.core.run.origin import EACH, FREE
from console.runs.changing import attachments
from console.runs.changing.approval_answers import approve, reject
from console.runs.changing.effect_settling import check, retry, settle, stop_trying
from console.runs.changing.ending import end_cancelled
from console.runs.changing.handing_over import arrive, assign, escalate, release, resume, save, step_in, take_over, will_not_come
from console.runs.changing.hands_off import ReadyStart, RecordRef, StartedBy, check_hands_off, ready_to_start, start_hands_off
from console.runs.changing.many_starts import WantedStart, start_many_hands_off
from console.runs.changing.missing_context import propose_again, supply, supply_form
from console.runs.changing.reporting import receipt_of, report, reportable
from console.runs.changing.rerunning import rerun
from console.runs.changing.revising import Preview, abort, abort_preview, preview, revise
from console.runs.changing.run_starts import account_of, start, try_start
from console.runs.changing.segment_starts import OUTSIDE, only_words, outside, taking
from console.runs.changing.taking_out import take_out
from console.runs.changing.transitions import Submission, cancel, complete, complete_and_look, draft, end_for_erasure
from console.runs.changing.version_moving import ALREADY_THERE, Standing, move_run, standing_runs, targets
from console.runs.engine.advancing import advance
from console.runs.engine.children import ChildRun, children_of, live_parts, parts_change_outside, tend
from console.runs.engine.effect_followup import follow_effect, follow_now, late_reports
from console.runs.engine.effecting import limit_places
from console.runs.engine.proposal_answers import fail_overdue_proposals, record_answer
from console.runs.engine.proposal_inputs import ProposalContext, proposal_context
from console.runs.engine.proposing import proposal_pending
from console.runs.engine.sweep import pick_up, sweep, wake, wake_for_sources
from console.runs.rows.loaded_rows import judged_once
from console.runs.rows.promised_runs import begins as promised, waits as promised_waits
from console.runs.rows.rebuild import Difference, rebuild
from console.runs.rows.run_events import ENGINE
from console.runs.rows.run_store import Also, AtOnce
from console.runs.rows.version_origins import read_live_versions
from console.runs.showing.candidates import Candidate, candidates
from console.runs.showing.lists import (
    RunHead,
    Waits,
    find,
    head,
    held_by,
    live_on,
    live_workflows,
    on_record,
    on_records,
    to_continue,
    waits,
)
from console.runs.showing.narrowed_list import narrowed
from console.runs.showing.reader_reach import shown_to, words_of_event
from console.runs.showing.reading import PATH_SHOWN, already_recorded, get, is_shown_last, preview_screen, source_opened, title
from console.runs.showing.record_reach import live_counts, live_versions
from console.runs.showing.replay import ReplayView, Today, events, replay, rows_today
from console.runs.showing.screens import record_shown
from console.runs.showing.view import RunView
from console.runs.trying.executing import execute_draft
from console.runs.trying.redeciding import Redecided, redecide
from console.runs.trying.test_results import results_of_tests
from console.runs.trying.workflow_trials import try_workflow

OPEN_MODULES = frozenset({"changing", "engine", "rows", "showing", "trying"})
