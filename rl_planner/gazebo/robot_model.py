"""Robot models: SDF files that hold one robot for every Gazebo, read for one of them.

A file holds links, joints and sensors once, and beside them what only one Gazebo understands:

| flavour          | lidar     | plugins                                                      |
|------------------|-----------|--------------------------------------------------------------|
| `gazebo_bridge`  | ray       | Gazebo's own: `libWheelTrackedVehiclePlugin.so`              |
| `gazebo_classic` | ray       | gazebo_ros: `libgazebo_ros_diff_drive.so`, ..._ray_sensor.so |
| `gazebo_sim`     | gpu_lidar | gz-sim: diff drive, odometry publisher                       |

The rest of what a simulator has to know is in the same places: the collision `footprint` of the
link `base_link` (a cylinder or a box around the base frame) is the robot's outline, gz-sim's diff
drive has its limits, gazebo_ros' diff drive its wheels.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from rl_planner.navigation.config import ConfigError, LidarConfig, RobotConfig
from rl_planner.navigation.files import shared_file
from rl_planner.simulation.sdf_document import Node, read_document
from rl_planner.simulation.sdf_shapes import words
from rl_planner.simulation.world import WorldError

BASE_LINK, FOOTPRINT = 'base_link', 'footprint'
# A ray that begins inside an obstacle goes through it, so what is nearer than range_min would read
# as clear, or as the far side. A bridge's rays begin here (m); it knows what is too close.
NEAREST = 0.05
# What stops a bridge's robot is inside its outline by so much (m): who touches something stands a
# few millimetres in it, where a body of the same size would stop at a clearance of nothing.
TOUCH = 0.004
CLASSIC_DRIVE, SIM_DRIVE = 'libgazebo_ros_diff_drive.so', 'gz-sim-diff-drive-system'
_TOPICS = ('topic', 'odom_topic', 'tf_topic')  # gz-sim's, which know no namespace


class RobotModelError(ValueError):
    """A robot model that cannot be read; names the file, the element and the rule."""


class WheelJoints(NamedTuple):
    """The joints that drive, front to back; positive velocity is forward."""

    left: tuple[str, ...]
    right: tuple[str, ...]


class Flavour(NamedTuple):
    """What of a file a Gazebo understands: a type of lidar, and plugins of files named so."""

    lidar: str
    plugins: str


FLAVOURS = {
    'gazebo_bridge': Flavour('ray', 'libWheelTrackedVehiclePlugin.so'),
    'gazebo_classic': Flavour('ray', 'libgazebo_ros_'),
    'gazebo_sim': Flavour('gpu_lidar', 'gz-sim-'),
}


@dataclass(frozen=True)
class RobotModel:
    """One robot model for one flavour of Gazebo.

    Attributes:
        name: of the file.
        flavour: one of `FLAVOURS`.
        robot: outline and limits. The radius of a rectangle is rounded up to whole millimetres.
        lidar: beams and mounting; what noise it has is what the file says, none in the package's.
            In `gazebo_bridge` what is nearer than its range_min is seen too, from `NEAREST` on.
        wheel_joints: which joints drive.
        wheel_radius: (m).
        wheel_separation: the effective one (m): wheels at v -+ w separation / 2 turn the robot at
            w. Wider than the wheels are apart where they skid.
    """

    name: str
    flavour: str
    robot: RobotConfig
    lidar: LidarConfig
    wheel_joints: WheelJoints
    wheel_radius: float
    wheel_separation: float
    _model: Element
    _sensor: str

    @classmethod
    def read(cls, name_or_path: str, flavour: str) -> RobotModel:
        """A robot model of the package by its name, or any other by its path.

        Raises:
            RobotModelError: there is no such file or flavour, or the file breaks a rule.
        """
        if flavour not in FLAVOURS:
            raise RobotModelError(f'flavour must be one of {", ".join(FLAVOURS)}, got {flavour!r}')
        path = find_robot_model(name_or_path)
        try:
            return _read(path, flavour)
        except WorldError as error:
            raise RobotModelError(str(error)) from error

    def sdf(self, model_name: str, x: float, y: float, yaw: float, namespace: str = '') -> str:
        """The SDF document of one such robot, its base frame at x, y (m) and yaw (rad).

        Args:
            namespace: of the ROS topics of its plugins.
        """
        model = copy.deepcopy(self._model)
        model.set('name', model_name)
        for pose in model.findall('pose'):
            model.remove(pose)
        SubElement(model, 'pose').text = words(x, y, 0.0, 0.0, 0.0, yaw)
        if namespace:
            _set_namespace(model, namespace.strip('/'))
        document = Element('sdf', version='1.6')
        document.append(model)
        return ElementTree.tostring(document, encoding='unicode', xml_declaration=True)

    def scan_topic(self, model_name: str) -> str:
        """The topic of its scans in the transport of Gazebo Classic."""
        return f'~/{model_name}/{BASE_LINK}/{self._sensor}/scan'

    def command_topic(self, model_name: str) -> str:
        """The topic of Gazebo Classic's transport on which `gazebo_bridge` models take a Twist.

        Some versions of the plugin turn right at a positive angular.z; the wheels' speeds on
        `speed_topic` tell.
        """
        return f'~/{model_name}/cmd_vel_twist'

    def speed_topic(self, model_name: str) -> str:
        """Where each command is answered: a Vector2d, speeds of left and right wheels (m/s)."""
        return f'~/{model_name}/tracks_speed'


def find_robot_model(name_or_path: str) -> Path:
    """The file of a robot model of the package, or the file of that path."""
    path = Path(name_or_path)
    if path.suffix or path.name != name_or_path:
        return path
    try:
        return shared_file(f'worlds/robots/{name_or_path}.sdf')
    except FileNotFoundError as error:
        raise RobotModelError(f'robot model {name_or_path!r}: {error}') from error


def _read(path: Path, flavour: str) -> RobotModel:
    model = read_document(path, path.name).need('model')
    classic, sim = _plugin(model, CLASSIC_DRIVE), _plugin(model, SIM_DRIVE)
    base = _named(model, 'link', BASE_LINK)
    sensor = _lidar(base, FLAVOURS[flavour].lidar)
    return RobotModel(
        name=path.stem,
        flavour=flavour,
        robot=_robot(_named(base, 'collision', FOOTPRINT).need('geometry'), sim),
        lidar=_lidar_config(sensor),
        wheel_joints=WheelJoints(
            *(_joints(model, classic, f'{side}_joint') for side in ('left', 'right'))
        ),
        wheel_radius=_size(classic, 'wheel_diameter') / 2.0,
        wheel_separation=_size(classic, 'wheel_separation'),
        _model=_of_flavour(model.element, flavour),
        _sensor=sensor.name,
    )


def _named(node: Node, tag: str, name: str) -> Node:
    for child in node.all(tag):
        if child.name == name:
            return child
    raise node.error(f'needs a <{tag} name="{name}">')


def _plugin(model: Node, filename: str) -> Node:
    for plugin in model.all('plugin'):
        if plugin.element.get('filename') == filename:
            return plugin
    raise model.error(f'needs a <plugin filename="{filename}">')


def _lidar(base: Node, kind: str) -> Node:
    for sensor in base.all('sensor'):
        if sensor.element.get('type') == kind:
            return sensor
    raise base.error(f'needs a <sensor type="{kind}">')


def _joints(model: Node, drive: Node, tag: str) -> tuple[str, ...]:
    """The joints that a drive names, all of which must be there."""
    names = tuple(node.text for node in drive.all(tag))
    if not names:
        raise drive.error(f'needs a <{tag}>')
    for name in names:
        _named(model, 'joint', name)
    return names


def _number(node: Node, tag: str) -> float:
    return float(node.need(tag).numbers(1)[0])


def _size(node: Node, tag: str) -> float:
    return float(node.need(tag).sizes(1)[0])


def _robot(outline: Node, drive: Node) -> RobotConfig:
    length = width = 0.0
    disc, box = outline.first('cylinder'), outline.first('box')
    if disc is not None:
        radius = _size(disc, 'radius')
    elif box is not None:
        length, width, _ = map(float, box.need('size').sizes(3))
        radius = math.ceil(500.0 * math.hypot(length, width)) / 1000.0
    else:
        raise outline.error('must be a <cylinder> or a <box>')
    try:
        return RobotConfig(
            radius=radius,
            footprint_length=length,
            footprint_width=width,
            max_linear_vel=_number(drive, 'max_linear_velocity'),
            min_linear_vel=_number(drive, 'min_linear_velocity'),
            max_angular_vel=_number(drive, 'max_angular_velocity'),
            max_linear_accel=_number(drive, 'max_linear_acceleration'),
            max_angular_accel=_number(drive, 'max_angular_acceleration'),
        )
    except ConfigError as error:
        raise drive.error(str(error)) from error


def _lidar_config(sensor: Node) -> LidarConfig:
    rays = sensor.first('lidar') or sensor.need('ray')
    beams, limits = rays.need('scan').need('horizontal'), rays.need('range')
    pose, _ = sensor.pose()
    num_beams, first = round(_size(beams, 'samples')), _number(beams, 'min_angle')
    field_of_view = _number(beams, 'max_angle') - first
    noise = rays.first('noise')
    whole = field_of_view * num_beams / max(num_beams - 1, 1)
    if abs(whole - 2.0 * math.pi) < 1e-6:
        field_of_view = 2.0 * math.pi
    try:
        return LidarConfig(
            num_beams=num_beams,
            angle_min=first,
            field_of_view=field_of_view,
            range_min=_number(limits, 'min'),
            range_max=_number(limits, 'max'),
            noise_std=_number(noise, 'stddev') if noise is not None else 0.0,
            mount_x=float(pose[0, 3]),
            mount_y=float(pose[1, 3]),
            mount_yaw=math.atan2(pose[1, 0], pose[0, 0]),
            mount_inverted=bool(pose[2, 2] < 0.0),
        )
    except ConfigError as error:
        raise sensor.error(str(error)) from error


def _of_flavour(model: Element, flavour: str) -> Element:
    """A copy without what is for the other flavours."""
    kept = _filtered(model, FLAVOURS[flavour])
    if flavour == 'gazebo_bridge':
        for limit in kept.iterfind('link/sensor/ray/range/min'):
            limit.text = words(min(float(limit.text or 0.0), NEAREST))
        _give_way(kept)
    return kept


def _give_way(model: Element) -> None:
    """Make the body of the robot smaller than its outline, so that a touch shows in the scan."""
    geometry = f'link[@name="{BASE_LINK}"]/collision[@name="{FOOTPRINT}"]/geometry'
    for radius in model.iterfind(f'{geometry}/cylinder/radius'):
        radius.text = words(float(radius.text or 0.0) - TOUCH)
    for size in model.iterfind(f'{geometry}/box/size'):
        length, width, height = map(float, (size.text or '').split())
        size.text = words(length - 2.0 * TOUCH, width - 2.0 * TOUCH, height)


def _filtered(element: Element, flavour: Flavour) -> Element:
    kept = copy.copy(element)
    kept[:] = [_filtered(child, flavour) for child in element if _is_of(child, flavour)]
    return kept


def _is_of(element: Element, flavour: Flavour) -> bool:
    if element.tag == 'plugin':
        return element.get('filename', '').startswith(flavour.plugins)
    return element.tag != 'sensor' or element.get('type') == flavour.lidar


def _set_namespace(model: Element, namespace: str) -> None:
    for ros in model.iter('ros'):
        SubElement(ros, 'namespace').text = f'/{namespace}'
    for tag in _TOPICS:
        for topic in model.iter(tag):
            topic.text = f'{namespace}/{(topic.text or "").strip()}'
