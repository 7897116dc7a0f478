"""Fernwick Pay, a made-up payment institution: its databases, papers, people and stories, generated afresh at each load."""
