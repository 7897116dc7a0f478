"""Channels: the ways out to people outside, e-mail, SMS, calls and chat. Plug-ins: they know the rules and the network, and nothing of runs or the database.

`base` says what a provider is; `providers` has one file for each, and finds those of other packages; `sandbox` plays a provider and sends nothing.
`mail_reports` reads what comes back by mail.
Who may be reached, when, and what becomes of the run is decided in `console/messaging/messages`.
"""

OPEN_MODULES = frozenset({"base", "mail_reports", "markdown_letter", "sandbox"})
