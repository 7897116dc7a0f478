"""Pages of proposals: what they are worth, and how far a step trusts them."""

OPEN_MODULES = frozenset({"case_questions"})
