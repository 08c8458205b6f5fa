"""A Rerun recording of what was driven: worlds, robots, scans and paths, to be played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.pictures import BLUE, GREY, INK, OUTCOMES, PALE
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.config import RobotConfig
from rl_planner.navigation.files import write_atomically
from rl_planner.navigation.observation import ScanGeometry
from rl_planner.simulation.beams import Beams
from rl_planner.simulation.clearance import move
from rl_planner.simulation.obstacles import pack_worlds
from rl_planner.simulation.raycast import sense
from rl_planner.simulation.world import FloatArray, World

EPISODES = 3  # of each suite: the first ones
HEIGHT, ROBOT_HEIGHT = 0.5, 0.2  # of what is flat here (m)
TIMELINE = 'time'


class RecordingError(RuntimeError):
    """A recording that cannot be made; the message says what is missing."""


def write_recording(path: str | Path, evaluations: Sequence[Evaluation]) -> None:
    """Write the first episodes of every suite to `path` (.rrd), whole or not at all.

    Entities are <suite>/episode_<number>/<planner>/robot and so on; the timeline `time` is seconds
    from the start of each episode. Scans are what the lidar would measure without noise.

    Raises:
        RecordingError: there is no rerun-sdk.
    """
    try:
        import rerun
        from rerun import blueprint
    except ImportError as error:
        raise RecordingError('a recording needs rerun-sdk: pip install rerun-sdk') from error
    stream = rerun.RecordingStream('rl_planner')
    memory = stream.memory_recording()
    stream.log('/', rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    recorder, views = _Recorder(rerun, stream), []
    for evaluation in evaluations:
        for index in range(min(EPISODES, len(evaluation.scenarios))):
            place = f'{rerun.escape_entity_path_part(evaluation.name)}/episode_{index + 1}'
            recorder.record(place, evaluation, index)
            title = f'{evaluation.name}, episode {index + 1}'
            views.append(blueprint.Spatial3DView(origin=f'/{place}', name=title))
    # A view for each episode: they all lie around the origin.
    stream.send_blueprint(blueprint.Blueprint(blueprint.Grid(*views)))
    write_atomically(path, memory.drain_as_bytes())


class _Recorder:
    """Writes episodes to a stream of `rerun`, the module."""

    def __init__(self, rerun: Any, stream: Any) -> None:
        self._rerun, self._stream = rerun, stream

    def record(self, place: str, evaluation: Evaluation, index: int) -> None:
        """One scenario as every planner drove it, under the entity `place`."""
        scenario, setting = evaluation.scenarios[index], evaluation.setting
        driven = {
            name: run.results[index]
            for name, run in evaluation.runs.items()
            if index < len(run.results)
        }
        goal = self._rerun.Points3D(
            [(*scenario.goal, 0.0)], radii=scenario.xy_goal_tolerance, colors=_rgb(BLUE)
        )
        self._stream.log(f'{place}/goal', goal, static=True)
        self._record_world(f'{place}/world', scenario.world)
        longest = max((len(result.poses) for result in driven.values()), default=0)
        self._record_movers(f'{place}/movers', scenario.world, longest, setting.control_period)
        for name, result in driven.items():
            part = self._rerun.escape_entity_path_part(name)
            self._record_drive(f'{place}/{part}', result, setting)

    def _record_world(self, place: str, world: World) -> None:
        if len(world.boxes):
            self._stream.log(f'{place}/boxes', self._boxes(world.boxes), static=True)
        if len(world.circles):
            self._stream.log(f'{place}/circles', self._pillars(world.circles), static=True)
        if len(world.walls):
            strips = _flat(world.walls.reshape(-1, 2, 2))
            walls = self._rerun.LineStrips3D(strips, colors=_rgb(GREY), radii=0.02)
            self._stream.log(f'{place}/walls', walls, static=True)

    def _boxes(self, boxes: FloatArray) -> Any:
        x, y, yaw, length, width = boxes.T
        sizes = np.column_stack([length, width, np.full(len(x), HEIGHT)])
        zero = np.zeros(len(x))
        turns = np.column_stack([zero, zero, np.sin(yaw / 2.0), np.cos(yaw / 2.0)])  # x, y, z, w
        return self._rerun.Boxes3D(
            sizes=sizes,
            centers=_raised(x, y),
            quaternions=turns,
            colors=_rgb(GREY),
            fill_mode='solid',
        )

    def _pillars(self, circles: FloatArray) -> Any:
        x, y, radius = circles.T
        return self._rerun.Cylinders3D(
            lengths=np.full(len(x), HEIGHT),
            radii=radius,
            centers=_raised(x, y),
            colors=_rgb(GREY),
            fill_mode='solid',
        )

    def _record_movers(self, place: str, world: World, steps: int, period: float) -> None:
        if not len(world.movers):
            return
        places = moving_obstacles(world, period * np.arange(steps))
        for step in self._steps(steps, period):
            x, y, radius = places[step].T
            discs = self._rerun.Points3D(
                _flat(np.stack([x, y], -1)), radii=radius, colors=_rgb(PALE)
            )
            self._stream.log(place, discs)

    def _record_drive(self, place: str, result: EpisodeResult, setting: Setting) -> None:
        rerun, log = self._rerun, self._stream.log
        colour = _rgb(OUTCOMES[result.outcome][0])
        log(f'{place}/robot/body', self._body(setting.robot), static=True)
        points, path = lidar_points(result, setting), _flat(result.path)
        for step in self._steps(len(path), setting.control_period):
            turn = rerun.RotationAxisAngle(axis=(0.0, 0.0, 1.0), radians=result.poses[step, 2])
            pose = rerun.Transform3D(translation=path[step], rotation_axis_angle=turn)
            log(f'{place}/robot', pose)
            log(f'{place}/robot/scan', rerun.Points3D(points[step], radii=0.02, colors=colour))
            log(f'{place}/path', rerun.LineStrips3D([path[: step + 1]], colors=colour))

    def _steps(self, count: int, period: float) -> Iterator[int]:
        """The steps from 0 on; what is logged meanwhile is of the step's time."""
        for step in range(count):
            self._stream.set_time(TIMELINE, duration=step * period)
            yield step
        self._stream.reset_time()

    def _body(self, robot: RobotConfig) -> Any:
        centers = [(0.0, 0.0, ROBOT_HEIGHT / 2.0)]
        if robot.footprint_length == 0.0:
            return self._rerun.Cylinders3D(
                lengths=[ROBOT_HEIGHT], radii=[robot.radius], centers=centers, colors=_rgb(INK)
            )
        size = (robot.footprint_length, robot.footprint_width, ROBOT_HEIGHT)
        return self._rerun.Boxes3D(sizes=[size], centers=centers, colors=_rgb(INK))


