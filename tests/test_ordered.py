"""Hold the ordered list to a sorted Python list."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.ordered import Ordered

MARKS = st.tuples(st.integers(-5, 5), st.integers(0, 5))
WORK = st.lists(st.tuples(st.booleans(), MARKS), max_size=60)


def compare(ordered: Ordered[str], model: dict[tuple[int, int], str]) -> None:
    """Compare everything that can be asked of the list with the model."""
    marks = sorted(model)
    assert list(ordered) == [model[mark] for mark in marks]
    assert len(ordered) == len(marks)
    assert ordered.first() == (model[marks[0]] if marks else None)


@given(WORK)
def test_a_small_list_is_a_sorted_list(work: list[tuple[bool, tuple[int, int]]]) -> None:
    ordered: Ordered[str] = Ordered()
    model: dict[tuple[int, int], str] = {}
    for _, mark in work:
        if mark in model:
            ordered.remove(*mark)
            del model[mark]
        else:
            model[mark] = f"{mark}"
            ordered.add(*mark, model[mark])
        compare(ordered, model)
    marks = sorted(model)
    for key in range(-6, 7):
        for tie in range(-1, 7):
            later = [mark for mark in marks if mark > (key, tie)]
            assert ordered.after(key, tie) == (model[later[0]] if later else None)
    for position, mark in enumerate(marks):
        assert ordered.at(position) == model[mark]


@pytest.mark.parametrize("seed", range(3))
def test_a_long_list_is_a_sorted_list(seed: int) -> None:
    """Grow over many chunks, then shrink to nothing, in random order."""
    draw = random.Random(seed)
    ordered: Ordered[int] = Ordered()
    model: list[tuple[int, int]] = []
    for number in range(3_000):
        mark = (draw.randrange(500), number)
        model.append(mark)
        ordered.add(*mark, number)
    model.sort()
    assert list(ordered) == [tie for _, tie in model]
    while model:
        mark = model.pop(draw.randrange(len(model)))
        ordered.remove(*mark)
        if len(model) % 100 == 0:
            assert list(ordered) == [tie for _, tie in model]
            where = (draw.randrange(-1, 501), draw.randrange(3_000))
            later = [tie for key, tie in model if (key, tie) > where]
            assert ordered.after(*where) == (later[0] if later else None)
            if model:
                position = draw.randrange(len(model))
                assert ordered.at(position) == model[position][1]
    assert not ordered.chunks
    assert not ordered.items


def test_a_place_is_taken_once() -> None:
    ordered: Ordered[str] = Ordered()
    ordered.add(1, 1, "x")
    with pytest.raises(AssertionError, match="each place is taken once"):
        ordered.add(1, 1, "y")


def test_nothing_lies_behind_the_last() -> None:
    ordered: Ordered[str] = Ordered()
    with pytest.raises(IndexError):
        ordered.at(0)
    with pytest.raises(KeyError):
        ordered.remove(1, 1)
    ordered.add(1, 1, "x")
    with pytest.raises(IndexError):
        ordered.at(1)
