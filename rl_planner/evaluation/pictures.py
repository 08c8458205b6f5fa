"""Pictures of what was driven, and of how it was learnt. Files are whole or not there."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon
from matplotlib.ticker import EngFormatter, PercentFormatter
from numpy.typing import NDArray

from rl_planner.evaluation.result import EpisodeResult
from rl_planner.navigation.files import write_atomically
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.world import World, box_edges, mover_positions

FORMATS = ('.png', '.svg', '.pdf')

# Okabe and Ito's palette, told apart by the colour-blind too; markers say the same again.
INK, GREY, PALE, BLUE = '#222222', '#8a8f98', '#c9ccd1', '#0072B2'
OUTCOMES = {
    Outcome.GOAL: ('#009E73', 'o', 'goal reached'),
    Outcome.COLLISION: ('#D55E00', 'X', 'collision'),
    Outcome.TIMEOUT: ('#E69F00', 's', 'out of time'),
}
# Colour (Okabe and Ito's palette), marker and dashes of each curve in a chart.
LINES = (
    (BLUE, 'o', '-'),
    ('#D55E00', 's', '--'),
    ('#009E73', '^', '-.'),
    ('#CC79A7', 'D', ':'),
    ('#E69F00', 'v', '-'),
    ('#56B4E9', 'P', '--'),
    (INK, 'X', '-.'),
)
PANEL = 2.6  # inches
RIM = 0.1  # around a world of its own (m)
DPI = 150


class PictureError(ValueError):
    """A picture that cannot be drawn; the message names the file or what is missing."""


def check_picture_path(path: str | Path) -> None:
    """Refuse a file name that says no format we draw.

    Raises:
        PictureError: naming it and the formats.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise PictureError(f'picture must end in {", ".join(FORMATS)}, got {str(path)!r}')


