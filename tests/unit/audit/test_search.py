"""The search for paths, compared with trying everything."""

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audit.paths.graph import Kind, Node, Step, lines
from audit.paths.search import shortest

Edges = dict[tuple[int, int], bool]
"""Steps between numbered nodes, and whether each is certain."""


@given(
    st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.booleans(), max_size=30),
    st.sets(st.integers(0, 4), min_size=1, max_size=3),
    st.booleans(),
)
def test_the_search_finds_what_trying_every_way_finds(edges: Edges, starts: set[int], certain: bool) -> None:  # noqa: FBT001
    ends = {7, 8, 9} - starts
    nodes = [Node(Kind.PODS, "space", str(number)) for number in range(10)]

    def steps(node: Node) -> Iterator[Step]:
        for (source, target), sure in edges.items():
            if source == int(node.name):
                yield Step(nodes[target], f"{source}-{target}", "", lines(), certain=sure)

    def is_end(node: Node) -> bool:
        return int(node.name) in ends

    found = list(shortest([nodes[each] for each in sorted(starts)], steps, is_end, certain=certain))
    assert {int(each.end.name): len(each.steps) for each in found} == tried(edges, starts, ends, certain=certain)
    for way in found:
        on_the_way = [int(way.start.name), *(int(each.target.name) for each in way.steps)]
        assert on_the_way[0] in starts
        assert all(pair in edges and (edges[pair] or not certain) for pair in pairwise(on_the_way))
        assert ends.isdisjoint(on_the_way[:-1])
    assert [len(each.steps) for each in found] == sorted(len(each.steps) for each in found)


def tried(edges: Edges, starts: set[int], ends: set[int], *, certain: bool) -> dict[int, int]:
    """The least number of steps to each end, by following every sequence of at most nine steps."""
    usable = [pair for pair, sure in edges.items() if sure or not certain]
    found: dict[int, int] = {}
    reached = starts
    for length in range(1, 10):
        reached = {target for source, target in usable if source in reached - ends}
        for end in reached & ends:
            found.setdefault(end, length)
    return found
