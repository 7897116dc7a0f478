"""Proposals for steps: what the AI may see, what it may cost, who is asked, and what was asked and answered."""
