"""Decides what an actor may do, to which object, in which team. No other package decides this.

`require` and `can` decide; `scope_for` gives the records of a collection that the actor may see. Both answer from an index compiled
from the policy rows (first `policies/roles.csv`, then the table `console.policy`), which are written in Casbin's language.
What no row allows is refused. A row that denies wins over every row that allows.
"""

from console.auth.access.clearance_lookup import (
    all_labelled,
    check_clearance,
    clearance,
    clearance_of,
    cleared_for,
    cleared_for_good,
    exists_for,
    hidden_from,
    known_labels,
    label_of,
    labelled,
    runs,
    touch_labels,
)
from console.auth.access.index import Index
from console.auth.access.judgement import (
    acts_as,
    can,
    could,
    follow_relations,
    require,
    roots_of,
    somewhere,
    who_grants,
)
from console.auth.access.narrowing import Scopes, by_assistant
from console.auth.access.policy_store import refresh, require_groups_agreed
from console.auth.access.record_scope import scope_for, subject_for
from console.auth.access.role_grants import (
    EVERYWHERE,
    HAND,
    INVITATION,
    acts_of,
    all_rows,
    assign,
    current_version,
    grant,
    grants_of,
    held,
    holders,
    people_with_roles,
    policy_index,
    roles_of,
    rows_of_grant,
    set_grants,
)
from console.auth.access.role_rights import RoleRights, rights
from console.auth.access.rows import ACTS, PolicyError, Row, export, parse
from console.auth.access.subject_scope import path_of as subject_path, subject_of
from console.infra.db.run_reach import AT_WORK, EVERY_RUN, Runs

OPEN_MODULES = frozenset(
    {
        "casbin_agreement",
        "clearance_rules",
        "decisions",
        "history",
        "index",
        "labels",
        "limits",
        "narrowing",
        "own_rights",
        "policy_changes",
        "policy_store",
        "policy_words",
        "rows",
        "subject_scope",
    }
)
