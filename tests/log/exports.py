"""A small log, what the exports of it hold, and the verifier that reads them."""

from collections.abc import Callable
from typing import Any

from console.log import checkpoint, tree
from tests.log import forgeries

f: Any = forgeries
LOG = f.make(300)
WHOLE = f.exported(LOG)
OLD = checkpoint.sign(f.ORIGIN, 120, tree.root(LOG.leaves[:120]), [f.SEED])
PLACES = [3, 4, 5, 9, 40, 41, 120, 121, 299, 300]
PART = f.chosen(LOG, PLACES)
Said = Callable[..., tuple[int, str]]
