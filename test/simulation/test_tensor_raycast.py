"""Scans of tensors: by hand, and beside the compiled ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from rl_planner.navigation.config import LidarConfig, RobotConfig
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation import tensor_raycast
from rl_planner.simulation.episodes import random_pool
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.random_world import Purpose
from rl_planner.simulation.simulator import BatchSimulator
from rl_planner.simulation.tensor_raycast import TensorBeams, sense
from rl_planner.simulation.tensor_worlds import TensorWorlds
from rl_planner.simulation.world import World

torch.set_num_threads(1)  # so few robots gain nothing from a second one

POOL = random_pool(Purpose.TRAINING, 3, 9, RobotConfig(), ['dynamic-4', 'dense', 'rooms'])


def scan(world: World, pose: Any = (0.0, 0.0, 0.0), time: float = 0.0, **lidar: Any) -> list[float]:
    beams = TensorBeams.of(ScanGeometry.of(LidarConfig(**{'num_beams': 4, **lidar})), 'cpu')
    times = torch.tensor([time], dtype=torch.float64)
    scene = TensorWorlds.of([world], 'cpu').around(torch.zeros(1, dtype=torch.int64), times)
    ranges: list[float] = sense(torch.tensor([pose], dtype=torch.float64), scene, beams)[0].tolist()
    return ranges


def test_a_box_is_met_at_its_face() -> None:
    box = World(boxes=np.array([[2.5, 0.0, 0.0, 1.0, 1.0]]))  # its face is at x = 2
    assert scan(box) == pytest.approx([math.inf, math.inf, 2.0, math.inf])  # from behind
    # half a metre to the right and turned left by a quarter: the fourth beam, 45 degrees off
    assert scan(box, (0.0, -2.0, 0.25 * math.pi)) == pytest.approx(
        [math.inf, math.inf, 2.0 * math.sqrt(2.0), math.inf]
    )


def test_a_disc_is_met_at_its_edge() -> None:
    disc = World(circles=np.array([[0.0, 2.0, 0.5]]))
    assert scan(disc) == pytest.approx([math.inf, math.inf, math.inf, 1.5])
    # past its middle by 0.3: 2 - sqrt(0.25 - 0.09)
    assert scan(disc, (0.3, 0.0, 0.0))[3] == pytest.approx(1.6, abs=1e-6)


def test_within_a_disc_all_is_too_near() -> None:
    assert scan(World(circles=np.array([[0.1, 0.0, 0.5]]))) == [-math.inf] * 4


def test_a_wall_is_seen_from_its_right_alone() -> None:
    seen = World(walls=np.array([[1.0, 1.0, 1.0, -1.0]]))
    turned_away = World(walls=np.array([[1.0, -1.0, 1.0, 1.0]]))
    assert scan(seen)[2] == pytest.approx(1.0)
    assert scan(turned_away)[2] == math.inf


def test_range_limits_hold() -> None:
    wall = World(walls=np.array([[2.0, 1.0, 2.0, -1.0]]))
    assert scan(wall, range_max=1.9)[2] == math.inf
    assert scan(wall, range_min=2.1, range_max=3.0)[2] == -math.inf


def test_what_moves_is_where_it_has_moved_to() -> None:
    # from (2, -1) to (2, 1) at 1 m/s and back: at (2, 0) after 1 s and after 3 s
    mover = World(movers=np.array([[2.0, -1.0, 2.0, 1.0, 0.25, 1.0, 0.0]]))
    assert [scan(mover, time=time)[2] for time in (0.0, 1.0, 2.0, 3.0)] == pytest.approx(
        [math.inf, 1.75, math.inf, 1.75]
    )


@pytest.mark.parametrize(
    'lidar',
    [
        LidarConfig(),
        LidarConfig(num_beams=36, range_max=12.0),
        LidarConfig(num_beams=91, field_of_view=4.0, angle_min=-2.0, mount_inverted=True),
        LidarConfig(num_beams=24, mount_x=0.1, mount_y=-0.05, mount_yaw=0.4, range_min=0.6),
    ],
)
@pytest.mark.parametrize('largest', [tensor_raycast.LARGEST, 1])
def test_scans_are_those_of_the_compiled_lidar(
    lidar: LidarConfig, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensor_raycast, 'LARGEST', largest)
    worlds, pairs = POOL.starts.shape[:2]
    ids = np.repeat(np.arange(worlds), pairs)
    poses = POOL.starts.reshape(-1, 3)
    compiled = BatchSimulator(RobotConfig(), lidar, pack_worlds(POOL.worlds), len(ids), 0.1)
    compiled.place(compiled.rows, ids, poses)
    scene = TensorWorlds.of(POOL.worlds, 'cpu').around(
        torch.from_numpy(ids), torch.zeros(len(ids), dtype=torch.float64)
    )
    ranges = sense(
        torch.from_numpy(poses), scene, TensorBeams.of(ScanGeometry.of(lidar), 'cpu')
    ).numpy()
    apart = np.abs(np.reciprocal(ranges) - np.reciprocal(compiled.ranges)) > 1e-4
    # A beam along an edge meets it or not by the last bit: one in ten thousand may.
    assert apart.mean() <= 1e-4
