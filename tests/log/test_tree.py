"""The Merkle tree: published vectors, every proof of every small tree, and what a forger may try."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from console.log import body, tree, verify
from console.log.tree import EMPTY
from tests.log.growing import Memory, Tiles, consistent, included

# The test tree of the Certificate Transparency reference implementation: eight inputs, the root over the first n of them.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
NODE_2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
NODE_4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
NODE_6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
NODE_4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
LEAVES = [body.leaf(item) for item in INPUTS]
MOST = 65
MANY = [hashlib.sha256(f"leaf {number}".encode()).digest() for number in range(70_000)]

Included = Callable[[bytes, int, int, Sequence[bytes], bytes], bool]
Consistent = Callable[[int, bytes, int, bytes, Sequence[bytes]], bool]
# What RFC 9162 says word by word, and the single-file verifier: both have to give the same answers.
INCLUDED: list[Included] = [included, verify.included]
CONSISTENT: list[Consistent] = [consistent, verify.consistent]


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """The root as RFC 6962 section 2.1 defines it, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def test_roots_of_the_reference_tree() -> None:
    assert [tree.root(LEAVES[:count]).hex() for count in range(9)] == ROOTS
    stack = verify.Tree()
    assert stack.root().hex() == ROOTS[0]
    for leaf, expected in zip(LEAVES, ROOTS[1:], strict=True):
        stack.append([leaf])
        assert stack.root().hex() == expected


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, [LEAF_1, NODE_2_3, NODE_4_7]),
        (5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", NODE_6_7, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], NODE_2_3, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
    ],
)
def test_inclusion_proofs_of_the_reference_tree(index: int, size: int, proof: list[str]) -> None:
    assert [item.hex() for item in tree.inclusion(index, size, tree.complete_subtrees(LEAVES))] == proof


