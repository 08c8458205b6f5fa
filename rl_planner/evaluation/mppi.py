"""Model Predictive Path Integral control: the mean of sampled plans, the cheap ones weighing most.

Williams, Aldrich and Theodorou, Model Predictive Path Integral Control: From Theory to Parallel
Computation, 2017, in the form of Williams et al., Information Theoretic MPC for Model-Based
Reinforcement Learning, 2017. Nav2's MPPI controller is the one whose names these are.

A robot keeps a plan u_0 .. u_T-1: a velocity for each control period to come. In each period it
draws K sequences of noise e^k, drives u + e^k in a model of itself, and

    S^k = sum_t q(x^k_t) + gamma sum_t u_t^T Sigma^-1 e^k_t
    w^k = exp(-(S^k - min S) / temperature), normalised
    u_t = sum_k w^k v^k_t      v^k: u + e^k as far as the robot's limits let it follow

Its first velocity is the command; the rest, one period on, is the next plan to start from.

Departures from the papers:
* Noise is drawn at a few knots, and linear between them: white noise cancels out along a way, so
  that no sample leads far from the plan. Nav2 smooths its plan instead (Savitzky and Golay).
* Every robot gets the same noise, so that one alone does what it does among others.
* Where the cheapest sample collides the robot stops, and forgets its plan.
* A robot does not drive backwards where its lidar does not look.
* `Recovery` sends a stuck robot on a detour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rl_planner.evaluation.clearance_field import ClearanceField, looks_back
from rl_planner.evaluation.mppi_kernel import Critics, Model, improve
from rl_planner.evaluation.planner import Floats, Perception
from rl_planner.evaluation.recovery import Recovery
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import Config, RobotConfig, parameter
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.compiled import F32
from rl_planner.simulation.compiled import Floats as Singles


@dataclass(frozen=True)
class MppiConfig(Config):
    """Names as in Nav2's MPPI controller where it has one; its model_dt is the control period."""

    batch_size: int = parameter(200, 'plans that are sampled', at_least=2, at_most=10000)
    time_steps: int = parameter(
        40, 'control periods that are looked ahead', at_least=2, at_most=200
    )
    noise_knots: int = parameter(
        5, 'times for which noise is drawn; between them it is linear', at_least=2, at_most=200
    )
    vx_std: float = parameter(
        0.48, 'noise of the linear velocity, by the top speed', above=0.0, at_most=2.0
    )
    wz_std: float = parameter(
        0.3, 'noise of the angular velocity, by the top turning rate', above=0.0, at_most=2.0
    )
    temperature: float = parameter(0.1, 'costs that differ by less weigh alike', above=0.0)
    gamma: float = parameter(0.03, 'of leaving the plan, on average', at_least=0.0)
    goal_weight: float = parameter(
        4.7, 'of the distance to the goal, by the longest way, on average', at_least=0.0
    )
    goal_angle_weight: float = parameter(
        0.75, 'of the angle to the goal at the end, by a half turn', at_least=0.0
    )
    repulsion_weight: float = parameter(
        3.0, 'of closeness to obstacles squared, on average', at_least=0.0
    )
    collision_cost: float = parameter(20.0, 'of a collision', at_least=0.0)
    prefer_forward_weight: float = parameter(
        0.5, 'of driving backwards, by the top speed, on average', at_least=0.0
    )
    inflation_radius: float = parameter(
        0.3, 'more clearance than this, beyond the margin, is no better (m)', above=0.0, at_most=5.0
    )
    collision_margin_distance: float = parameter(
        0.03, 'nearer to an obstacle than this is a collision (m)', at_least=0.0, at_most=1.0
    )


class MppiPlanner:
    name = 'mppi'

    SEED = 0
    SIGHT = 2.0  # what is farther than this is free until the robot comes near (m)

    def __init__(self, setting: Setting, config: MppiConfig | None = None) -> None:
        self._config = config = config or MppiConfig()
        robot, scan = setting.robot, ScanGeometry.of(setting.lidar)
        if not looks_back(scan):
            robot = replace(robot, min_linear_vel=0.0)
        travel = config.time_steps * setting.control_period * robot.max_linear_vel
        self._field = ClearanceField(
            robot,
            scan,
            min(travel, self.SIGHT) + robot.radius,
            config.collision_margin_distance + config.inflation_radius,
        )
        self._std = np.array(
            [config.vx_std * robot.max_linear_vel, config.wz_std * robot.max_angular_vel]
        )
        self._model = Model.of(robot, setting.control_period)
        self._critics = _critics(config, robot, travel, self._std)
        self._knots = _interpolation(config.noise_knots, config.time_steps)
        self._recovery = Recovery(setting)
        self.start(0)

    def start(self, num_robots: int) -> None:
        self._recovery.start(num_robots)
        self._rng = np.random.default_rng(self.SEED)
        self._plans = np.zeros((num_robots, self._config.time_steps, 2), F32)

    def velocity_command(self, perception: Perception) -> Floats:
        commands = np.zeros((len(perception.robots), 2))
        improve(
            perception.robots,
            self._recovery.goals(perception).astype(F32),
            perception.velocity.astype(F32),
            self._field.fill(perception.ranges),
            self._model,
            self._critics,
            self._noise(),
            self._plans,
            commands,
        )
        return commands

    def _noise(self) -> Singles:
        """(batch_size, time_steps, 2) of this period (m/s, rad/s); sample 0 is the plan itself."""
        shape = (self._config.batch_size, 2, self._config.noise_knots)
        drawn = self._rng.standard_normal(shape, F32)
        drawn[0] = 0.0
        noise = (drawn @ self._knots).transpose(0, 2, 1) * self._std.astype(F32)
        return np.ascontiguousarray(noise)


def _critics(config: MppiConfig, robot: RobotConfig, travel: float, std: Floats) -> Critics:
    """The configuration as costs of one control period; `travel` is the longest way (m)."""
    share = 1.0 / config.time_steps
    numbers = (
        config.temperature,
        *(share * config.gamma / std**2),
        share * config.goal_weight / travel,
        config.goal_angle_weight / math.pi,
        share * config.repulsion_weight,
        config.collision_cost,
        share * config.prefer_forward_weight / robot.max_linear_vel,
        config.inflation_radius,
        config.collision_margin_distance,
    )
    return Critics(*map(F32, numbers))


def _interpolation(knots: int, time_steps: int) -> Singles:
    """(knots, time_steps) what each knot counts at each time, so that all variances are one."""
    places, times = np.arange(knots)[:, None], np.linspace(0.0, knots - 1.0, time_steps)
    weights = np.maximum(1.0 - np.abs(times - places), 0.0)
    return np.asarray(weights / np.sqrt((weights**2).sum(axis=0)), F32)
