"""Publication: what publishing a draft would do, a second person who approves it, and moving live runs to another version."""

from console.authoring.publication.asking_reviewers import (
    address,
    approve,
    ask_for_changes,
    ask_for_review,
    reviewer_names,
    told_impact,
)
from console.authoring.publication.impact import ChannelUse, impact
from console.authoring.publication.needed_rights import MissingRight
from console.authoring.publication.run_moves import (
    MovePlan,
    RunMove,
    move_of,
    move_runs,
    plan_move,
    run_titles,
)
