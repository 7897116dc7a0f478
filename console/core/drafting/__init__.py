"""Changes to a workflow document, pure: applied, inverted, compared, merged. Canvas, forms, text, words and API all make these changes.

A draft may be unfinished: its settings may be missing or wrong, and it may hold keys that this release does not know, which are kept. It
always has a list of steps, each with an id of its own and a type, and nothing in it is of another kind than the model's (`require_shape`). A change never modifies the document that it is given.
"""

from console.core.drafting import graph_pieces
from console.core.drafting.applying import apply, require_shape
from console.core.drafting.changes import (
    AddStep,
    AddTrigger,
    Change,
    ChangeError,
    Connect,
    MisshapenError,
    RenameStep,
    Set,
    SetDocument,
    SetTrigger,
    parts,
    read_changes,
    to_json,
)
from console.core.drafting.comparing import Collision, difference, merge, touched
from console.core.drafting.difference_labels import Difference, differences, trigger_name
from console.core.drafting.ordering import ordered, same, written
from console.core.drafting.problem_fixes import AS_TEXT, mend
from console.core.drafting.sketching import sketched
from console.core.drafting.variable_names import Use, renamed_variable, used_in

OPEN_MODULES = frozenset({"graph_pieces"})
