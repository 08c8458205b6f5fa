"""All planners by name: the baselines, and trained policies by their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rl_planner.evaluation.astar import AstarConfig, AstarPlanner
from rl_planner.evaluation.dwa import DwaConfig, DwaPlanner
from rl_planner.evaluation.greedy import GreedyConfig, GreedyPlanner
from rl_planner.evaluation.learned import LearnedPlanner
from rl_planner.evaluation.mppi import MppiConfig, MppiPlanner
from rl_planner.evaluation.planner import Planner
from rl_planner.evaluation.setting import Setting
from rl_planner.evaluation.unsafe import (
    RammingConfig,
    RammingPlanner,
    RandomConfig,
    RandomPlanner,
)
from rl_planner.navigation.config import Config, ConfigError
from rl_planner.navigation.policy import Policy, PolicyError


class Baseline(NamedTuple):
    """A planner that is not learned, and what can be configured about it."""

    make: Callable[[Setting, Any], Planner]
    config: type[Config]


BASELINES = {
    'greedy': Baseline(GreedyPlanner, GreedyConfig),
    'dwa': Baseline(DwaPlanner, DwaConfig),
    'mppi': Baseline(MppiPlanner, MppiConfig),
    'astar': Baseline(AstarPlanner, AstarConfig),
    'random': Baseline(RandomPlanner, RandomConfig),
    'ramming': Baseline(RammingPlanner, RammingConfig),
}


class PlannerParamsError(ValueError):
    """A file of planner parameters that cannot be used; the message names file and parameter."""


def make_planner(
    name: str, setting: Setting, params: Mapping[str, Config] | None = None
) -> Planner:
    """The baseline of that name, or the policy in the file of that name.

    Args:
        params: the baselines' parameters, by name; defaults where there are none.

    Raises:
        PolicyError: it is neither, or the policy is not for this robot and control period.
    """
    if name in BASELINES:
        baseline = BASELINES[name]
        return baseline.make(setting, (params or {}).get(name))
    if not Path(name).exists():
        known = ', '.join(BASELINES)
        raise PolicyError(f'planner must be one of {known} or a policy file, got {name!r}')
    return LearnedPlanner(Policy.load(name), setting, name)


def read_planner_params(path: Path) -> dict[str, Config]:
    """Parameters of baselines from a YAML file, as config/planners.yaml.

    Raises:
        PlannerParamsError: there is no such file, it is no such YAML, or a planner or parameter is
            unknown or breaks its rule.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        if not isinstance(content, dict):
            raise ConfigError(f'it must be a mapping from planners to parameters, got {content!r}')
        return {name: _config(name, values) for name, values in content.items()}
    except OSError as error:
        raise PlannerParamsError(f'cannot read {path}: {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PlannerParamsError(f'{path} is not YAML: {" ".join(str(error).split())}') from error
    except ConfigError as error:
        raise PlannerParamsError(f'{path}: {error}') from error


def _config(name: str, values: Any) -> Config:
    if name not in BASELINES:
        raise ConfigError(f'planner must be one of {", ".join(BASELINES)}, got {name!r}')
    if not isinstance(values, dict):
        raise ConfigError(f'{name} must be a mapping of parameters, got {values!r}')
    return BASELINES[name].config.from_mapping(values, name)
