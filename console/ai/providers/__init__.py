"""Who answers: a model of Anthropic, one behind an OpenAI-compatible endpoint, or rules. Each takes its `Config` and translates; it judges nothing.

The code that speaks to a network is imported when the first provider is made: `import anthropic` alone takes most of a second.
"""

import functools
from typing import Literal

from console.ai.providers import anthropic, openai_compatible, rules
from console.ai.types import Provider
from console.setting_values import AI

Config = anthropic.Config | openai_compatible.Config | rules.Config
Name = Literal["anthropic", "openai_compatible", "rules"]
NAMES: tuple[Name, ...] = ("anthropic", "openai_compatible", "rules")


def config(told: AI, *, private: bool = False) -> Config:
    """What the settings say, for the provider that they name. `private`: the base URL was given by whoever runs the machine, and may be of their own network."""
    match told.provider:
        case "anthropic":
            return anthropic.Config(told.model or anthropic.MODEL, told.api_key or "", told.base_url or anthropic.BASE_URL, private)
        case "openai_compatible":
            return openai_compatible.Config(told.model or "", told.base_url or "", told.api_key, private)
        case _:
            return rules.Config()


@functools.lru_cache(maxsize=16)
def provider(told: anthropic.Config | openai_compatible.Config) -> Provider:
    """The provider of this configuration, the same one for all threads of the process: its connections are kept. Takes most of a second the first time."""
    return anthropic.Anthropic(told) if isinstance(told, anthropic.Config) else openai_compatible.OpenAICompatible(told)
