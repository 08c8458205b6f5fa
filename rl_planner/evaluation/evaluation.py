"""What an evaluation brings: several planners, each through the same scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rl_planner.evaluation.runner import Run
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting


@dataclass(frozen=True)
class Evaluation:
    """Planners on one suite.

    Attributes:
        name: of the suite, or of the scenario file.
        description: what is hard about it, in a sentence.
        setting: the robot that drives.
        scenarios: what all planners drove.
        runs: by the planners' names; the first one is what the others are compared with.
    """

    name: str
    description: str
    setting: Setting
    scenarios: Sequence[Scenario]
    runs: Mapping[str, Run]

    @property
    def interrupted(self) -> bool:
        return any(run.interrupted for run in self.runs.values())
