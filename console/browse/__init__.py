"""Looking at records: lists, single records with related records, search, and revealing masked values with a reason."""

from console.browse.change_intents import Intent, intended
from console.browse.governors import Governor, governors, require_ungoverned
from console.browse.manual_changes import change
from console.browse.naming import Reference, names_of, references, titles, titles_in_log, visible_collection
from console.browse.record_lists import (
    CAP,
    MOST_IN_TAB,
    BrowseQuery,
    Counted,
    ListPage,
    RecordPage,
    about_record,
    about_records,
    about_reference,
    browsed_collection,
    collections,
    count,
    describe,
    described,
    filter_of,
    key_of_reference,
    masked,
    may_shape,
    note_on,
    note_view,
    noted_page,
    nothing_found,
    page,
    question,
    reach,
    record,
    sample,
    search_advice,
    segment_counts,
    subject_of,
    subjects_of,
    value_counts,
    view_scope,
)
from console.browse.related_records import RelatedPage, related, related_lists, summary_relations, ways_on

OPEN_MODULES = frozenset(
    {
        "boards",
        "change_intents",
        "evidence",
        "find_records",
        "list_export",
        "list_files",
        "list_places",
        "list_views",
        "naming",
        "notes",
        "out_of_scope",
        "pins",
        "renamed_columns",
        "reveal",
        "saved_segments",
        "segment_members",
        "segment_order",
        "tags",
        "unindexed_search",
    }
)
