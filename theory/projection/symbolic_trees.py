"""Derivatives of the dual potential as sums of trees, and their contractions with cumulants as sums of graphs.

The dual potential Phi has the Hessian G^-1, a function of the mean parameter. A derivative by the mean parameter is
one by the natural parameter with its index raised, and that turns a factor Psi^(k) into Psi^(k+1) and a factor G^-1
into -G^-1 Psi^(3) G^-1. So every derivative of Phi is a sum of trees: inner vertices are cumulants of the model, edges
are G^-1. Closing the leaves with cumulants of the truth makes graphs. The number of parameters is never used.

A tree is written from its leaf 0: a leaf is its number, a vertex the set of what hangs below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import permutations, product
from typing import Any, NamedTuple

import sympy as sp

t0, t1, t21, t22, t31 = sp.symbols("t0 t1 t21 t22 t31")
F, B, K, p = sp.symbols("F B K p")


class Graph(NamedTuple):
    """Contraction of cumulants: vertices of the model are numbered, each truth cumulant is the tuple it hangs on."""

    edges: tuple[tuple[int, ...], ...]
    truth: tuple[tuple[int, ...], ...]


def grown(tree: Any, leaf: int) -> dict[Any, int]:
    """Return the derivative of a tree, its own upper edge included, with the new index at `leaf`."""
    found: dict[Any, int] = {frozenset({tree, leaf}): -1}
    if isinstance(tree, frozenset):
        found[tree | {leaf}] = 1
        for child in tree:
            found |= {(tree - {child}) | {new}: factor for new, factor in grown(child, leaf).items()}
    return found


@cache
def dual_derivative(order: int) -> Mapping[Any, int]:
    """Return the derivative of Phi of the given order, 2 or more, as trees and their factors."""
    if order == 2:
        return {1: 1}
    found: dict[Any, int] = {}
    for tree, factor in dual_derivative(order - 1).items():
        for new, sign in grown(tree, order - 1).items():
            found[new] = found.get(new, 0) + factor * sign
    return found


def _placed(tree: Any) -> tuple[dict[int, int], list[tuple[int, int]], int]:
    """Return the vertex at which each leaf hangs, the edges between vertices and the number of vertices."""
    leaves: dict[int, int] = {}
    edges: list[tuple[int, int]] = []
    count = 0

    def walk(node: Any, above: int) -> None:
        nonlocal count
        if not isinstance(node, frozenset):
            leaves[node] = above
            return
        place, count = count, count + 1
        if above < 0:
            leaves[0] = place
        else:
            edges.append((above, place))
        for child in node:
            walk(child, place)

    walk(tree, -1)
    return leaves, edges, count


def canonical(edges: Sequence[Sequence[int]], truth: Sequence[Sequence[int]], count: int) -> Graph:
    """Return the graph in the numbering of its vertices that comes first."""
    return min(
        Graph(
            tuple(sorted(tuple(sorted(order[k] for k in edge)) for edge in edges)),
            tuple(sorted(tuple(sorted(order[k] for k in block)) for block in truth)),
        )
        for order in permutations(range(count))
    )


PLAIN = Graph((), ((),))
"""The trace of G^-1 Sigma, the only contraction without a vertex of the model."""


@cache
def closed(order: int, blocks: tuple[tuple[int, ...], ...]) -> Mapping[Graph, int]:
    """Return the derivative of Phi contracted with one truth cumulant for each block of leaves."""
    if order == 2:
        return {PLAIN: 1}
    found: dict[Graph, int] = {}
    for tree, factor in dual_derivative(order).items():
        leaves, edges, count = _placed(tree)
        graph = canonical(edges, [[leaves[k] for k in block] for block in blocks], count)
        found[graph] = found.get(graph, 0) + factor
    return {graph: factor for graph, factor in found.items() if factor}


def partitions(items: Sequence[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield the partitions of `items` into blocks of two or more: the cumulants in a central moment."""
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    for chosen in product((False, True), repeat=len(rest)):
        block = (first, *(item for item, taken in zip(rest, chosen, strict=True) if taken))
        if len(block) > 1:
            left = [item for item, taken in zip(rest, chosen, strict=True) if not taken]
            yield from ((block, *others) for others in partitions(left))


