"""How planners bear what robots do in the real world: success against each disturbance."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rl_planner.evaluation.intervals import Interval, wilson_interval
from rl_planner.evaluation.planner import Planner
from rl_planner.evaluation.runner import evaluate
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.task import Outcome

MakePlanner = Callable[[Setting], Planner]


class Sweep(NamedTuple):
    """One thing to disturb a robot by: a parameter of `LidarConfig` or `DisturbanceConfig`."""

    name: str
    unit: str
    section: str  # of the setting
    parameter: str
    levels: tuple[float, ...]

    def nominal(self, setting: Setting) -> float:
        """What the setting itself has."""
        return float(getattr(getattr(setting, self.section), self.parameter))

    def apply(self, setting: Setting, level: float) -> Setting:
        section = replace(getattr(setting, self.section), **{self.parameter: level})
        return replace(setting, **{self.section: section})


SWEEPS = (
    Sweep('lidar noise', 'm', 'lidar', 'noise_std', (0.0, 0.02, 0.05, 0.1, 0.2)),
    Sweep('lidar dropout', 'share', 'disturbance', 'lidar_dropout', (0.0, 0.1, 0.25, 0.5, 0.75)),
    Sweep('command latency', 's', 'disturbance', 'command_latency', (0.0, 0.05, 0.1, 0.2, 0.4)),
    Sweep('speed gain', 'share', 'disturbance', 'gain', (0.6, 0.8, 1.0, 1.2, 1.4)),
)
NUM_LEVELS = sum(len(sweep.levels) for sweep in SWEEPS)  # drives of one planner in `curves`


@dataclass(frozen=True)
class RobustnessCurve:
    """Success of planners against one disturbance; all else is as the setting has it.

    Attributes:
        name: of the disturbance.
        unit: of its levels.
        nominal: the level that the setting itself has.
        levels: (L,) how much of it, ascending.
        rates: by planner, (L,) success rates.
        intervals: by planner, (L,) where the true rates lie with 95 % confidence.
    """

    name: str
    unit: str
    nominal: float
    levels: tuple[float, ...]
    rates: Mapping[str, tuple[float, ...]]
    intervals: Mapping[str, tuple[Interval, ...]]


def curves(
    planner_makers: Mapping[str, MakePlanner],
    scenarios: Sequence[Scenario],
    setting: Setting,
    seed: int,
    on_done: Callable[[], object] | None = None,
) -> list[RobustnessCurve]:
    """Drive all scenarios with every planner at every level of every sweep.

    Ctrl-C ends it early, with the curves that are whole.

    Args:
        planner_makers: by name; each makes its planner for a disturbed setting.
        scenarios: one or more.
        setting: what is disturbed.
        seed: of noise and disturbances.
        on_done: called `NUM_LEVELS` times for each planner.
    """

    @functools.cache  # the sweeps meet in the setting itself
    def successes(name: str, disturbed: Setting) -> int:
        run = evaluate(planner_makers[name](disturbed), scenarios, disturbed, seed)
        if run.interrupted:
            raise KeyboardInterrupt
        return sum(result.outcome is Outcome.GOAL for result in run.results)

    def counts(name: str, sweep: Sweep) -> list[int]:
        found = []
        for level in sweep.levels:
            found.append(successes(name, sweep.apply(setting, level)))
            if on_done is not None:
                on_done()
        return found

    done: list[RobustnessCurve] = []
    try:
        for sweep in SWEEPS:
            reached = {name: counts(name, sweep) for name in planner_makers}
            done.append(_curve(sweep, sweep.nominal(setting), reached, len(scenarios)))
    except KeyboardInterrupt:
        pass
    return done


def _curve(
    sweep: Sweep, nominal: float, reached: Mapping[str, Sequence[int]], count: int
) -> RobustnessCurve:
    return RobustnessCurve(
        sweep.name,
        sweep.unit,
        nominal,
        sweep.levels,
        {name: tuple(each / count for each in counts) for name, counts in reached.items()},
        {
            name: tuple(wilson_interval(each, count) for each in counts)
            for name, counts in reached.items()
        },
    )
