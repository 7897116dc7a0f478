"""The workflow editor as pages: a new workflow, its outline with the settings of a step, publishing, history, a first run."""

OPEN_MODULES = frozenset({"new", "publishing", "values_in_words"})
