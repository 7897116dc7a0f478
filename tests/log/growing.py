"""The tree over tiles in memory, grown by a plain program, and the checks of its proofs: what the server's own code is compared with."""

from collections.abc import Iterable, Sequence

from console.log import tree
from console.log.tree import EMPTY, HASH_BYTES, WIDTH, node, root


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


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether `proof` leads from `leaf` at `index` to the root `expected` of `size` leaves. Source: RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_BYTES:
            return False
        if place % 2 or place == last:
            computed = node(sibling, computed)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = node(computed, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and computed == expected


def consistent(old: int, old_root: bytes, size: int, size_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `size` leaves begins with the tree of `old` leaves. Source: RFC 9162 section 2.1.4.2."""
    if old in {0, size}:
        return (
            0 <= old <= size
            and not proof
            and old_root == (EMPTY if old == 0 else size_root)
            and (size > 0 or size_root == EMPTY)
        )
    if not 0 < old < size or not proof or any(len(item) != HASH_BYTES for item in proof):
        return False
    rest = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, size - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    before = after = rest[0]
    for item in rest[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            before, after = node(item, before), node(item, after)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node(after, item)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == size_root
