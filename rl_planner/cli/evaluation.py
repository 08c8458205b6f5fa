"""What `evaluate` and `demo` share: show and write how planners did (`driving` drives them)."""

from __future__ import annotations

import functools
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli.driving import GUIDED, IN_GAZEBO, Params
from rl_planner.cli.options import progress_bar, table, write_json

if TYPE_CHECKING:
    from rl_planner.evaluation.comparison import Comparison
    from rl_planner.evaluation.evaluation import Evaluation
    from rl_planner.evaluation.metrics import Metrics
    from rl_planner.evaluation.robustness import RobustnessCurve


def show(evaluation: Evaluation, title: str) -> None:
    """Print a table of how the planners did, and which were better than the first one."""
    print(f'{title}: {len(evaluation.scenarios)} episodes')
    header = ['planner', 'success', '95 % interval', 'collision', 'timeout', 'mean time', 'path']
    header.append('SPL')
    scores = _barn_scores(evaluation)
    rows = [
        [*_cells(name, metrics), *([f'{scores[name]:.3f}'] if scores else [])]
        for name, metrics in _metrics(evaluation).items()
    ]
    print(table([*header, 'score'] if scores else header, rows))
    for each in comparisons(evaluation):
        low, high = each.interval
        print(
            f'{each.first} less {each.second}: {each.difference:+.1%} '
            f'({low:+.1%} to {high:+.1%}), p = {each.p_value:.2g}; goal reached by both '
            f'{each.both}, first {each.first_only}, second {each.second_only}, none {each.neither}'
        )


def comparisons(evaluation: Evaluation) -> list[Comparison]:
    """Every other planner against the first one, on the same scenarios."""
    from rl_planner.evaluation.comparison import compare_all

    return compare_all({name: run.results for name, run in evaluation.runs.items()})


def figures(evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row of plain data for each planner."""
    scores = _barn_scores(evaluation)
    return [
        {
            'planner': name,
            'suite': evaluation.name,
            **asdict(metrics),
            **({'barn_score': scores[name]} if scores else {}),
        }
        for name, metrics in _metrics(evaluation).items()
    ]


def write_figures(
    path: Path | None, origin: Mapping[str, Any], evaluations: Sequence[Evaluation]
) -> None:
    """Write what --json asks for, if it does."""
    from rl_planner.evaluation.suites import VERSION

    rows = [row for each in evaluations for row in figures(each)]
    interrupted = any(each.interrupted for each in evaluations)
    timing = [
        {'planner': name, 'suite': each.name, 'decision_sec': run.decision_sec}
        for each in evaluations
        for name, run in each.runs.items()
    ]
    write_json(
        path,
        {
            **origin,
            'suites_version': VERSION,
            'interrupted': interrupted,
            'results': rows,
            'comparisons': [
                {'suite': each.name, **asdict(comparison)}
                for each in evaluations
                for comparison in comparisons(each)
            ],
            'timing': timing,
        },
    )


def draw(evaluations: Sequence[Evaluation], path: Path, panels: int) -> None:
    """The first scenarios of each suite: a row for each, with a column for each planner.

    One planner alone has rows of four.
    """
    from rl_planner.evaluation.pictures import draw_trajectories

    planners = len(evaluations[0].runs)
    rows = max(panels // (planners * len(evaluations)), 1)
    shown = [
        (name, each.name, run.results[index])
        for each in evaluations
        for index in range(rows)
        for name, run in each.runs.items()
        if index < len(run.results)
    ]
    briefs = _brief(evaluations[0].runs)
    captions = [
        f'{briefs[name]}, {Path(suite).stem}: {result.time_sec:.1f} s'
        for name, suite, result in shown
    ]
    columns = planners if planners > 1 else min(len(shown), 4)
    results = [result for _, _, result in shown]
    draw_trajectories(results, path, captions=captions, columns=columns)


def record(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Write a recording for Rerun."""
    from rl_planner.evaluation.recording import write_recording

    write_recording(path, [_with_brief_names(each) for each in evaluations])


def robustness(
    evaluation: Evaluation, params: Params, drive_seed: int, quiet: bool
) -> list[RobustnessCurve]:
    """Success of the planners against disturbances, on the scenarios that they have driven."""
    from rl_planner.evaluation.planners import make_planner
    from rl_planner.evaluation.robustness import NUM_LEVELS, curves

    makers = {
        brief: functools.partial(make_planner, name, params=params)
        for name, brief in _brief(evaluation.runs).items()
        if not _where(name)
    }
    with progress_bar('robustness', NUM_LEVELS * len(makers), quiet) as bar:
        return curves(
            makers, evaluation.scenarios, evaluation.setting, drive_seed, on_done=bar.update
        )


def write_report(
    evaluations: Sequence[Evaluation],
    folder: Path,
    suite_seed: int,
    curves: Sequence[RobustnessCurve],
) -> Path:
    """Write the report, with the learning curves of policies in run folders; its path."""
    from rl_planner.evaluation import report
    from rl_planner.evaluation.planners import BASELINES
    from rl_planner.learning.run import read_metrics

    briefs = _brief(evaluations[0].runs)
    files = {
        brief: Path(name).with_name('metrics.jsonl')
        for name, brief in briefs.items()
        if name not in BASELINES and not _where(name)
    }
    return report.write_report(
        folder,
        [_with_brief_names(each) for each in evaluations],
        command=shlex.join(['rl_planner', *sys.argv[1:]]),
        seed=suite_seed,
        learning={name: read_metrics(path) for name, path in files.items() if path.exists()},
        robustness=curves,
    )


def _with_brief_names(evaluation: Evaluation) -> Evaluation:
    briefs = _brief(evaluation.runs)
    return replace(evaluation, runs={briefs[name]: run for name, run in evaluation.runs.items()})


def _metrics(evaluation: Evaluation) -> dict[str, Metrics]:
    """By planner; without those that an interruption left nothing of."""
    from rl_planner.evaluation.metrics import summarize

    period = evaluation.setting.control_period
    return {
        name: summarize(run.results, period) for name, run in evaluation.runs.items() if run.results
    }


def _barn_scores(evaluation: Evaluation) -> dict[str, float]:
    """By planner; none of another suite than barn."""
    from rl_planner.evaluation.metrics import barn_score

    if evaluation.name != 'barn':
        return {}
    return {name: barn_score(run.results) for name, run in evaluation.runs.items() if run.results}


def _cells(name: str, metrics: Metrics) -> list[str]:
    low, high = metrics.success_interval
    time = '-' if metrics.mean_time_sec is None else f'{metrics.mean_time_sec:.1f} s'
    path = '-' if metrics.mean_path_length is None else f'{metrics.mean_path_length:.2f} m'
    return [
        name,
        f'{metrics.success_rate:.1%}',
        f'{low:.1%} to {high:.1%}',
        f'{metrics.collision_rate:.1%}',
        f'{metrics.timeout_rate:.1%}',
        time,
        path,
        f'{metrics.spl:.3f}',
    ]


def _brief(names: Iterable[str]) -> dict[str, str]:
    """Planners by short names: that of a policy's run folder, or of its file; all of it if two
    would be called alike.
    """
    short = {}
    for name in names:
        path = Path(name.removesuffix(_where(name)))
        run_folder = path.parent.name if path.stem == 'policy' else ''
        short[name] = (run_folder or path.stem) + _where(name)
    counts = Counter(short.values())
    return {name: brief if counts[brief] == 1 else name for name, brief in short.items()}


def _where(name: str) -> str:
    """What follows the planner's own name: how it has driven."""
    return next((end for end in (IN_GAZEBO, GUIDED) if name.endswith(end)), '')
