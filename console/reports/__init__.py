"""Reports: the case file of a run, as an archive and as a paper."""

from console.reports.case_file import CaseFile, archive, case_file, made_at, paper, require_short

__all__ = ["CaseFile", "archive", "case_file", "made_at", "paper", "require_short", "tables"]
