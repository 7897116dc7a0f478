"""Who somebody is, and what they may do: `accounts` are people, teams, sessions and keys, `access` is the only judge of rights."""

OPEN_MODULES = frozenset({"access", "accounts", "notify"})