def _rgb(colour: str) -> tuple[int, ...]:
    """Of '#rrggbb'."""
    return tuple(bytes.fromhex(colour[1:]))


def _flat(points: NDArray[Any]) -> NDArray[Any]:
    """(..., 2) points on the floor, as (..., 3)."""
    return np.concatenate([points, np.zeros_like(points[..., :1])], axis=-1)


def _raised(x: FloatArray, y: FloatArray) -> FloatArray:
    """(N, 3) the middles of obstacles that stand on the floor."""
    return np.column_stack([x, y, np.full(len(x), HEIGHT / 2.0)])


def lidar_points(result: EpisodeResult, setting: Setting) -> list[FloatArray]:
    """What the lidar saw from each of the result's poses: (n, 3) points in the robot's frame."""
    count, scan = len(result.poses), ScanGeometry.of(setting.lidar)
    world, rows = result.episode.world, np.arange(count)
    moving = moving_obstacles(world, setting.control_period * rows)
    ranges = np.empty((count, scan.num_beams), np.float32)
    scene = (result.poses, np.zeros(count, np.int64), pack_worlds([world]), moving)
    sense(rows, *scene, Beams.of(scan), ranges)
    angles, mount = scan.beam_angles(), np.array([scan.mount_x, scan.mount_y, 0.0])
    beams = _flat(np.stack([np.cos(angles), np.sin(angles)], axis=-1))
    measured = map(np.flatnonzero, np.isfinite(ranges))  # neither clear nor too near
    return [
        mount + row[seen, None] * beams[seen] for row, seen in zip(ranges, measured, strict=True)
    ]


def moving_obstacles(world: World, times: NDArray[Any]) -> NDArray[np.float32]:
    """(T, M, 3) x, y, radius of the world's M movers at (T,) times (s)."""
    rows = np.arange(len(times))
    obstacles = pack_worlds([world])
    moving = np.zeros((len(times), obstacles.movers.shape[2], 3), np.float32)
    move(rows, times, np.zeros(len(times), np.int64), obstacles, moving)
    return moving[:, : len(world.movers)]
