"""The Merkle tree over the whole log: one root for all events in their order, and short proofs that an event is in it or that it only grew.

Pure. Leaves are the 32-byte leaf hashes of `console.log.body`, in order of place; index = place − 1. A node is
SHA-256(0x01 ‖ left ‖ right); the left part of n leaves is the largest power of two below n.
Source: RFC 6962 section 2.1, RFC 9162 section 2.1; the form of the log is in docs/reference/log-format.md.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

HASH_BYTES = 32
WIDTH = 256
HEIGHT = 8  # 2^8 = WIDTH: a tile holds that many levels of the tree
EMPTY = hashlib.sha256().digest()
EXPANDED_MOST = 64  # tiles whose inner nodes are kept, about 40 KB each

Subtree = Callable[[int, int], bytes]
"""(start, end) → root of the tree over the leaves start … end − 1."""

_sha256 = hashlib.sha256


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return _sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaves, 32 bytes; without leaves the hash of nothing."""
    if not leaves:
        return EMPTY
    row = list(leaves)
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [*_pairs(row), *odd]
    return row[0]


def _pairs(row: Sequence[bytes]) -> list[bytes]:
    """The level above `row`; a last one without a neighbour is left out."""
    return [
        _sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)
    ]


def _middle(start: int, end: int) -> int:
    """The index at which the tree over start … end − 1 (two leaves or more) divides."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The neighbours on the way from leaf `index` to the root of the first `size` leaves, lowest first.

    Raises IndexError where the tree has no such leaf. Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < size:
        raise IndexError(f"a tree of {size} leaves has no leaf {index}")
    start, end, proof = 0, size, []
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start = middle
    return proof[::-1]


def consistency(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """What proves that the tree of `size` leaves begins with the tree of `old` leaves; empty where `old` is 0 or `size`.

    Raises IndexError where `old` is no size from 0 to `size`. Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 <= old <= size:
        raise IndexError(f"a tree of {size} leaves never had {old}")
    if old in {0, size}:
        return []
    start, end, proof = 0, size, []
    while old != end:
        middle = _middle(start, end)
        if old <= middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start = middle
    if start:  # the old tree is no subtree by itself: its last whole part has to be told
        proof.append(subtree(start, end))
    return proof[::-1]


def complete_subtrees(leaves: Sequence[bytes]) -> Subtree:
    """Subtrees of leaves that are all at hand."""
    return lambda start, end: root(leaves[start:end])


class Store(Protocol):
    """Where tiles are kept. Tile (level, index) holds the hashes index × 256 … of tree level 8 × level, 32 bytes each, 256 at most.

    A whole tile never changes again; a shorter one is replaced by a longer one that begins with it.
    """

    def get(self, level: int, index: int) -> bytes:
        """The tile's bytes. Raises KeyError where there is none."""
        ...


class Tiles:
    """The tree of the first `size` leaves over stored tiles, of which only what belongs to `size` is read. Not for several threads at once."""

    def __init__(self, store: Store, size: int = 0) -> None:
        self.store = store
        self.size = size
        self._expanded: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def root(self, size: int | None = None) -> bytes:
        """Root of the first `size` leaves, of all where none is given."""
        size = self._within(size)
        return self.subtree(0, size) if size else EMPTY

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that leaf `index` is in the tree of the first `size` leaves; see the function of that name."""
        return inclusion(index, self._within(size), self.subtree)

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Proof that the tree of `size` leaves begins with that of `old`; see the function of that name."""
        return consistency(old, self._within(size), self.subtree)

    def subtree(self, start: int, end: int) -> bytes:
        """Root over the leaves start … end − 1, a part into which the tree divides."""
        width = end - start
        if width & (width - 1) or start % width:
            middle = _middle(start, end)
            return node(self.subtree(start, middle), self.subtree(middle, end))
        height = width.bit_length() - 1
        level, row = divmod(height, HEIGHT)
        index, place = divmod(start >> height, WIDTH >> row)
        return self._rows(level, index, (place + 1) << row)[row][place]

    def _within(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise IndexError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _rows(self, level: int, index: int, needed: int) -> list[list[bytes]]:
        """The tile's hashes and the nodes above them, row by row."""
        rows = self._expanded.get((level, index))
        if rows is None or len(rows[0]) < needed:
            count = min(WIDTH, (self.size >> level * HEIGHT) - index * WIDTH)
            rows = [self._hashes(level, index, max(count, needed))]
            while len(rows[-1]) > 1:
                rows.append(_pairs(rows[-1]))
            self._expanded[level, index] = rows
            if len(self._expanded) > EXPANDED_MOST:
                self._expanded.popitem(last=False)
        else:
            self._expanded.move_to_end((level, index))
        return rows

    def _hashes(self, level: int, index: int, count: int) -> list[bytes]:
        tile = self.store.get(level, index)
        if len(tile) < count * HASH_BYTES:
            raise LookupError(
                f"tile {index} of level {level} holds {len(tile) // HASH_BYTES} hashes, {count} are needed"
            )
        return [tile[at : at + HASH_BYTES] for at in range(0, count * HASH_BYTES, HASH_BYTES)]
