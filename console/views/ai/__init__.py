"""Pages of proposals: what they are worth, and how far a step trusts them."""
