"""Proposals: what is asked with whose rights, what came of it, and how far it can be trusted."""
