"""Puts a report together."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.report import charts, episodes, provenance, tables
from rl_planner.evaluation.report.markup import (
    Content,
    Html,
    element,
    grid,
    joined,
    page,
    paragraph,
    section,
)
from rl_planner.evaluation.robustness import RobustnessCurve
from rl_planner.navigation.files import write_atomically

FILE = 'report.html'
TITLE = 'How well the planners drive'

Rows = Sequence[Mapping[str, float]]


def write_report(
    folder: str | Path,
    evaluations: Sequence[Evaluation],
    *,
    command: str,
    seed: int,
    learning: Mapping[str, Rows] | None = None,
    robustness: Sequence[RobustnessCurve] = (),
) -> Path:
    """Write `folder`/report.html, one file that needs no other and no network, and return its path.

    Args:
        folder: made where it is missing.
        evaluations: one or more suites.
        command: what makes it again.
        seed: of scenarios and drives.
        learning: rows of metrics.jsonl by planner.
        robustness: success against disturbances.
    """
    chapters = [
        *(_suite(index, each) for index, each in enumerate(evaluations, start=1)),
        *_learning(learning or {}),
        *_robustness(robustness),
        ('figures', 'What the figures mean', provenance.meanings()),
        ('made', 'How this was made', provenance.how_made(evaluations, command, seed)),
    ]
    text = page(
        TITLE,
        _opening(evaluations, [(anchor, title) for anchor, title, _ in chapters]),
        *(section(anchor, title, content) for anchor, title, content in chapters),
    )
    path = Path(folder) / FILE
    write_atomically(path, text.encode('utf-8'))
    return path


Chapter = tuple[str, str, Content]


def _opening(evaluations: Sequence[Evaluation], chapters: Sequence[tuple[str, str]]) -> Html:
    planners = dict.fromkeys(name for each in evaluations for name in each.runs)
    count = sum(len(each.scenarios) for each in evaluations)
    suites = ', '.join(each.name for each in evaluations)
    lead = (
        f'{_listed(list(planners))} on {count} episodes ({suites}), every planner on the very same '
        f'ones. {time.strftime("%d %B %Y")}.'
    )
    links = [element('li', element('a', title, href=f'#{anchor}')) for anchor, title in chapters]
    return joined(
        [
            element('h1', TITLE),
            paragraph(lead, class_='lead'),
            element('nav', element('ul', *links), aria_label='Contents'),
            tables.overview(evaluations) if len(evaluations) > 1 else '',
        ]
    )


def _listed(names: Sequence[str]) -> str:
    """a, b and c."""
    *most, last = names
    return f'{", ".join(most)} and {last}' if most else last


def _suite(index: int, evaluation: Evaluation) -> Chapter:
    title = f'Suite {evaluation.name}'
    rows = tables.figures_of(evaluation)
    parts: list[Content] = [paragraph(evaluation.description, class_='lead'), *_gaps(evaluation)]
    if rows:
        parts += [
            tables.headline(evaluation, rows),
            tables.comparisons(evaluation),
            episodes.side_by_side(evaluation),
            episodes.worst_and_median(evaluation),
        ]
    return f'suite-{index}', title, joined(parts)


def _gaps(evaluation: Evaluation) -> list[Html]:
    """What an interruption left out."""
    total = len(evaluation.scenarios)
    return [
        paragraph(f'{name} was interrupted after {len(run.results)} of {total} episodes.')
        for name, run in evaluation.runs.items()
        if len(run.results) < total
    ]


def _learning(learning: Mapping[str, Rows]) -> list[Chapter]:
    drawn = [
        charts.learning_chart(name, rows)
        for name, rows in learning.items()
        if any('success_rate' in row for row in rows)
    ]
    if not drawn:
        return []
    note = paragraph('Success while learning is lower than it will be: the robot explores.')
    return [('learning', 'How they learnt', joined([note, _charts(drawn)]))]


def _robustness(curves: Sequence[RobustnessCurve]) -> list[Chapter]:
    if not curves:
        return []
    note = paragraph(
        'Success against one disturbance at a time, with 95 % intervals (Wilson); the grey line is '
        'what the other figures were measured with.'
    )
    drawn = [charts.robustness_chart(curve) for curve in curves]
    return [('robustness', 'How robust they are', joined([note, _charts(drawn)]))]


def _charts(drawn: Sequence[Html]) -> Html:
    return grid(2, drawn, 'grid charts')
