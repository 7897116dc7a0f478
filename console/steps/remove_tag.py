"""Remove tag: takes a tag away from the run's record. Where it is not there nothing is done, and no event tells of it."""

from typing import ClassVar

from console.steps.add_tag import AddTag


class RemoveTag(AddTag):
    """Automatic. Output `{"tag"}`."""

    name, title, family, icon = "remove_tag", "Remove tag", "action", "tag"
    gist = "A tag is taken away from the record"
    added: ClassVar[bool] = False
