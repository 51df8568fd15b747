"""Merkle tree hashing of RFC 6962 §2.1, with SHA-256.

    leaf_hash(d)    = SHA-256(0x00 ‖ d)
    node_hash(l, r) = SHA-256(0x01 ‖ l ‖ r)
    MTH of n > 1 leaves splits at the largest power of two below n

The two prefixes keep a leaf from ever passing for a node (second preimages). A *digest* here is
the data of a leaf, never its leaf hash: a caller's 32 bytes are hashed once more with the leaf
prefix, so a detail row cannot be chosen to look like an inner node.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from itertools import islice

HASH_SIZE = 32
PIECE_HEIGHT = 12  # of the perfect subtrees many leaves are hashed in
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds `data`."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its children's hashes."""
    return sha256(b"\x01" + left + right).digest()


class RootBuilder:
    """The root over leaves that arrive one at a time, in memory of log₂(n) hashes.

    Keeps one hash for each perfect subtree of what came so far, like the bits of a binary
    counter: adding a leaf carries.
    """

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []  # roots of perfect subtrees, largest first

    def add(self, data: bytes) -> None:
        """Append the leaf that holds `data`."""
        self._join(leaf_hash(data), 0)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaves in their order: as `add` for each, in two thirds of its time where they are many."""
        source = iter(leaves)
        while piece := list(islice(source, 1 << PIECE_HEIGHT)):
            if len(piece) == 1 << PIECE_HEIGHT and self.size % len(piece) == 0:
                self._join(_perfect_root(piece), PIECE_HEIGHT)
                continue
            for data in piece:
                self.add(data)

    def _join(self, current: bytes, height: int) -> None:
        """Append a perfect subtree of 2^height leaves; the tree so far is a multiple of that size."""
        carry = self.size >> height
        while carry & 1:
            current = node_hash(self._subtrees.pop(), current)
            carry >>= 1
        self._subtrees.append(current)
        self.size += 1 << height

    def root(self) -> bytes:
        """The root over the leaves so far; of none, the hash of the empty string."""
        if not self._subtrees:
            return EMPTY_ROOT
        current = self._subtrees[-1]
        for left in reversed(self._subtrees[:-1]):
            current = node_hash(left, current)
        return current


def root(digests: Iterable[bytes]) -> bytes:
    """The root over `digests` in their order."""
    builder = RootBuilder()
    builder.extend(digests)
    return builder.root()


def _perfect_root(leaves: Sequence[bytes]) -> bytes:
    """The root over 2^k leaves, level by level; `leaf_hash` and `node_hash` written out, for speed alone."""
    level = [sha256(b"\x00" + data).digest() for data in leaves]
    while len(level) > 1:
        nodes = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes, nodes, strict=True)]
    return level[0]


def inclusion_proof(digests: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes from leaf `index` up to the root, lowest first.

    Raises IndexError for an index outside the tree.
    """
    return inclusion_proofs(digests, [index])[index]


def inclusion_proofs(digests: Sequence[bytes], indices: Collection[int]) -> dict[int, list[bytes]]:
    """As `inclusion_proof`, for several leaves of one tree, which is hashed once.

    Raises IndexError for an index outside the tree.
    """
    paths: dict[int, list[bytes]] = {index: [] for index in indices}
    for index in paths:
        if not 0 <= index < len(digests):
            raise IndexError(f"no leaf {index} in a tree of {len(digests)}")
    level = [leaf_hash(digest) for digest in digests]
    height = 0
    while len(level) > 1:
        for index, path in paths.items():
            sibling = (index >> height) ^ 1
            if sibling < len(level):  # the last node of an odd level has none and moves up as it is
                path.append(level[sibling])
        pairs = range(0, len(level) - 1, 2)
        above = [node_hash(level[at], level[at + 1]) for at in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level, height = above, height + 1
    return paths


def verify_inclusion(digest: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` shows that leaf `index` of the `size` leaves under `expected_root` holds `digest`.

    The algorithm of RFC 9162 §2.1.3.2; a proof that is too short, too long or holds something
    that is no hash is false, never an error.
    """
    if not 0 <= index < size or any(len(step) != HASH_SIZE for step in proof):
        return False
    at, last, current = index, size - 1, leaf_hash(digest)
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            current = node_hash(step, current)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            current = node_hash(current, step)
        at, last = at >> 1, last >> 1
    return last == 0 and current == expected_root
