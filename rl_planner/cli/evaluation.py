"""What `evaluate` and `demo` share: drive planners, show and write how they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError, progress_bar, table, write_json

if TYPE_CHECKING:
    from rl_planner.evaluation.metrics import Metrics
    from rl_planner.evaluation.planner import Planner
    from rl_planner.evaluation.runner import Run
    from rl_planner.evaluation.setting import Setting
    from rl_planner.evaluation.suites import Suite
    from rl_planner.navigation.config import Config

Params = Mapping[str, 'Config']


@dataclass(frozen=True)
class Driven:
    """A suite, and what each planner, by the name it was given by, did on it."""

    suite: Suite
    runs: Mapping[str, Run]

    @property
    def interrupted(self) -> bool:
        return any(run.interrupted for run in self.runs.values())


def read_params(path: Path | None) -> Params:
    """Parameters of baselines that differ from the defaults."""
    from rl_planner.evaluation.planners import read_planner_params

    return {} if path is None else read_planner_params(path)


def make_planners(names: Sequence[str], setting: Setting, params: Params) -> list[Planner]:
    """Planners by name, each once.

    Raises:
        CommandError: one is named twice.
    """
    from rl_planner.evaluation.planners import make_planner

    for index, name in enumerate(names):
        if name in names[:index]:
            raise CommandError(f'planner {name} is named twice')
    return [make_planner(name, setting, params) for name in names]


def make_suite(name: str, episodes: int, suite_seed: int, quiet: bool, **options: Any) -> Suite:
    """The scenarios of a suite, with a bar while they are made."""
    from rl_planner.evaluation import suites

    with progress_bar('worlds', episodes, quiet) as bar:
        return suites.make_suite(name, episodes, suite_seed, on_scenario=bar.update, **options)


def own_suite(path: Path, episodes: int | None, setting: Setting) -> Suite:
    """A user's own scenarios."""
    from rl_planner.evaluation.scenario import load_scenarios
    from rl_planner.evaluation.suites import Suite

    scenarios = load_scenarios(path, setting.robot)[:episodes]
    return Suite(str(path), 'scenarios of your own', setting, scenarios)


def drive(
    suite: Suite, names: Sequence[str], params: Params, drive_seed: int, quiet: bool
) -> Driven:
    """Every planner through all scenarios of a suite, with a bar meanwhile; or until Ctrl-C."""
    from rl_planner.evaluation.runner import evaluate

    runs: dict[str, Run] = {}
    for planner, name in zip(make_planners(names, suite.setting, params), names, strict=True):
        with progress_bar(planner.name, len(suite.scenarios), quiet) as bar:
            runs[name] = evaluate(planner, suite.scenarios, suite.setting, drive_seed, bar.update)
        if runs[name].interrupted:
            break
    return Driven(suite, runs)


def show(driven: Driven, title: str) -> None:
    """Print a table of how the planners did."""
    print(f'{title}: {len(driven.suite.scenarios)} episodes')
    header = ('planner', 'success', '95 % interval', 'collision', 'timeout', 'mean time', 'SPL')
    rows = [_cells(name, metrics) for name, metrics in _metrics(driven).items()]
    print(table(header, rows))


def figures(driven: Driven) -> list[dict[str, Any]]:
    """A row of plain data for each planner."""
    return [
        {'planner': name, 'suite': driven.suite.name, **asdict(metrics)}
        for name, metrics in _metrics(driven).items()
    ]


def write_figures(
    path: Path | None, origin: Mapping[str, Any], evaluations: Sequence[Driven]
) -> None:
    """Write what --json asks for, if it does."""
    from rl_planner.evaluation.suites import VERSION

    rows = [row for each in evaluations for row in figures(each)]
    interrupted = any(each.interrupted for each in evaluations)
    timing = [
        {'planner': name, 'suite': each.suite.name, 'decision_sec': run.decision_sec}
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
            'timing': timing,
        },
    )


def draw(evaluations: Sequence[Driven], path: Path, panels: int) -> None:
    """The first scenarios of each suite, in rows of four for each planner."""
    from rl_planner.evaluation.pictures import draw_trajectories

    runs = [(name, run) for each in evaluations for name, run in each.runs.items()]
    each_panels = max(panels // len(runs) // 4, 1) * 4
    shown = [(name, result) for name, run in runs for result in run.results[:each_panels]]
    captions = [f'{_brief(name)}: {result.time_sec:.1f} s' for name, result in shown]
    columns = min(len(runs[0][1].results), 4)
    draw_trajectories([result for _, result in shown], path, captions=captions, columns=columns)


def _metrics(driven: Driven) -> dict[str, Metrics]:
    """By planner; without those that an interruption left nothing of."""
    from rl_planner.evaluation.metrics import summarize

    return {
        name: summarize(driven.suite.scenarios[: len(run.results)], run.results)
        for name, run in driven.runs.items()
        if run.results
    }


def _cells(name: str, metrics: Metrics) -> list[str]:
    low, high = metrics.success_interval
    time = '-' if metrics.mean_time_sec is None else f'{metrics.mean_time_sec:.1f} s'
    return [
        name,
        f'{metrics.success_rate:.1%}',
        f'{low:.1%} to {high:.1%}',
        f'{metrics.collision_rate:.1%}',
        f'{metrics.timeout_rate:.1%}',
        time,
        f'{metrics.spl:.3f}',
    ]


def _brief(name: str) -> str:
    """A policy file with its run folder."""
    return '/'.join(Path(name).parts[-2:])