@pytest.mark.parametrize(
    ("old", "size", "proof"),
    [
        (1, 1, []),
        (1, 8, [LEAF_1, NODE_2_3, NODE_4_7]),
        (6, 8, [NODE_4_5, NODE_6_7, ROOTS[4]]),
        (2, 5, [NODE_2_3, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
    ],
)
def test_consistency_proofs_of_the_reference_tree(old: int, size: int, proof: list[str]) -> None:
    assert [item.hex() for item in tree.consistency(old, size, tree.complete_subtrees(LEAVES))] == proof


def test_every_small_tree_has_the_root_of_the_definition_however_it_grew() -> None:
    stack, tiles = verify.Tree(), Tiles(Memory())
    for size in range(MOST + 1):
        expected = by_definition(MANY[:size])
        assert tree.root(MANY[:size]) == tiles.root() == stack.root() == expected
        at_once = verify.Tree()
        at_once.append(MANY[:size])
        assert at_once.root() == expected
        stack.append([MANY[size]])
        tiles.append([MANY[size]])


@pytest.mark.parametrize("included", INCLUDED, ids=["console", "verifier"])
def test_every_inclusion_proof_of_every_small_tree(included: Included) -> None:
    tiles = Tiles(Memory())
    tiles.append(MANY[:MOST])
    roots = [tiles.root(size) for size in range(MOST + 1)]
    for size in range(1, MOST + 1):
        for index in range(size):
            leaf, proof = MANY[index], tiles.inclusion(index, size)
            assert included(leaf, index, size, proof, roots[size])
            assert not included(MANY[index + 1], index, size, proof, roots[size])
            assert not included(leaf, index, size, proof, roots[size - 1])
            for other in {index - 1, index + 1, index ^ 1, size - 1 - index, size, -1} - {index}:
                assert not included(leaf, other, size, proof, roots[size])
            for forged in forgeries(proof):
                assert not included(leaf, index, size, forged, roots[size])


@pytest.mark.parametrize("consistent", CONSISTENT, ids=["console", "verifier"])
def test_every_consistency_proof_of_every_small_tree(consistent: Consistent) -> None:
    tiles = Tiles(Memory())
    tiles.append(MANY[:MOST])
    roots = [tiles.root(size) for size in range(MOST + 1)]
    for size in range(MOST + 1):
        for old in range(size + 1):
            proof = tiles.consistency(old, size)
            assert consistent(old, roots[old], size, roots[size], proof)
            if old == size:
                assert not consistent(old, MANY[0][::-1], size, roots[size], proof)
                continue
            assert not consistent(size, roots[size], old, roots[old], proof)
            if not old:
                continue
            assert not consistent(old, roots[old - 1], size, roots[size], proof)
            assert not consistent(old, roots[old], size, roots[size - 1], proof)
            assert not consistent(old - 1, roots[old], size, roots[size], proof)
            for forged in forgeries(proof):
                assert not consistent(old, roots[old], size, roots[size], forged)


def forgeries(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with one element dropped, doubled, added, exchanged, cut, or with one bit turned."""
    made = [[*proof, EMPTY], [EMPTY, *proof]]
    for place, item in enumerate(proof):
        before, after = proof[:place], proof[place + 1 :]
        bit = place * 37 % 256
        turned = (int.from_bytes(item, "big") ^ (1 << bit)).to_bytes(32, "big")
        made += [
            [*before, *after],
            [*before, item, item, *after],
            [*before, turned, *after],
            [*before, item[:-1], *after],
        ]
    for place, (first, second) in enumerate(pairwise(proof)):
        made.append([*proof[:place], second, first, *proof[place + 2 :]])
    return made


def test_every_bit_of_a_proof_counts() -> None:
    proof, expected = tree.inclusion(11, 23, tree.complete_subtrees(MANY)), tree.root(MANY[:23])
    steps = tree.consistency(11, 23, tree.complete_subtrees(MANY))
    for place in range(len(proof)):
        for bit in range(256):
            forged = [*proof]
            forged[place] = (int.from_bytes(proof[place], "big") ^ (1 << bit)).to_bytes(32, "big")
            assert not any(included(MANY[11], 11, 23, forged, expected) for included in INCLUDED)
    for bit in range(0, 256, 5):
        forged = [(int.from_bytes(steps[0], "big") ^ (1 << bit)).to_bytes(32, "big"), *steps[1:]]
        assert not any(
            consistent(11, tree.root(MANY[:11]), 23, expected, forged) for consistent in CONSISTENT
        )


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        tree.inclusion(index, size, tree.complete_subtrees(MANY))


def test_no_proof_from_or_to_a_size_that_never_was() -> None:
    tiles = Tiles(Memory())
    tiles.append(MANY[:10])
    for old, size in ((11, 10), (-1, 10), (3, 11)):
        with pytest.raises(IndexError):
            tiles.consistency(old, size)
    with pytest.raises(IndexError):
        tiles.root(11)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=8), st.data())
def test_tiles_know_every_size_they_grew_through(parts: list[int], data: st.DataObject) -> None:
    tiles = Tiles(Memory())
    for part in parts:
        tiles.append(MANY[tiles.size : tiles.size + part])
    size = data.draw(st.integers(0, tiles.size))
    assert tiles.root(size) == tree.root(MANY[:size])
    if size:
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
        assert tiles.inclusion(index, size) == tree.inclusion(index, size, tree.complete_subtrees(MANY))
        assert tiles.consistency(old, size) == tree.consistency(old, size, tree.complete_subtrees(MANY))


def test_tiles_of_three_levels() -> None:
    tiles = Tiles(Memory())
    for start in range(0, len(MANY), 9_999):
        tiles.append(MANY[start : start + 9_999])
    assert {level for level, _ in tiles.store} == {0, 1, 2}
    assert tiles.root() == tree.root(MANY)
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        assert included(MANY[index], index, 70_000, tiles.inclusion(index), tiles.root())
    for old in (1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999):
        assert consistent(old, tree.root(MANY[:old]), 70_000, tiles.root(), tiles.consistency(old))


class Counting(Memory):
    """Notes which tiles are touched."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[int, int]] = []
        self.written: list[tuple[int, int]] = []

    def get(self, level: int, index: int) -> bytes:  # type: ignore[override]
        self.read.append((level, index))
        return super().get(level, index)

    def put(self, level: int, index: int, tile: bytes) -> None:
        assert tile.startswith(dict.get(self, (level, index), b"")), (
            "a tile changed that others may have read"
        )
        self.written.append((level, index))
        super().put(level, index, tile)


def test_few_tiles_are_touched_and_none_is_rewritten() -> None:
    store = Counting()
    tiles = Tiles(store)
    tiles.append(MANY[:69_000])
    store.read.clear()
    store.written.clear()
    tiles.append(MANY[69_000:69_100])
    assert store.read == [(0, 269)]
    assert store.written == [(0, 269)]
    tiles.append(MANY[69_100:69_200])
    assert store.written[1:] == [(0, 269), (0, 270), (1, 1)]
    store.read.clear()
    Tiles(store, 69_200).inclusion(30_000)
    assert len(store.read) <= 6


def test_a_crash_between_tiles_and_size_leaves_nothing_to_mend() -> None:
    store = Memory()
    tiles = Tiles(store)
    tiles.append(MANY[:600])
    tiles.append(MANY[600:1_000])
    again = Tiles(store, 600)  # whoever noted the size had not come so far
    assert again.root() == tree.root(MANY[:600])
    again.append(MANY[5_000:5_300])
    assert again.root() == tree.root([*MANY[:600], *MANY[5_000:5_300]])
    assert again.inclusion(599) == tree.inclusion(
        599, 900, tree.complete_subtrees([*MANY[:600], *MANY[5_000:5_300]])
    )


def test_tiles_that_are_too_short_are_named() -> None:
    store = Memory()
    Tiles(store).append(MANY[:5])
    with pytest.raises(LookupError, match="tile 0 of level 0 holds 5 hashes, 7 are needed"):
        Tiles(store, 7).root()
    with pytest.raises(KeyError):
        Tiles(store, 700).root()


def test_a_tree_grows_in_view_of_the_same_reader() -> None:
    tiles = Tiles(Memory())
    for size in (3, 200, 256, 300, 511, 513):
        tiles.append(MANY[tiles.size : size])
        assert tiles.root() == tree.root(MANY[:size])
        assert tiles.inclusion(size - 1) == tree.inclusion(size - 1, size, tree.complete_subtrees(MANY))