@cache
def contraction(*sizes: int) -> Mapping[Graph, int]:
    """Return the derivative of Phi closed with truth cumulants of these orders; every placing gives the same sum."""
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    blocks = tuple(tuple(range(start, start + size)) for start, size in zip(starts, sizes, strict=True))
    return closed(sum(sizes), blocks)


@cache
def terms(order: int) -> Mapping[tuple[int, ...], int]:
    """Return the block sizes that give the term n^-order of the mean of Phi^(k) eps^k, any k, and how often.

    A cumulant of order b of a mean of n is that of one draw over n^(b-1), thus a partition has the power of n that is
    the number of leaves less that of blocks. That is at least half the leaves.
    """
    found: dict[tuple[int, ...], int] = {}
    for leaves in range(2, 2 * order + 1):
        for blocks in partitions(range(leaves)):
            if leaves - len(blocks) == order:
                sizes = tuple(sorted(map(len, blocks)))
                found[sizes] = found.get(sizes, 0) + 1
    return found


NAMES: Mapping[Graph, Any] = {
    PLAIN: t0,
    canonical([], [(0, 0, 0)], 1): t1,
    canonical([(0, 1)], [(0, 0), (1, 1)], 2): t21,
    canonical([(0, 1)], [(0, 1), (0, 1)], 2): t22,
    canonical([], [(0, 0), (0, 0)], 1): t31,
}
OWN: Mapping[Graph, Any] = {
    canonical([(0, 1), (0, 1), (0, 1)], [], 2): F,
    canonical([(0, 0), (0, 1), (1, 1)], [], 2): B,
    canonical([(0, 0), (0, 0)], [], 1): K,
}


def named(graphs: Mapping[Graph, int], names: Mapping[Graph, Any] = NAMES) -> Any:
    """Return the sum of graphs in the symbols of their names; a graph without a name keeps its edges as one."""
    return sum((factor * names.get(graph, sp.Symbol(str(tuple(graph)))) for graph, factor in graphs.items()), sp.S.Zero)


def well_specified(graphs: Mapping[Graph, int]) -> Any:
    """Return the sum of graphs if the truth is the model: a covariance becomes an edge, a higher cumulant a vertex."""
    total = sp.S.Zero
    for graph, factor in graphs.items():
        if graph == PLAIN:
            total += factor * p
            continue
        edges = [*graph.edges, *(block for block in graph.truth if len(block) == 2)]
        count = 1 + max(k for block in (*graph.edges, *graph.truth) for k in block)
        for block in graph.truth:
            if len(block) > 2:
                edges += [(k, count) for k in block]
                count += 1
        total += named({canonical(edges, [], count): factor}, OWN)
    return total


def evaluated(
    graphs: Mapping[Graph, int],
    inverse: Sequence[Any],
    model: Callable[[tuple[int, ...]], Any],
    truth: Callable[[tuple[int, ...]], Any],
) -> Any:
    """Return the number that a sum of graphs is, for a diagonal G^-1 and cumulants by their sorted indices."""
    total: Any = Fraction(0)
    for graph, factor in graphs.items():
        if graph == PLAIN:
            total += factor * sum(value * truth((k, k)) for k, value in enumerate(inverse))
            continue
        # an edge joins two vertices with one index, a leg joins a vertex with a truth cumulant
        legs = [(place, block) for block, places in enumerate(graph.truth) for place in places]
        count = 1 + max(k for block in (*graph.edges, *graph.truth) for k in block)
        for indices in product(range(len(inverse)), repeat=len(graph.edges) + len(legs)):
            inner: list[list[int]] = [[] for _ in range(count)]
            outer: list[list[int]] = [[] for _ in graph.truth]
            value: Any = factor
            for index, edge in zip(indices, graph.edges, strict=False):
                for place in edge:
                    inner[place].append(index)
                value *= inverse[index]
            for index, (place, block) in zip(indices[len(graph.edges) :], legs, strict=True):
                inner[place].append(index)
                outer[block].append(index)
                value *= inverse[index]
            for found in outer:
                value *= truth(tuple(sorted(found)))
                if not value:
                    break
            else:
                for found in inner:
                    value *= model(tuple(sorted(found)))
                total += value
    return total
