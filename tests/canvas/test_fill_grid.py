"""The grid of a fill covers everything exactly once, never rests, and costs what is promised."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canvas.fill.grid import Span, cover, phases
from canvas.geometry import Rect


def borders(spans: tuple[Span, ...]) -> set[int]:
    """Where the windows of one axis meet."""
    return {span.owned[0] for span in spans[1:]}


@settings(deadline=None, max_examples=30)
@given(st.integers(-500, 500), st.integers(32, 700), st.integers(1, 30))
def test_weights_sum_to_one_and_windows_stay_inside(start: int, length: int, steps: int) -> None:
    for phase in phases(Rect(start, 0, length, 32), 32, steps):
        total = np.zeros(length)
        for span in phase.xs:
            assert start <= span.start <= start + length - 32
            total[span.start - start : span.start - start + 32] += span.weights
        assert np.allclose(total, 1, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(65, 2000), st.integers(4, 50))
def test_no_line_is_a_border_twice_in_a_row(length: int, steps: int) -> None:
    grids = phases(Rect(0, 0, length, length), 32, steps)
    hard = [phase for phase in grids if all(set(np.unique(span.weights)) <= {0, 1} for span in phase.xs)]
    for one, other in pairwise(hard):
        assert borders(one.xs).isdisjoint(borders(other.xs))
        assert borders(one.ys).isdisjoint(borders(other.ys))


@pytest.mark.parametrize(("steps", "most"), [(4, 1.5), (12, 1.35), (20, 1.35), (50, 1.35)])
@pytest.mark.parametrize(("side", "window"), [(512, 32), (513, 32), (700, 32), (4096, 32), (1024, 64), (1100, 64)])
def test_large_fills_cost_little_more_than_a_cover(side: int, window: int, steps: int, most: float) -> None:
    bounds = Rect(3, -5, side, side)
    assert sum(phase.count for phase in phases(bounds, window, steps)) <= most * steps * cover(bounds, window)
