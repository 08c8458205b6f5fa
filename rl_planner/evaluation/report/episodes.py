"""Which episodes a report shows, and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.motion import least_clearance
from rl_planner.evaluation.pictures import BLUE, GREY, INK, OUTCOMES, trajectory_png
from rl_planner.evaluation.report.markup import Html, element, grid, joined, paragraph, picture
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.runner import Run
from rl_planner.navigation.task import Outcome

SHOWN = 4  # scenarios that every planner is shown on: the first ones, not chosen
WORST = 3
PER_ROW = 4  # pictures, or more where there are more planners

SEVERITY = {Outcome.COLLISION: 0, Outcome.TIMEOUT: 1, Outcome.GOAL: 2}
SIGNS = {Outcome.GOAL: '●', Outcome.COLLISION: '✖', Outcome.TIMEOUT: '■'}
ENDS = {Outcome.GOAL: 'goal', Outcome.COLLISION: 'collision', Outcome.TIMEOUT: 'out of time'}


def side_by_side(evaluation: Evaluation) -> Html:
    """The first scenarios as every planner drove them, a row or part of a row for each."""
    runs = _driven(evaluation)
    panels = [
        _panel(run.results[index], index, name) if index < len(run.results) else element('div')
        for index in range(min(SHOWN, len(evaluation.scenarios)))
        for name, run in runs.items()
    ]
    columns = len(runs) * max(PER_ROW // len(runs), 1)
    return joined(
        [
            element('h3', 'The first episodes, side by side'),
            paragraph('Not chosen: these are the first scenarios of the suite.', class_='note'),
            _legend(any(len(each.world.movers) for each in evaluation.scenarios)),
            element('div', grid(columns, panels), class_='worlds'),
        ]
    )


def worst_and_median(evaluation: Evaluation) -> Html:
    """Of each planner the worst episodes and the median one."""
    shown = [
        joined([element('h4', name), grid(WORST + 1, _telling(name, run.results))])
        for name, run in _driven(evaluation).items()
    ]
    note = (
        'Worst first: collisions, then what ran out of time, then what came nearest to obstacles. '
        'The last picture of each row is the success of median time.'
    )
    return joined(
        [
            element('h3', 'The worst and the median episodes'),
            paragraph(note, class_='note'),
            element('div', *shown, class_='worlds'),
        ]
    )


def _driven(evaluation: Evaluation) -> Mapping[str, Run]:
    return {name: run for name, run in evaluation.runs.items() if run.results}


def _telling(name: str, results: Sequence[EpisodeResult]) -> list[Html]:
    panels = [_panel(results[index], index, name) for index in worst(results)]
    middle = median(results)
    if middle is not None:
        panels.append(_panel(results[middle], middle, name, 'median, '))
    return panels


def worst(results: Sequence[EpisodeResult]) -> list[int]:
    """Which of the results are the worst ones, the very worst first."""

    def rank(index: int) -> tuple[int, float]:
        clearance = least_clearance(results[index])
        return SEVERITY[results[index].outcome], 0.0 if clearance is None else clearance

    return sorted(range(len(results)), key=rank)[:WORST]


def median(results: Sequence[EpisodeResult]) -> int | None:
    """Which of the results is the success of median time, the shorter one of two; None without."""
    reached = [index for index, each in enumerate(results) if each.outcome is Outcome.GOAL]
    reached.sort(key=lambda index: results[index].time_sec)
    return reached[(len(reached) - 1) // 2] if reached else None


def _panel(result: EpisodeResult, index: int, name: str, prefix: str = '') -> Html:
    colour, _, _ = OUTCOMES[result.outcome]
    end = f'{ENDS[result.outcome]}, {result.time_sec:.1f} s'
    nearest = least_clearance(result)
    near = '' if nearest is None or nearest < 0.0 else f', {nearest:.2f} m clear'
    alt = f'Episode {index + 1}, driven by {name}: {end}{near}.'
    sign = element('span', SIGNS[result.outcome], style=f'color: {colour}', aria_hidden='true')
    caption = joined(
        [element('strong', f'{index + 1} {name}'), Html('<br>'), sign, f' {prefix}{end}{near}']
    )
    return picture(trajectory_png(result), 'png', alt, caption)


def _legend(moving: bool) -> Html:
    """What the marks in the pictures mean."""
    ends = [_mark(SIGNS[outcome], colour, name) for outcome, (colour, _, name) in OUTCOMES.items()]
    movers = [_mark('◉', GREY, 'moving obstacle, at the end, and its way')] if moving else []
    places = (_mark('○', INK, 'start'), _mark('★', BLUE, 'goal'))
    return element('p', *places, *ends, *movers, class_='legend')


def _mark(sign: str, colour: str, name: str) -> Html:
    return element(
        'span', element('span', sign, style=f'color: {colour}', aria_hidden='true'), name
    )
