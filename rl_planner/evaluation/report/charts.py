"""Charts of a report: intervals as lines of text size, and curves."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rl_planner.evaluation.intervals import Interval
from rl_planner.evaluation.pictures import (
    BLUE,
    GREY,
    INK,
    LINES,
    PALE,
    figure_layout,
    learning_figure,
)
from rl_planner.evaluation.report.markup import Html, element, picture
from rl_planner.evaluation.robustness import RobustnessCurve

WIDTH, HEIGHT = 120, 16  # of a whisker (px)
CHART = (4.6, 3.3)  # inches
LEARNING_CHART = (4.6, 5.0)


def rate_scale(intervals: Iterable[Interval]) -> Interval:
    """The tens of per cent around all intervals; all there are around none."""
    known = list(intervals) or [(0.0, 1.0)]
    low, high = min(low for low, _ in known), max(high for _, high in known)
    return math.floor(10.0 * low) / 10.0, math.ceil(10.0 * high) / 10.0


def difference_scale(intervals: Iterable[Interval]) -> Interval:
    """Likewise, and zero in the middle."""
    reach = max(max(abs(low), abs(high)) for low, high in intervals)
    reach = max(math.ceil(10.0 * reach) / 10.0, 0.1)
    return -reach, reach


def whisker(
    value: float, interval: Interval, scale: Interval, write: Callable[[float], str]
) -> Html:
    """A dot and its interval on a line from one end of `scale` to the other, and in writing.

    A scale that has zero within it shows where that is.
    """

    def place(x: float) -> float:
        share = (x - scale[0]) / (scale[1] - scale[0])
        return round(4.0 + (WIDTH - 8.0) * min(max(share, 0.0), 1.0), 1)

    middle = HEIGHT / 2.0
    parts = [_line(place(scale[0]), place(scale[1]), PALE, 1.0)]
    if scale[0] < 0.0 < scale[1]:
        zero = place(0.0)
        parts.append(Html(f'<path d="M{zero} 2V{HEIGHT - 2}" stroke="{GREY}"/>'))
    parts.append(_line(place(interval[0]), place(interval[1]), BLUE, 3.0))
    parts.append(Html(f'<circle cx="{place(value)}" cy="{middle:g}" r="4" fill="{INK}"/>'))
    drawing = Html(
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )
    ends = f' ({write(interval[0])} to {write(interval[1])})'
    return element(
        'span', drawing, element('span', write(value), element('small', ends)), class_='whisker'
    )


def _line(begin: float, end: float, colour: str, width: float) -> Html:
    return Html(
        f'<path d="M{begin} {HEIGHT / 2:g}H{end}" stroke="{colour}" stroke-width="{width:g}"/>'
    )


def learning_chart(name: str, rows: Sequence[Mapping[str, float]]) -> Html:
    """How one planner learnt; `rows` have a success rate."""
    last = [row['success_rate'] for row in rows if 'success_rate' in row][-1]
    alt = f'Success rate and losses of {name} while learning; success ends at {last:.0%}.'
    return picture(_svg(learning_figure(rows, LEARNING_CHART)), 'svg+xml', alt, name)


def robustness_chart(curve: RobustnessCurve) -> Html:
    """Success of every planner against one disturbance, with its intervals."""
    figure = Figure(CHART, layout=figure_layout())
    axes = figure.subplots()
    axes.axvline(curve.nominal, color=PALE, linewidth=5.0, zorder=0)
    for index, (name, rates) in enumerate(curve.rates.items()):
        colour, marker, dashes = LINES[index % len(LINES)]
        low, high = np.array(curve.intervals[name]).T
        axes.fill_between(curve.levels, low, high, color=colour, alpha=0.14, linewidth=0.0)
        axes.plot(
            curve.levels, rates, dashes, marker=marker, color=colour, mec='white', ms=7, label=name
        )
    axes.set(xlabel=f'{curve.name} ({curve.unit})', ylabel='success rate', ylim=(0.0, 1.02))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(color=PALE, linewidth=0.5)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    ends = ', '.join(
        f'{name} {rates[0]:.0%} to {rates[-1]:.0%}' for name, rates in curve.rates.items()
    )
    span = f'{curve.levels[0]:g} to {curve.levels[-1]:g}'
    alt = f'Success rate against {curve.name} from {span} {curve.unit}: {ends}.'
    return picture(_svg(figure), 'svg+xml', alt)


def _svg(figure: Figure) -> bytes:
    """The same figure always gives the same bytes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({'svg.hashsalt': 'rl_planner'}):
        figure.savefig(buffer, format='svg', metadata={'Date': None}, facecolor='white')
    return buffer.getvalue()