def draw_trajectories(
    results: Sequence[EpisodeResult],
    path: str | Path,
    title: str = '',
    captions: Sequence[str] | None = None,
    columns: int = 4,
) -> None:
    """Draw each result's world and driven path, coloured by outcome, into one grid of panels.

    Args:
        results: one panel each, row by row.
        path: the picture, in one of `FORMATS`.
        title: above all panels.
        captions: one for each panel; the time it took where there is none.
        columns: panels in a row.

    Raises:
        PictureError: there is no result, or no such format.
    """
    check_picture_path(path)
    if not results:
        raise PictureError(f'{path}: nothing was driven')
    captions = captions or [f'{result.time_sec:.1f} s' for result in results]
    columns = min(columns, len(results))
    rows = -(-len(results) // columns)
    figure = Figure((PANEL * max(columns, 2), PANEL * rows + 0.8), layout=figure_layout())
    span = max(_span(result.episode.world) for result in results)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, result, caption in zip(grid, results, captions, strict=False):
        _draw_panel(axes, result)
        _center(axes, result.episode.world, (span, span))
        axes.set_title(caption, color=INK, fontsize=9)
    if title:
        figure.suptitle(title, color=INK, fontsize=12)
    legend = _legend(results)
    in_a_row = len(legend) if columns > 2 else 3
    figure.legend(handles=legend, loc='outside lower center', ncols=in_a_row, frameon=False)
    _save(figure, path)


def trajectory_png(result: EpisodeResult, pixels: int = 330) -> bytes:
    """One panel of `draw_trajectories`, without words, cut to its world.

    Args:
        result: what was driven.
        pixels: its longer side; it is meant to be shown at half of that.
    """
    x_min, y_min, x_max, y_max = result.episode.world.bounds
    width, height = max(x_max - x_min, 1.0) + 2.0 * RIM, max(y_max - y_min, 1.0) + 2.0 * RIM
    scale = pixels / DPI / max(width, height)
    figure = Figure((scale * width, scale * height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    _draw_panel(axes, result)
    _center(axes, result.episode.world, (width, height))
    return _image(figure, 'png')


def _span(world: World) -> float:
    """The longer side of the world (m)."""
    x_min, y_min, x_max, y_max = world.bounds
    return max(x_max - x_min, y_max - y_min, 1.0)


def _draw_panel(axes: Axes, result: EpisodeResult) -> None:
    """One world and path."""
    episode = result.episode
    _draw_world(axes, episode.world, result.time_sec)
    colour, marker, _ = OUTCOMES[result.outcome]
    axes.plot(*result.path.T, color=colour, linewidth=2.0, zorder=3)
    axes.plot(*result.path[-1], marker, color=colour, mec='white', markersize=8, zorder=6.5)
    x, y, yaw = episode.start
    tip = 0.45 * np.array([np.cos(yaw), np.sin(yaw)])
    axes.plot([x, x + tip[0]], [y, y + tip[1]], color=INK, linewidth=1.2, zorder=5)
    axes.plot(x, y, 'o', color='white', mec=INK, markersize=6, zorder=6)
    axes.plot(*episode.goal, '*', color=BLUE, mec='white', markersize=13, zorder=7)


def _center(axes: Axes, world: World, size: tuple[float, float]) -> None:
    """Show the world in the middle of `size` metres: panels of one size have one scale."""
    x_min, y_min, x_max, y_max = world.bounds
    x, y = (x_min + x_max) / 2.0, (y_min + y_max) / 2.0
    half_x, half_y = size[0] / 2.0, size[1] / 2.0
    axes.set(xlim=(x - half_x, x + half_x), ylim=(y - half_y, y + half_y), aspect='equal')


def _draw_world(axes: Axes, world: World, time_sec: float) -> None:
    """The obstacles; moving ones with their way, where they were at the episode's end."""
    corners = box_edges(world.boxes).reshape(-1, 4, 4)[:, :, :2]
    solids = [*map(Polygon, corners), *(Circle((x, y), r) for x, y, r in world.circles)]
    axes.add_collection(PatchCollection(solids, facecolor=GREY, edgecolor=GREY, linewidth=0.5))
    for x0, y0, x1, y1 in world.walls:
        axes.plot([x0, x1], [y0, y1], color=GREY, linewidth=1.5)
    for mover, place in zip(world.movers, mover_positions(world.movers, time_sec), strict=True):
        axes.plot(mover[[0, 2]], mover[[1, 3]], color=PALE, linewidth=1.2, linestyle='--')
        axes.add_patch(Circle((place[0], place[1]), mover[4], facecolor=PALE, edgecolor=GREY))


def _legend(results: Sequence[EpisodeResult]) -> list[Line2D]:
    counts = dict.fromkeys(OUTCOMES, 0)
    for result in results:
        counts[result.outcome] += 1
    start = Line2D([], [], linestyle='', marker='o', color='white', mec=INK, label='start')
    goal = Line2D([], [], linestyle='', marker='*', color=BLUE, markersize=12, label='goal')
    ends = [
        Line2D([], [], color=colour, marker=marker, mec='white', label=f'{name}: {counts[outcome]}')
        for outcome, (colour, marker, name) in OUTCOMES.items()
        if counts[outcome]
    ]
    return [start, goal, *ends]


def draw_learning_curve(
    rows: Sequence[Mapping[str, float]], path: str | Path, title: str = ''
) -> None:
    """Draw success rate and losses over transitions, from the rows of a metrics.jsonl.

    Rows may lack figures: there is no success before an episode ends, no loss before an update.

    Raises:
        PictureError: no row has a success rate, or no such format.
    """
    check_picture_path(path)
    if not any('success_rate' in row for row in rows):
        raise PictureError(f'{path}: no episode has ended yet, nothing to draw')
    figure = learning_figure(rows, (7.5, 6.5))
    if title:
        figure.suptitle(title, color=INK, fontsize=12)
    _save(figure, path)


def learning_figure(rows: Sequence[Mapping[str, float]], size: tuple[float, float]) -> Figure:
    """The figure of `draw_learning_curve`, `size` inches wide and high."""
    figure = Figure(size, layout=figure_layout())
    success, critic, actor = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1, 1])
    _draw_curve(
        success, rows, 'success_rate', 'success rate\n(exploring)', OUTCOMES[Outcome.GOAL][0]
    )
    success.set_ylim(0.0, 1.0)
    success.yaxis.set_major_formatter(PercentFormatter(1.0))
    _draw_curve(critic, rows, 'critic_loss', 'critic loss', BLUE)
    critic.set_ylim(bottom=0.0)
    _draw_curve(actor, rows, 'actor_loss', 'actor loss', OUTCOMES[Outcome.COLLISION][0])
    actor.set_xlabel('transitions', color=INK)
    actor.xaxis.set_major_formatter(EngFormatter())
    return figure


def draw_training_contest(
    contestants: Mapping[str, Sequence[Sequence[Sequence[float]]]], path: str | Path, clock: str
) -> None:
    """Draw success over training time: a thin line for each seed, a thick one for their median.

    Args:
        contestants: by name, for each seed its points: time (s) and success rate.
        path: the picture, in one of `FORMATS`.
        clock: what kind of seconds those are.

    Raises:
        PictureError: no such format.
    """
    check_picture_path(path)
    figure = Figure((8.0, 5.0), layout=figure_layout())
    axes = figure.subplots()
    for level in (0.9, 0.95):
        axes.axhline(level, color=PALE, linewidth=1.0, zorder=0)
    for index, (name, curves) in enumerate(contestants.items()):
        colour, _, dashes = LINES[index % len(LINES)]
        for times, rates in (zip(*curve, strict=True) for curve in curves if curve):
            axes.plot(times, rates, color=colour, linewidth=0.8, alpha=0.35)
        axes.plot(*_median_curve(curves), dashes, color=colour, linewidth=2.2, label=name)
    axes.set(xlabel=f'training time ({clock})', ylabel='success in unseen worlds', ylim=(0.0, 1.0))
    axes.set_xlim(left=0.0)
    axes.set_yticks([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.spines[['top', 'right']].set_visible(False)
    figure.legend(loc='outside lower center', ncols=2, frameon=False)
    _save(figure, path)


def _median_curve(
    curves: Sequence[Sequence[Sequence[float]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and the median over all curves there, as far as all of them reach."""
    arrays = [np.array(curve).reshape(-1, 2) for curve in curves]
    if not all(len(array) for array in arrays):
        return np.empty(0), np.empty(0)
    end = min(array[-1, 0] for array in arrays)
    times = np.unique(np.concatenate([array[:, 0] for array in arrays]).clip(max=end))
    rates = [np.interp(times, array[:, 0], array[:, 1]) for array in arrays]
    return times, np.median(rates, axis=0)


def _draw_curve(
    axes: Axes, rows: Sequence[Mapping[str, float]], name: str, label: str, colour: str
) -> None:
    points = [(row['steps'], row[name]) for row in rows if name in row]
    if points:
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.6)
    axes.set_ylabel(label, color=INK)
    axes.grid(color=PALE, linewidth=0.5)
    axes.spines[['top', 'right']].set_visible(False)


def figure_layout() -> ConstrainedLayoutEngine:
    return ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.1)  # inches


def _save(figure: Figure, path: str | Path) -> None:
    write_atomically(path, _image(figure, Path(path).suffix[1:].lower()))


def _image(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=DPI, facecolor='white')
    return buffer.getvalue()
