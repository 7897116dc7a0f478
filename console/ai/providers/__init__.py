"""Who answers: a model of Anthropic, one behind an OpenAI-compatible endpoint, or rules. Each takes its `Config` and translates; it judges nothing.

The code that speaks to a network is imported when the first provider is made: `import anthropic` alone takes most of a second.
"""

import threading
from typing import Literal

from console.ai.providers import anthropic, openai_compatible, rules
from console.infra.settings import AI

OPEN_MODULES = frozenset({"anthropic"})

Asking = anthropic.Anthropic | openai_compatible.OpenAICompatible
Config = anthropic.Config | openai_compatible.Config | rules.Config
Name = Literal["anthropic", "openai_compatible", "rules"]
MOST = 16
NAMES: tuple[Name, ...] = ("anthropic", "openai_compatible", "rules")


def config(ai: AI, *, private: bool = False) -> Config:
    """The configuration of the provider that the settings name. `private`: the base URL was given by whoever runs the machine, and may be of their own network."""
    match ai.provider:
        case "anthropic":
            return anthropic.Config(
                ai.model or anthropic.MODEL, ai.api_key or "", ai.base_url or anthropic.BASE_URL, private
            )
        case "openai_compatible":
            return openai_compatible.Config(ai.model or "", ai.base_url or "", ai.api_key, private)
        case _:
            return rules.Config()


_made: dict[Config, anthropic.Anthropic | openai_compatible.OpenAICompatible] = {}
_making = threading.Lock()


def provider(configured: anthropic.Config | openai_compatible.Config) -> Asking:
    """The provider of this configuration, the same one for all threads of the process: its connections are kept. Takes most of a second the first time.

    Raises ProviderError without a key that is needed.
    """
    with _making:
        cached = _made.pop(configured, None)
        if cached is None:
            cached = (
                anthropic.Anthropic(configured)
                if isinstance(configured, anthropic.Config)
                else openai_compatible.OpenAICompatible(configured)
            )
        _made[configured] = cached
        if len(_made) > MOST:
            _made.pop(
                next(iter(_made))
            ).close()  # the one that was wanted least recently, by settings that are long gone
        return cached


def forget() -> None:
    """Close all connections, and make each provider anew when it is wanted."""
    with _making:
        for each in _made.values():
            each.close()
        _made.clear()
