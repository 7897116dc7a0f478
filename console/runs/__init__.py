"""Runs: every command that people, programs and the engine can give to a run; one run on a page, lists of runs, and replay."""

from console.core.run.origin import EACH, FREE
from console.runs.commands import attachments
from console.runs.commands.approval_answers import approve, reject
from console.runs.commands.effect_settling import check, retry, settle, stop_trying
from console.runs.commands.ending import end_cancelled
from console.runs.commands.handing_over import (
    arrive,
    assign,
    escalate,
    release,
    release_from_holder,
    resume,
    save,
    snooze,
    step_in,
    take_over,
    will_not_come,
)
from console.runs.commands.hands_off import (
    ReadyStart,
    RecordRef,
    StartedBy,
    check_hands_off,
    ready_to_start,
    start_hands_off,
)
from console.runs.commands.many_starts import WantedStart, start_many_hands_off
from console.runs.commands.missing_context import propose_again, supply, supply_form
from console.runs.commands.reporting import receipt_of, report, reportable
from console.runs.commands.rerunning import rerun
from console.runs.commands.revising import Preview, abort, abort_preview, preview, revise
from console.runs.commands.run_starts import Addressee, account_of, start, try_start
from console.runs.commands.segment_starts import OUTSIDE, only_words, outside, taking
from console.runs.commands.taking_out import take_out
from console.runs.commands.transitions import (
    Submission,
    cancel,
    complete,
    complete_and_look,
    draft,
    end_for_erasure,
    message_of,
)
from console.runs.commands.version_moving import ALREADY_THERE, Standing, move_run, standing_runs, targets
from console.runs.engine.advancing import advance
from console.runs.engine.children import ChildRun, children_of, live_parts, parts_change_outside, wake_parent
from console.runs.engine.effect_followup import follow_effect, follow_now, late_reports
from console.runs.engine.effecting import limit_places
from console.runs.engine.proposal_answers import fail_overdue_proposals, record_answer
from console.runs.engine.proposal_inputs import CaseContext, ProposalContext, case_context, proposal_context
from console.runs.engine.proposing import lacks_context, proposal_pending
from console.runs.engine.sweep import pick_up, sweep, wake, wake_for_sources
from console.runs.simulation.executing import execute_draft
from console.runs.simulation.redeciding import Redecided, redecide
from console.runs.simulation.test_results import results_of_tests
from console.runs.simulation.workflow_trials import try_workflow
from console.runs.store.loaded_rows import judged_once
from console.runs.store.promised_runs import begins as promised, waits as promised_waits
from console.runs.store.rebuild import Difference, rebuild
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import Also, AtOnce
from console.runs.store.version_origins import read_live_versions
from console.runs.views.candidates import Candidate, candidates
from console.runs.views.gathered import later_screens, read_digest
from console.runs.views.lists import (
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
from console.runs.views.narrowed_list import narrowed
from console.runs.views.parts import parts_of
from console.runs.views.reader_reach import shown_to, words_of_event
from console.runs.views.reading import (
    PATH_SHOWN,
    already_recorded,
    get,
    is_shown_last,
    is_unchanged,
    preview_screen,
    source_opened,
    title,
)
from console.runs.views.record_reach import live_counts, live_versions
from console.runs.views.replay import ReplayView, Today, events, replay, rows_today
from console.runs.views.screens import record_shown
from console.runs.views.view import RunView

OPEN_MODULES = frozenset({"commands", "engine", "simulation", "store", "views"})
