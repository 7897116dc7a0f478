"""The tree over tiles in memory, grown by a plain program: what the server's own way of growing it is compared with."""

from collections.abc import Iterable

from console.log import tree
from console.log.tree import WIDTH, root


class Memory(dict[tuple[int, int], bytes]):
    """Tiles in memory."""

    def get(self, level: int, index: int) -> bytes:  # type: ignore[override]
        """The tile's bytes. Raises KeyError where there is none."""
        return self[level, index]

    def put(self, level: int, index: int, tile: bytes) -> None:
        """Keep the tile."""
        self[level, index] = tile


class Tiles(tree.Tiles):
    """The tree of the first `size` leaves over stored tiles, which can grow."""

    store: Memory

    def append(self, leaves: Iterable[bytes]) -> None:
        """Add leaves at the end: the last tile of each level is read, and the tiles that got longer or new are written."""
        new, level, place = list(leaves), 0, self.size
        added = len(new)
        while new:
            index, held = divmod(place, WIDTH)
            if held:
                new = [*self._hashes(level, index, held), *new]
            above = []
            for start in range(0, len(new), WIDTH):
                tile = new[start : start + WIDTH]
                self.store.put(level, index + start // WIDTH, b"".join(tile))
                self._expanded.pop((level, index + start // WIDTH), None)
                if len(tile) == WIDTH:
                    above.append(root(tile))
            new, level, place = above, level + 1, index
        self.size += added
