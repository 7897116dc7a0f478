"""Kinds of effects as an action's document writes them: one file each in this folder, found by itself.

How a kind is done stands in `console/steps/effects/` under the same name. A file here holds one subclass of `Kind`, whose `kind` is the name of the file.
"""

import operator
from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator

from console.core.effect_kinds.base import Kind, Sentence, text_of
from console.core.effect_kinds.connector import Connector
from console.core.effect_kinds.http import HEADER_PATTERN, LONGEST_S, Follow, Http, wrong_address
from console.core.effect_kinds.mcp import ALONE, ArgumentName, Mcp, ToolName
from console.core.effect_kinds.sql_delete import SqlDelete
from console.core.effect_kinds.sql_insert import SqlInsert
from console.core.effect_kinds.sql_write import SqlWrite
from console.core.kind_files import kinds_in

KINDS: Mapping[str, type[Kind]] = kinds_in(__name__, __path__, Kind, "kind")
if TYPE_CHECKING:
    Effect = Kind
else:
    Effect: Any = Annotated[reduce(operator.or_, KINDS.values()), Discriminator("kind")]
