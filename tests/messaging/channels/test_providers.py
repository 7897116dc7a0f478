"""Which provider carries a kind of messages: ours, one whose settings are there, or one of another package."""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from console.messaging import providers
from console.messaging.channels.base import Handed, Letter, Provider
from console.messaging.providers.twilio_sms import TwilioSms


class Pigeon(Provider):
    kind, name, title = "sms", "pigeon", "Pigeon post"

    def send(self, letter: Letter) -> Handed:
        return Handed(letter.id)


class Second(TwilioSms):
    name = "second"

    def missing(self) -> tuple[str, ...]:
        return ()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let a provider of this module stand as one of another package."""

    def install(name: str) -> None:
        points = [EntryPoint(name, f"{__name__}:{name}", providers.ENTRY_POINT)]
        monkeypatch.setattr(
            providers, "entry_points", lambda *, group: points if group == providers.ENTRY_POINT else []
        )
        providers.every.cache_clear()

    yield install
    providers.every.cache_clear()


@pytest.mark.usefixtures("clean")
def test_one_of_another_package_carries_its_kind_and_ours_is_still_known(
    installed: Callable[[str], None],
) -> None:
    sms, email = providers.provider_of("sms"), providers.provider_of("email")
    installed("Pigeon")
    assert (sms.name != "pigeon", providers.provider_of("sms").name, providers.provider_of("email").name) == (
        True,
        "pigeon",
        email.name,
    )
    assert isinstance(providers.provider_by_name("sms", "twilio"), TwilioSms)
    assert providers.provider_by_name("email", "pigeon") is None


def test_of_several_the_one_whose_settings_are_there_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "every", lambda: (TwilioSms(), Second()))
    monkeypatch.setattr(Second, "__module__", f"{providers.__name__}.second")
    assert providers.provider_of("sms").name == "second"
    monkeypatch.setattr(Second, "missing", lambda _: ("CONSOLE_SECOND",))
    assert providers.provider_of("sms").name == "twilio"


@pytest.mark.usefixtures("clean", "given_settings")
def test_a_provider_says_in_the_guide_which_settings_it_needs() -> None:
    """Whoever adds a provider is told by this test what its page still lacks."""
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "reach-people-outside.md").read_text(
        encoding="utf-8"
    )
    for provider in providers.every():
        lacking = [setting for setting in provider.missing() if setting not in guide]
        assert not lacking, (
            f"docs/how-to/reach-people-outside.md says nothing of {lacking} ({provider.title}): docs/developers/add-a-channel.md shows how"
        )
