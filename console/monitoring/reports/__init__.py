"""Reports: the case file of a run as an archive and as a paper, and tables as pages, files and papers."""

from console.monitoring.reports.case_file import (
    CaseFile,
    archive,
    case_file,
    made_at,
    paper,
    pressed,
    require_short,
)

OPEN_MODULES = frozenset({"tables"})
