"""Reports: the case file of a run, as an archive and as a paper."""

from console.reports.case_file import CaseFile, archive, case_file, made_at, paper, require_short

OPEN_MODULES = frozenset({"case_file", "tables"})
