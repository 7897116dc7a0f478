"""A walk of a how-to as a table: who presses, fills in and sees what, one thing after another; by its end each word that the text sets off has had its turn.

A deed uses words. Those that the document sets off are ticked, heading by heading in the order of the text; those that it does not (a record's name, what is typed) are only done.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from tests.journeys.documents import Word, passages
from tests.journeys.screens import Open, Screen, run_of


def straight(text: str) -> str:
    """With the apostrophe of a keyboard."""
    return text.replace("’", "'")


@dataclass
class Walk:
    """A how-to that is being walked: what is left of it by heading, who is at the screen, and what was found on the way (`{run}` in a path; `{own}` is a word that nothing else has)."""

    name: str
    open_one: Open
    left: list[tuple[int, str, Word]] = field(init=False)
    said: frozenset[str] = field(init=False)
    kept: dict[str, str] = field(default_factory=lambda: {"own": f"{time.monotonic_ns():x}"[-6:]})
    screens: dict[str, Screen] = field(default_factory=dict)
    who: str = ""

    def __post_init__(self) -> None:
        found = passages(f"docs/how-to/{self.name}.md")
        titles = list(dict.fromkeys(one.title for one in found))
        self.left = [
            (titles.index(one.title), one.title, word)
            for one in found
            for word in one.words
            if word.kind != "code"
        ]
        self.said = frozenset(straight(word.text) for _, _, word in self.left)

    @property
    def screen(self) -> Screen:
        """Whose turn it is."""
        return self.screens[self.who]

    def use(self, words: str) -> str:
        """Tick words where the document sets them off. Fails where an earlier heading has words that had no turn."""
        if straight(words) in self.said:
            found = next((one for one in self.left if straight(one[2].text) == straight(words)), None)
            if found is not None:
                before = [f"{title}: {word}" for place, title, word in self.left if place < found[0]]
                assert not before, f"{self.name}: {words!r} comes before {before}"
                self.left.remove(found)
        return self.read(words)

    def read(self, words: str) -> str:
        """With what was found on the way in its place."""
        for name, found in self.kept.items():
            words = words.replace(f"{{{name}}}", found)
        return words

    def go(self, ways: Iterable["By"]) -> None:
        """All of it."""
        for way in ways:
            self.who = way.who
            if way.who not in self.screens:
                self.screens[way.who] = self.open_one(way.who)
            for deed in way.deeds:
                try:
                    deed(self)
                except AssertionError as error:
                    raise AssertionError(f"{self.name}, {way.who}: {error}") from error
        assert not self.left, (
            f"{self.name}: no walk comes to {[f'{title}: {word}' for _, title, word in self.left]}"
        )
        complaints = [words for screen in self.screens.values() for words in screen.wrong]
        assert not complaints, complaints


Deed: TypeAlias = Callable[[Walk], None]


@dataclass(frozen=True)
class By:
    """What one person does."""

    who: str
    deeds: tuple[Deed, ...]


def by(who: str, *deeds: Deed) -> By:
    """What this person of the demo does; `nobody` is not signed in."""
    return By(who, deeds)


def _each(do: Callable[[Walk, str], None], words: tuple[str, ...]) -> Deed:
    def deed(walk: Walk) -> None:
        for one in words:
            do(walk, one)

    return deed


def go(path: str) -> Deed:
    """Open an address."""
    return lambda walk: (walk.screen.go(walk.read(path)), None)[1]


def press(*names: str, within: str = "") -> Deed:
    """Press, choose or tick what is called so."""
    return _each(lambda walk, name: walk.screen.press(walk.use(name), within), names)


def see(*titles: str) -> Deed:
    """Look for what is written so."""
    return _each(lambda walk, title: walk.screen.see(walk.use(title)), titles)


def way(*said: str) -> Deed:
    """Go a way through the settings as the text says it: `Settings, People and teams, People, Invite`."""

    def along(walk: Walk, words: str) -> None:
        walk.screen.go("/")
        for one in walk.use(words).split(", "):
            if walk.screen.offers(one):
                walk.screen.press(one)
            else:
                walk.screen.see(one)

    return _each(along, said)


def fill(label: str, text: str) -> Deed:
    """Type into a box."""
    return lambda walk: walk.screen.fill(walk.use(label), walk.read(text))


def choose(label: str, option: str) -> Deed:
    """Choose from a list."""
    return lambda walk: walk.screen.choose(walk.use(label), walk.use(option))


def key(*keys: str) -> Deed:
    """Press keys."""
    return _each(lambda walk, one: walk.screen.key(one), keys)


def reads(*patterns: str) -> Deed:
    """Look for a text on the page by a pattern; it uses no words of the document."""
    return _each(lambda walk, pattern: walk.screen.reads(walk.read(pattern)), patterns)


def comes_to_read(pattern: str) -> Deed:
    """The same of what the worker does once a minute."""
    return lambda walk: walk.screen.comes_to_read(pattern)


def lacks(*words: str) -> Deed:
    """Nothing is written or called so."""
    return _each(lambda walk, one: walk.screen.lacks(one), words)


def answered(status: int) -> Deed:
    """The last page was answered so, and showed it."""
    return lambda walk: walk.screen.was_answered(status)


def download(name: str, within: str = "") -> Deed:
    """Press what gives out a file; it has something in it, and its path is kept as `{file}`."""

    def deed(walk: Walk) -> None:
        walk.kept["file"] = str(walk.screen.download(walk.use(name), within))

    return deed


def keep_run(name: str) -> Deed:
    """Remember the run whose page is open."""

    def deed(walk: Walk) -> None:
        walk.screen.page.wait_for_url("**/runs/run_*")
        walk.kept[name] = run_of(walk.screen)

    return deed


def typed(*commands: str) -> Deed:
    """Somebody with a shell types `console …` beside the demo."""

    def one(walk: Walk, command: str) -> None:
        done = walk.screen.demo.command(*walk.read(command).split(" "))
        assert done.returncode == 0, done.stdout + done.stderr

    return _each(one, commands)


def named(_why: str, *words: str) -> Deed:
    """Words that are set off and stand for no part of a page here; why is said."""

    def one(walk: Walk, word: str) -> None:
        assert straight(word) in walk.said, f"{word!r} is not set off in {walk.name}"
        walk.use(word)

    return _each(one, words)


emphasis = partial(named, "emphasis, or a rule by its name")
