"""Tables of a report: what planners reach, how they drive, and whom the difference favours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rl_planner.evaluation.comparison import Comparison, compare_all
from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.intervals import Interval
from rl_planner.evaluation.metrics import Metrics, barn_score, summarize
from rl_planner.evaluation.report.charts import difference_scale, rate_scale, whisker
from rl_planner.evaluation.report.markup import Content, Html, element, joined, paragraph, table

NOTHING, MINUS = '\N{EN DASH}', '\N{MINUS SIGN}'
SIGNIFICANT = 0.05


class Figures(NamedTuple):
    """All figures of one planner on one suite."""

    name: str
    metrics: Metrics
    score: float
    decision_us: float | None


class Column(NamedTuple):
    """A column of figures; `best` picks the one to print bold, where one is plainly better."""

    header: str
    value: Callable[[Figures], float | None]
    form: str
    best: Callable[[Sequence[float]], float] | None = None

    def cells(self, rows: Sequence[Figures]) -> list[Content]:
        values = [self.value(row) for row in rows]
        texts = [NOTHING if value is None else self._write(value) for value in values]
        known = [value for value in values if value is not None]
        if self.best is None or len(known) < 2:
            return [*texts]
        best = self._write(self.best(known))
        return [element('strong', text) if text == best else text for text in texts]

    def _write(self, value: float) -> str:
        return format(value, self.form).replace('-', MINUS)


REACHED = (
    Column('collision', lambda row: row.metrics.collision_rate, '.1%', min),
    Column('timeout', lambda row: row.metrics.timeout_rate, '.1%', min),
    Column('time (s)', lambda row: row.metrics.mean_time_sec, '.1f'),
    Column('path (m)', lambda row: row.metrics.mean_path_length, '.2f'),
    Column('SPL', lambda row: row.metrics.spl, '.3f', max),
)
BARN = Column('BARN score', lambda row: row.score, '.3f', max)
DRIVEN = (
    Column('speed (m/s)', lambda row: row.metrics.mean_speed, '.2f'),
    Column('least clearance (m)', lambda row: row.metrics.min_clearance, '.2f'),
    Column('its 5th percentile (m)', lambda row: row.metrics.min_clearance_5th, '.2f'),
    Column('close', lambda row: row.metrics.close_share, '.1%'),
    Column('linear jerk (m/s³)', lambda row: row.metrics.linear_jerk, '.1f'),
    Column('angular jerk (rad/s³)', lambda row: row.metrics.angular_jerk, '.1f'),
    Column('turns changed (1/s)', lambda row: row.metrics.sign_changes_per_sec, '.2f'),
    Column('decision (\N{MICRO SIGN}s)', lambda row: row.decision_us, ',.1f'),
)


def figures_of(evaluation: Evaluation) -> list[Figures]:
    """Of each planner that has driven anything."""
    period = evaluation.setting.control_period
    return [
        Figures(
            name,
            summarize(run.results, period),
            barn_score(run.results),
            None if run.decision_sec is None else 1e6 * run.decision_sec,
        )
        for name, run in evaluation.runs.items()
        if run.results
    ]


def headline(evaluation: Evaluation, rows: Sequence[Figures]) -> Html:
    """What the planners reached, then how they drove."""
    columns = (*REACHED, BARN) if evaluation.name.startswith('barn') else REACHED
    scale = rate_scale(row.metrics.success_interval for row in rows)
    success = [_success(row, scale) for row in rows]
    episodes = [str(row.metrics.episodes) for row in rows]
    reached = table(
        'What they reach: success with its 95 % interval (Wilson); time and path are means of the '
        'successes.',
        [
            'planner',
            _scaled('success', _ends(scale)),
            *(each.header for each in columns),
            'episodes',
        ],
        _rows(rows, [success, *(each.cells(rows) for each in columns), episodes]),
    )
    driven = table(
        'How they drive, over all episodes.',
        ['planner', *(each.header for each in DRIVEN)],
        _rows(rows, [each.cells(rows) for each in DRIVEN]),
    )
    return joined([reached, driven])


def _rows(rows: Sequence[Figures], columns: Sequence[Sequence[Content]]) -> list[list[Content]]:
    names: list[Content] = [row.name for row in rows]
    return [list(cells) for cells in zip(names, *columns, strict=True)]


def _success(row: Figures, scale: Interval) -> Html:
    rate, interval = row.metrics.success_rate, row.metrics.success_interval
    return whisker(rate, interval, scale, _percent)


def _scaled(name: str, scale: str) -> Html:
    return joined([name, element('span', f'line: {scale}', class_='scale')])


def _ends(scale: Interval) -> str:
    return f'{scale[0]:.0%} to {scale[1]:.0%}'


def _percent(share: float) -> str:
    return f'{share:.1%}'


def overview(evaluations: Sequence[Evaluation]) -> Html:
    """Success of every planner on every suite."""
    suites = [{row.name: row for row in figures_of(each)} for each in evaluations]
    scale = rate_scale(row.metrics.success_interval for suite in suites for row in suite.values())
    names = dict.fromkeys(name for each in evaluations for name in each.runs)
    return table(
        f'Success on every suite, with 95 % intervals, on lines from {_ends(scale)}.',
        ['planner', *(each.name for each in evaluations)],
        [
            [
                name,
                *(_success(suite[name], scale) if name in suite else NOTHING for suite in suites),
            ]
            for name in names
        ],
        kind='figures stacked',
    )


def comparisons(evaluation: Evaluation) -> Html:
    """Everyone against the first planner, on the very same episodes; nothing where it is alone."""
    results = {name: run.results for name, run in evaluation.runs.items()}
    found = compare_all(results)
    if not found:
        return Html()
    scale = difference_scale(each.interval for each in found)
    caption = (
        f'{found[0].first}, the first, against the others: the difference of the success rates in '
        'percentage points, with its 95 % interval (Newcombe), and the exact test of McNemar.'
    )
    header = [
        'against',
        _scaled('difference', f'{_points(scale[0])} to {_points(scale[1])}'),
        'both',
        'first only',
        'other only',
    ]
    return joined(
        [
            element('h3', 'Who is better'),
            *map(_in_words, found),
            table(
                caption,
                [*header, 'neither', 'p'],
                [_comparison_row(each, scale) for each in found],
            ),
        ]
    )


def _comparison_row(each: Comparison, scale: Interval) -> list[Content]:
    counts = [each.both, each.first_only, each.second_only, each.neither]
    drawing = whisker(each.difference, each.interval, scale, _points)
    return [each.second, drawing, *map(str, counts), _likelihood(each.p_value)]


def _likelihood(p_value: float) -> str:
    return '< 0.001' if p_value < 0.001 else f'{p_value:.3f}'


def _points(share: float) -> str:
    return f'{100.0 * share:+.1f}'.replace('-', MINUS)


def _in_words(each: Comparison) -> Html:
    count = each.both + each.first_only + each.second_only + each.neither
    alone = (
        f'Of the same {count} episodes, {each.first} alone reached the goal in {each.first_only}, '
        f'{each.second} alone in {each.second_only}'
    )
    if each.p_value >= SIGNIFICANT:
        verdict = 'these episodes do not tell which of them is better'
        return paragraph(f'{alone}: {verdict} (p = {each.p_value:.2f}).')
    better = each.first if each.difference > 0.0 else each.second
    points = f'{100.0 * abs(each.difference):.1f} points'
    return paragraph(alone, ': ', element('strong', f'{better} is better'), f' by {points}.')
