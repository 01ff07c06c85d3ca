from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof_deploy.plan.gaps import Gap
from dialproof_deploy.plan.ordering import NoSafeSequenceError, NoSequenceError, Placement, PlacementWrite, sequence

if TYPE_CHECKING:
    from collections.abc import Sequence


@st.composite
def reorderings(draw: st.DrawFn, most: int = 8, fixed: bool = False) -> list[Placement]:
    """Draw old and new orders with gaps for rules that stay, move, change, come and go."""
    count = draw(st.integers(1, most))
    olds = draw(st.permutations(range(1, draw(st.integers(count, count + 4)) + 1)))
    news = draw(st.permutations(range(1, draw(st.integers(count, count + 4)) + 1)))
    kinds = draw(
        st.lists(st.sampled_from(["stay", "stay", "stay", "create", "delete"]), min_size=count, max_size=count)
    )
    placements = []
    for n, kind in enumerate(kinds):
        old = None if kind == "create" else olds[n]
        new = None if kind == "delete" else news[n]
        placements.append(Placement(f"r{n}", old, new, draw(st.booleans()), draw(st.integers(0, 2))))
    if fixed:
        taken = {p.new for p in placements}
        for order in draw(st.sets(st.integers(1, count + 4), max_size=2)):
            if order not in taken | {p.old for p in placements}:
                placements.append(Placement(f"kept{order}", order, order, fixed=True))
    return placements


def related_in(order: dict[str, int], one: str, other: str) -> bool | None:
    """Tell whether the first stands above the second; ``None`` if they are not both there."""
    return order[one] > order[other] if one in order and other in order else None


def check(placements: Sequence[Placement], writes: Sequence[PlacementWrite]) -> None:
    """Play the writes on a server that refuses a taken order, and look at every state."""
    old = {p.name: p.old for p in placements if p.old is not None}
    new = {p.name: p.new for p in placements if p.new is not None}
    now = dict(old)
    carried: Counter[str] = Counter()
    for write in writes:
        if write.order is None:
            del now[write.name]
        else:
            assert write.order >= 1
            assert write.order not in {o for n, o in now.items() if n != write.name}, "the server would refuse"
            assert now.get(write.name) != write.order or write.with_content, "a write that changes nothing"
            now[write.name] = write.order
        carried[write.name] += write.with_content
        for one, other in combinations(now, 2):
            allowed = {related_in(old, one, other), related_in(new, one, other)} - {None}
            assert not allowed or related_in(now, one, other) in allowed, "a pair in neither order"
    assert now == new
    assert max(Counter(write.name for write in writes).values(), default=0) <= 2
    for p in placements:
        assert carried[p.name] == (p.old is None or (p.changed and p.new is not None))


@given(reorderings())
@settings(max_examples=200)
def test_every_state_keeps_each_pair_in_its_old_or_new_order(placements: list[Placement]) -> None:
    """For any reordering with creates, deletes and updates: no duplicate order, no third order, at most 2 writes."""
    check(placements, sequence(placements))


@given(reorderings(fixed=True))
@settings(max_examples=150)
def test_fixed_rules_are_never_written(placements: list[Placement]) -> None:
    """Kept rules stay where they are; where they leave no way that is said, naming one of them."""
    fixed = {p.name for p in placements if p.fixed}
    blocking = ""
    try:
        writes = sequence(placements)
    except NoSequenceError as error:
        blocking = error.fixed
    if blocking:
        assert blocking in fixed
        return
    check(placements, writes)
    assert not fixed & {write.name for write in writes}


@given(reorderings())
@settings(max_examples=100)
def test_without_circles_each_change_is_one_write(placements: list[Placement]) -> None:
    """Rules that keep their relative order are written once each, whatever gaps open or close."""
    names = [p.name for p in placements]
    olds = sorted(p.old or 100 + n for n, p in enumerate(placements))
    news = sorted(p.new or 100 + n for n, p in enumerate(placements))
    straight = [Placement(name, old, new) for name, old, new in zip(names, olds, news, strict=True)]
    writes = sequence(straight)
    check(straight, writes)
    assert len(writes) == sum(p.old != p.new for p in straight)


def moved(**orders: tuple[int | None, int | None]) -> list[Placement]:
    """Return placements from ``name=(old, new)``."""
    return [Placement(name, old, new) for name, (old, new) in orders.items()]


def steps(placements: Sequence[Placement]) -> list[tuple[str, int | None]]:
    """Return the checked sequence as (name, order)."""
    writes = sequence(placements)
    check(placements, writes)
    return [(write.name, write.order) for write in writes]


def test_a_swap_parks_one_rule_above() -> None:
    """Two rules at the end swap with three writes."""
    assert steps(moved(a=(1, 2), b=(2, 1))) == [("a", 3), ("b", 1), ("a", 2)]


def test_a_swap_uses_a_gap() -> None:
    """With gaps between the orders nothing else is touched."""
    assert steps(moved(a=(10, 20), b=(20, 10), c=(30, 30))) == [("a", 1), ("b", 10), ("a", 20)]


def test_a_swap_without_a_gap_shifts_the_rules_above() -> None:
    """The rules above make room from the top down and come back from the bottom up."""
    assert steps(moved(a=(1, 2), b=(2, 1), c=(3, 3), d=(4, 4))) == [
        ("d", 5),
        ("c", 4),
        ("a", 3),
        ("b", 1),
        ("a", 2),
        ("c", 3),
        ("d", 4),
    ]


