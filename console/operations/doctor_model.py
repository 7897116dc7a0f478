"""The doctor's look at who proposes: the model of the settings, or the one that was chosen in the console."""

from urllib.parse import urlsplit

from console.infra.settings import AI
from console.operations.doctor import Check


def examine(ai: AI, *, configured: bool) -> Check:
    """Who proposes, by the environment (`configured`) or as chosen in the console, and whether they are there; no prompt is sent, and nothing of any person."""
    if ai.provider == "rules":
        reason = "CONSOLE_AI_PROVIDER says rules" if configured else "none is set"
        fix = (
            ""
            if configured
            else "Set ANTHROPIC_API_KEY or CONSOLE_AI_PROVIDER, or choose one under Settings, AI"
        )
        return Check("model", ok=True, message=f"{reason}: rules propose what is certain", fix=fix)
    from console.ai import probe, providers

    config = providers.config(ai, private=configured)
    answer = probe.try_provider(config)
    where = f"{config.name}{f' at {ai.base_url}' if ai.base_url else ''}"
    if not answer.ok:
        return Check("model", ok=False, message=f"{where}, {config.model}: {answer.code}", fix=answer.message)
    if answer.ends:
        name = "CONSOLE_AI_MODEL" if configured else "the model under Settings, AI"
        return Check("model", ok=True, message=f"{where}: {answer.message}", fix=f"Set {name} to another one")
    if (
        ai.api_key
        and (ai.base_url or "").startswith("http://")
        and not _own_machine(str(urlsplit(ai.base_url).hostname))
    ):
        reason = f"{where}: {answer.message}; in plain http, prompts and key can be read on the way"
        return Check("model", ok=True, message=reason, fix="Use https")
    return Check("model", ok=True, message=f"{where}: {answer.message}")


def _own_machine(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def chosen_model() -> Check:
    """Who proposes, where the environment says nothing of it."""
    from console.ai.proposals import options

    current = options.newest()
    if (off := current.off()) is not None:
        return Check("model", ok=True, message=off)
    return examine(current.ai, configured=False)
