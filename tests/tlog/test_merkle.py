"""RFC 6962 hashing, against the RFC's own definition written out naively."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wanjia.tlog import merkle

# The eight leaves and roots of Google's Certificate Transparency test vectors.
LEAVES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 writes it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as RFC 6962 §2.1.1 writes it."""
    if len(leaves) <= 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*naive_path(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive_root(leaves[:split])]


def leaves_of(size: int) -> list[bytes]:
    return [sha256(str(number).encode()).digest() for number in range(size)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_equal_the_published_vectors(size):
    assert merkle.root([bytes.fromhex(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert merkle.root([]) == sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128, 129])
def test_every_leaf_of_every_tree_has_the_path_of_the_definition(size):
    leaves = leaves_of(size)
    root = merkle.root(leaves)
    assert root == naive_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(leaves, index)
        assert proof == naive_path(index, leaves)
        assert merkle.verify_inclusion(leaf, index, size, proof, root)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 70))
def test_a_proof_shows_nothing_else(data, size):
    leaves = leaves_of(size)
    root = merkle.root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(leaves, index)
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index or size == 1))

    assert not merkle.verify_inclusion(sha256(b"forged").digest(), index, size, proof, root)
    assert size == 1 or not merkle.verify_inclusion(leaves[index], other, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(leaves[index], index, size, proof, sha256(root).digest())
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        assert not merkle.verify_inclusion(leaves[index], index, size, [*proof[:at], flipped, *proof[at + 1 :]], root)
        assert not merkle.verify_inclusion(leaves[index], index, size, proof[:-1], root)
        assert not merkle.verify_inclusion(leaves[index], index, size, [*proof[:-1], b"short"], root)


def test_an_inner_node_cannot_pass_for_a_detail_row():
    leaves = leaves_of(4)
    left = merkle.node_hash(merkle.leaf_hash(leaves[0]), merkle.leaf_hash(leaves[1]))
    right = merkle.node_hash(merkle.leaf_hash(leaves[2]), merkle.leaf_hash(leaves[3]))
    assert merkle.node_hash(left, right) == merkle.root(leaves)
    assert merkle.root([left, right]) != merkle.root(leaves)


def test_a_leaf_outside_the_tree_has_no_proof():
    with pytest.raises(IndexError):
        merkle.inclusion_proof(leaves_of(3), 3)
    assert not merkle.verify_inclusion(leaves_of(3)[0], -1, 3, [], merkle.root(leaves_of(3)))


@pytest.mark.parametrize("before", [0, 1, 4_096])
@pytest.mark.parametrize("count", [0, 1, 4_095, 4_096, 4_097, 12_289])
def test_many_leaves_at_once_make_the_same_tree_as_one_by_one(before, count):
    leaves = [number.to_bytes(32, "big") for number in range(before + count)]
    one_by_one, at_once = merkle.RootBuilder(), merkle.RootBuilder()
    for leaf in leaves:
        one_by_one.add(leaf)
    for leaf in leaves[:before]:
        at_once.add(leaf)
    at_once.extend(leaves[before:])

    assert (at_once.size, at_once.root()) == (one_by_one.size, one_by_one.root())
