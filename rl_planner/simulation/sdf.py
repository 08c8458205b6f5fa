"""Gazebo world files (SDF 1.4 to 1.12) as planar worlds, cut at the lidar's height.

Only <collision> geometry counts: it is what robots bump into and what a CPU ray sensor sees. Boxes,
cylinders, spheres and planes are read, in nested and included models too. Whatever else could stand
in the robot's way is named in an `SdfWarning`, never dropped in silence.

A model moves if it holds (`xmlns:rl_planner="https://github.com/rl-planner/rl_planner"`):

    <rl_planner:mover>
      <rl_planner:waypoint>3 2</rl_planner:waypoint>  goes from its pose to here (m, world) and back
      <rl_planner:speed>0.3</rl_planner:speed>        m/s
      <rl_planner:offset>0</rl_planner:offset>        metres already gone at time zero (default 0)
    </rl_planner:mover>
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rl_planner.simulation import slices
from rl_planner.simulation.sdf_document import Node, read_document
from rl_planner.simulation.sdf_models import ModelPath, Scope
from rl_planner.simulation.world import FloatArray, World, WorldError

MOVER = 'rl_planner:mover'
_NOT_READ = {
    'actor': 'left out: an actor is an animation',
    'road': 'left out: roads are not read',
    'population': 'left out: populations are not read',
    'experimental:params': 'not applied: changes to included models are not read',
}


class SdfWarning(UserWarning):
    """Something in an SDF file that a planar `World` does not hold; names file, element and why."""


def read_sdf(
    path: str | Path, *, model_path: Sequence[Path] = (), slice_height: float = 0.2
) -> World:
    """Read the first <world> of a file, or its <model>s where it has none.

    Args:
        path: a `.world` or `.sdf` file.
        model_path: folders with the models it includes, searched before those of GAZEBO_MODEL_PATH,
            GZ_SIM_RESOURCE_PATH, IGN_GAZEBO_RESOURCE_PATH, SDF_PATH and the file's own.
        slice_height: height of the lidar's plane above the world's origin (m).

    Returns:
        The world, named after the file, as Gazebo Classic saved it in <state> if it did.

    Raises:
        WorldError: the file is missing or broken, or includes what cannot be found.

    Warns:
        SdfWarning: once for each thing that is left out or approximated.
    """
    path = Path(path)
    if not math.isfinite(slice_height):
        raise WorldError(f'{path.name}: slice_height must be finite, got {slice_height}')
    reader = _Reader(slice_height)
    try:
        world = reader.file(path, ModelPath.of(path, model_path))
    except RecursionError:
        raise WorldError(f'{path.name}: elements or includes are nested too deep') from None
    for message in reader.messages:
        warnings.warn(message, SdfWarning, stacklevel=2)
    return world


@dataclass
class _Reader:
    """Walks the models of one file.

    Attributes:
        height: of the cut (m).
        saved: world poses from <state>, by the names of models and link: `/table/top`.
        messages: what is to be warned of.
    """

    height: float
    saved: dict[str, FloatArray] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def warn(self, node: Node, why: str) -> None:
        self.messages.append(f'{node.where}: {why}')

    def file(self, path: Path, model_path: ModelPath) -> World:
        root = read_document(path, path.name)
        worlds, models = root.all('world'), root.all('model', 'include')
        if not worlds and not models:
            raise root.error('needs a <world> or a <model>')
        for other in [*worlds[1:], *models] if worlds else []:
            self.warn(other, 'left out: only the first world is read')
        top = worlds[0] if worlds else root
        scopes, deleted = [Scope(top, model_path)], set[str]()
        for state in top.all('state')[:1]:  # Gazebo Classic loads the first
            self.state(state, '')
            scopes += [Scope(node, model_path) for node in state.all('insertions')]
            deleted = {name.text for node in state.all('deletions') for name in node.all('name')}
        parts = [self.models(scope, np.eye(4), '', False, deleted) for scope in scopes]
        return _joined(parts, path.stem)

    def state(self, node: Node, path: str) -> None:
        """Keep the poses of the models and links of a <state>; nested ones too are world poses."""
        for child in node.all('model', 'link'):
            inside = f'{path}/{child.name}'
            if child.first('pose') is not None:
                self.saved[inside] = child.pose()[0]
            for scale in child.all('scale'):
                if (scale.numbers(3) != 1.0).any():
                    self.warn(scale, f'not applied: {scale.text}')
            self.state(child, inside)

    def models(
        self, scope: Scope, pose: FloatArray, path: str, static: bool, deleted: Iterable[str] = ()
    ) -> World:
        """The models in a world or model that stands at `pose` in the world frame."""
        for node in [*scope.node.all(*_NOT_READ), *scope.actors]:
            self.warn(node, _NOT_READ[node.tag])
        parts = []
        for model in scope.models:
            inside = f'{path}/{model.node.name}'
            at = self.saved.get(inside, pose @ scope.pose(model.node))
            if model.node.name not in deleted:
                parts.append(self.model(model, at, inside, static))
        return _joined(parts)

    def model(self, scope: Scope, pose: FloatArray, path: str, static: bool) -> World:
        node = scope.node
        static = static or node.is_true('static')
        joints = [joint for joint in node.all('joint') if joint.element.get('type') != 'fixed']
        if not static and _is_robot(node, joints):
            self.warn(node, 'left out: a robot, as it has sensors or driven joints')
            return World()
        mover = node.first(MOVER)
        for part in [*joints, *node.all('plugin')] if mover is None else []:
            self.warn(part, 'not simulated: what it moves stands still')
        parts = [self.link(scope, link, pose, path) for link in node.all('link')]
        world = _joined([*parts, self.models(scope, pose, path, static)])
        return world if mover is None else self.mover(mover, pose, world)

    def link(self, scope: Scope, link: Node, model_pose: FloatArray, path: str) -> World:
        link_pose = self.saved.get(f'{path}/{link.name}', model_pose @ scope.pose(link))
        parts = []
        for collision in link.all('collision'):
            pose, relative_to = collision.pose()
            at = model_pose @ scope.pose(collision) if relative_to else link_pose @ pose
            parts.append(self.collision(collision, at))
        return _joined(parts)

    def collision(self, collision: Node, pose: FloatArray) -> World:
        geometry = collision.need('geometry')
        shapes = geometry.all('box', 'cylinder', 'sphere', 'plane', 'empty') or geometry.all()
        if not shapes:
            raise geometry.error('needs a shape')
        shape, height = shapes[0], self.height
        if shape.tag == 'box':
            return slices.cut_box(pose, shape.need('size').sizes(3), height)
        if shape.tag == 'sphere':
            return slices.cut_sphere(pose, _length(shape, 'radius'), height)
        if shape.tag == 'cylinder':
            return self.cylinder(shape, pose)
        if shape.tag == 'plane':
            return self.plane(shape, pose)
        if shape.tag != 'empty':
            self.warn(shape, 'left out: neither box, cylinder, sphere nor plane')
        return World()

    def cylinder(self, cylinder: Node, pose: FloatArray) -> World:
        radius, length = _length(cylinder, 'radius'), _length(cylinder, 'length')
        world = slices.cut_cylinder(pose, radius, length, self.height)
        if len(world.walls):
            self.warn(cylinder, f'tilted: its slice becomes {len(world.walls)} walls around it')
        return world

    def plane(self, plane: Node, pose: FloatArray) -> World:
        normal, size = plane.first('normal'), plane.first('size')
        direction = np.array([0.0, 0.0, 1.0]) if normal is None else normal.numbers(3)
        if normal is not None and not direction.any():
            raise normal.error('must not be 0')
        sides = np.ones(2) if size is None else size.sizes(2)
        if slices.is_vertical(pose[:3, :3] @ direction):
            return World()  # the ground
        self.warn(plane, 'has no end in Gazebo, only its <size> is read')
        return slices.cut_plane(pose, direction, sides, self.height)

    def mover(self, mover: Node, pose: FloatArray, world: World) -> World:
        """The shapes of a model that moves, as one disc that goes back and forth."""
        waypoint = mover.need('rl_planner:waypoint').numbers(2)
        speed = mover.need('rl_planner:speed').numbers(1)[0]
        offset = mover.first('rl_planner:offset')
        gone = 0.0 if offset is None else offset.numbers(1)[0]
        if not len(world.circles) + len(world.segments):
            return world
        if len(world.circles) != 1 or len(world.segments):
            self.warn(mover, 'moves more than one disc: the circle around it all is read')
        x, y, radius = _bounding_circle(world)
        end = waypoint + ([x, y] - pose[:2, 3])  # the disc may stand off its model's origin
        moving = World(movers=np.array([[x, y, *end, radius, speed, gone]]))
        return _joined([moving, World(movers=world.movers)])


def _is_robot(model: Node, joints: list[Node]) -> bool:
    has_sensor = next(model.element.iter('sensor'), None) is not None
    return has_sensor or bool(joints and model.all('plugin'))


def _length(shape: Node, tag: str) -> float:
    return float(shape.need(tag).sizes(1)[0])


def _joined(worlds: Sequence[World], name: str = 'world') -> World:
    worlds = [World(), *worlds]
    return World(
        boxes=np.concatenate([world.boxes for world in worlds]),
        circles=np.concatenate([world.circles for world in worlds]),
        walls=np.concatenate([world.walls for world in worlds]),
        movers=np.concatenate([world.movers for world in worlds]),
        name=name,
    )


def _bounding_circle(world: World) -> FloatArray:
    """(3,) x, y, radius of a circle around what stands in a world that is not empty."""
    if len(world.circles) == 1 and not len(world.segments):
        return np.array(world.circles[0])
    x_min, y_min, x_max, y_max = replace(world, movers=np.empty((0, 7))).bounds
    centre = np.array([x_min + x_max, y_min + y_max]) / 2.0
    points = np.concatenate([world.segments[:, :2], world.circles[:, :2]])
    reach = np.concatenate([np.zeros(len(world.segments)), world.circles[:, 2]])
    return np.array([*centre, np.max(np.hypot(*(points - centre).T) + reach)])