def test_inserting_at_the_top_moves_from_the_bottom() -> None:
    """Making room for a new first rule writes the last one first, each once."""
    assert steps(moved(new=(None, 1), a=(1, 2), b=(2, 3))) == [("b", 3), ("a", 2), ("new", 1)]


def test_moving_one_rule_down_the_list_parks_it_alone() -> None:
    """A rule that goes from first to last is parked; the others move once."""
    writes = steps(moved(a=(1, 5), b=(2, 1), c=(3, 2), d=(4, 3), e=(5, 4)))
    assert len(writes) == 6
    assert Counter(name for name, _ in writes)["a"] == 2


def test_a_freed_order_is_used_for_parking() -> None:
    """A deleted rule's place serves a swap below it."""
    assert len(steps(moved(a=(1, 2), b=(2, 1), gone=(3, None), c=(4, 4)))) == 4


def test_a_fixed_rule_without_a_gap_below_leaves_no_way() -> None:
    """The error names the rule that is stuck and the one in its way."""
    stuck = [*moved(a=(1, 2), b=(2, 1)), Placement("kept", 3, 3, fixed=True)]
    with pytest.raises(NoSequenceError) as caught:
        sequence(stuck)
    assert (caught.value.rule, caught.value.fixed) == ("a", "kept")


def test_ranks_order_what_is_free() -> None:
    """Rank 0 comes first and rank 2 last, be it a create, an update or a delete."""
    placements = [
        Placement("ends", 1, None, rank=2),
        Placement("narrows", 2, 2, changed=True, rank=2),
        Placement("plain", 3, 3, changed=True),
        Placement("goes", 4, None),
        Placement("widens", 5, 5, changed=True, rank=0),
        Placement("begins", None, 9, rank=0),
    ]
    names = [name for name, _ in steps(placements)]
    assert set(names[:2]) == {"widens", "begins"}
    assert set(names[-2:]) == {"ends", "narrows"}


def test_order_stands_before_rank() -> None:
    """A create that takes a deleted rule's place waits for the delete, whatever their ranks."""
    placements = [Placement("ends", 1, None, rank=2), Placement("begins", None, 1, rank=0)]
    assert [name for name, _ in steps(placements)] == ["ends", "begins"]


def test_a_parked_rule_that_widens_carries_its_content_first() -> None:
    """A rule that comes to suppress does so with its first write, one that ceases to with its last."""
    for rank, expected in ((0, [True, False]), (2, [False, True])):
        placements = [Placement("a", 1, 2, changed=True, rank=rank), Placement("b", 2, 1)]
        writes = sequence(placements)
        check(placements, writes)
        assert [w.with_content for w in writes if w.name == "a"] == expected


def test_a_new_name_is_written_before_the_old_one_is_used_again() -> None:
    """A rename precedes the create of another rule under the old name."""
    placements = [Placement("new", None, 1, rank=0), Placement("renamed", 5, 5, changed=True, rank=2)]
    names = [write.name for write in sequence(placements, content_before_create=[("renamed", "new")])]
    assert names == ["renamed", "new"]


def test_gaps_stand_before_rank() -> None:
    """What comes is written before what goes, whatever their ranks."""
    placements = [Placement("ends", 1, None), Placement("begins", None, 9, rank=2), Placement("joins", None, 8, rank=2)]
    writes = sequence(placements, gaps=[Gap(frozenset({"ends"}), frozenset({"begins"}))])
    assert [write.name for write in writes] == ["joins", "begins", "ends"]
    check(placements, writes)


def test_a_content_is_written_apart_where_its_place_is_not_free() -> None:
    """A rule whose content must come first is written at its old place, and moved in its turn."""
    placements = [Placement("a", 1, 2, changed=True), Placement("b", 2, 3, changed=True)]
    writes = sequence(placements, gaps=[Gap(frozenset({"b"}), frozenset({"a"}))])
    check(placements, writes)
    assert writes == [
        PlacementWrite("a", 1, with_content=True, final=False),
        PlacementWrite("b", 3, with_content=True, final=True),
        PlacementWrite("a", 2, with_content=False, final=True),
    ]


def test_gaps_that_wait_for_each_other_leave_no_sequence() -> None:
    """Two contents that must each come before the other cannot be written one by one."""
    placements = [Placement("a", 1, 1, changed=True), Placement("b", 2, 2, changed=True)]
    one, other = frozenset({"a"}), frozenset({"b"})
    with pytest.raises(NoSafeSequenceError):
        sequence(placements, gaps=[Gap(one, other), Gap(other, one)])


def test_the_sequence_does_not_depend_on_the_order_of_its_input() -> None:
    """The same change gives the same writes, however the rules are listed."""
    placements = moved(a=(1, 3), b=(2, 1), c=(3, 2), d=(4, 4), e=(None, 9), f=(7, None))
    assert sequence(placements) == sequence(placements[::-1])


def test_no_change_is_no_write() -> None:
    """Rules that stand right are not written."""
    assert sequence([Placement(f"r{n}", n, n) for n in range(1, 1001)]) == []
