"""An episode as a MarkerArray: what RViz shows is what the simulator loads.

| ns      | type      | content                                                           |
|---------|-----------|-------------------------------------------------------------------|
| start   | ARROW     | pose: where the robot begins                                      |
| goal    | CYLINDER  | pose: where it is to go                                           |
| box     | CUBE      | pose, scale x, y                                                  |
| circle  | CYLINDER  | pose, scale x = y = diameter                                      |
| wall    | LINE_LIST | points, in pairs: one-sided segments as in `World.walls`          |
| mover   | CYLINDER  | points: both ends of its way; scale x = diameter; text: 'speed offset' |
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from rl_planner.ros.messages import planar_pose, pose_of, stamp_of
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World, WorldError

HEIGHT = 0.5
COLOURS = {
    'start': (0.2, 0.4, 0.9),
    'goal': (0.1, 0.7, 0.3),
    'box': (0.5, 0.5, 0.5),
    'circle': (0.5, 0.5, 0.5),
    'wall': (0.5, 0.5, 0.5),
    'mover': (0.9, 0.5, 0.1),
}


def encode_episode(episode: Episode, frame_id: str, asked_ns: int = 0) -> MarkerArray:
    """The markers of an episode, led by one that clears those of the episode before.

    That one is stamped with the time of the request, by which a repetition is known.
    """
    clear = Marker(action=Marker.DELETEALL)
    clear.header.frame_id, clear.header.stamp = frame_id, stamp_of(asked_ns)
    markers = [clear, *_task_markers(episode), *_world_markers(episode.world)]
    for index, marker in enumerate(markers[1:]):
        marker.header.frame_id = frame_id
        marker.id = index
        red, green, blue = COLOURS[marker.ns]
        marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    return MarkerArray(markers=markers)


def decode_episode(message: MarkerArray) -> Episode:
    """The episode of a MarkerArray.

    Raises:
        WorldError: start or goal is missing, or a number is out of its rule.
    """
    by_name: dict[str, list[Marker]] = {name: [] for name in COLOURS}
    for marker in message.markers:
        if marker.ns in by_name:
            by_name[marker.ns].append(marker)
    if len(by_name['start']) != 1 or len(by_name['goal']) != 1:
        raise WorldError('an episode must have one start and one goal marker')
    start = planar_pose(by_name['start'][0].pose)
    goal = planar_pose(by_name['goal'][0].pose)[:2]
    if not np.isfinite([*start, *goal]).all():
        raise WorldError(f'start and goal must be finite, got {start} and {goal}')
    return Episode(_world(by_name), start, goal)


def _task_markers(episode: Episode) -> Iterator[Marker]:
    start = Marker(ns='start', type=Marker.ARROW, pose=pose_of(*episode.start))
    start.scale.x, start.scale.y, start.scale.z = 0.4, 0.08, 0.08
    yield start
    yield _solid('goal', Marker.CYLINDER, (*episode.goal, 0.0), 0.5, 0.5, height=0.02)


def _world_markers(world: World) -> Iterator[Marker]:
    for x, y, yaw, length, width in world.boxes.tolist():
        yield _solid('box', Marker.CUBE, (x, y, yaw), length, width)
    for x, y, radius in world.circles.tolist():
        yield _solid('circle', Marker.CYLINDER, (x, y, 0.0), 2.0 * radius, 2.0 * radius)
    for x0, y0, x1, y1, radius, speed, offset in world.movers.tolist():
        marker = _solid('mover', Marker.CYLINDER, (x0, y0, 0.0), 2.0 * radius, 2.0 * radius)
        marker.points = [Point(x=x0, y=y0), Point(x=x1, y=y1)]
        marker.text = f'{speed!r} {offset!r}'
        yield marker
    if len(world.walls):
        lines = Marker(ns='wall', type=Marker.LINE_LIST)
        lines.scale.x = 0.03
        lines.points = [Point(x=x, y=y) for x, y in world.walls.reshape(-1, 2).tolist()]
        yield lines


def _solid(
    name: str,
    kind: int,
    pose: tuple[float, float, float],
    length: float,
    width: float,
    height: float = HEIGHT,
) -> Marker:
    marker = Marker(ns=name, type=kind, pose=pose_of(*pose))
    marker.pose.position.z = height / 2.0
    marker.scale.x, marker.scale.y, marker.scale.z = length, width, height
    return marker


def _world(by_name: dict[str, list[Marker]]) -> World:
    points = [point for marker in by_name['wall'] for point in marker.points]
    walls = np.array([(point.x, point.y) for point in points]).reshape(-1, 4)
    boxes = [(*planar_pose(m.pose), m.scale.x, m.scale.y) for m in by_name['box']]
    circles = [(*planar_pose(m.pose)[:2], m.scale.x / 2.0) for m in by_name['circle']]
    movers = [_mover(marker) for marker in by_name['mover']]
    return World(
        boxes=np.array(boxes).reshape(-1, 5),
        circles=np.array(circles).reshape(-1, 3),
        walls=walls,
        movers=np.array(movers).reshape(-1, 7),
        name='episode',
    )


def _mover(marker: Marker) -> tuple[float, ...]:
    numbers = marker.text.split()
    if len(marker.points) != 2 or len(numbers) != 2:
        raise WorldError("a mover must have two points and the text 'speed offset'")
    begin, end = marker.points
    speed, offset = map(float, numbers)
    return begin.x, begin.y, end.x, end.y, marker.scale.x / 2.0, speed, offset
