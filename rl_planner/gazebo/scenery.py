"""What stands and moves around a robot in Gazebo, as SDF to insert.

What touches what is a matter of bits (`collide_bitmask`): two shapes touch if they share one.
Models have all of them unless they say otherwise, as the floor does. Wheels have that of the floor
only, so that a robot bumps into things with its footprint and with nothing else. Ray sensors see
everything, whatever its bits.
"""

from __future__ import annotations

import numpy as np

from rl_planner.simulation import sdf_shapes as shapes
from rl_planner.simulation.sdf_shapes import OBSTACLE_HEIGHT, Shape, cylinder, words
from rl_planner.simulation.world import World, mover_positions

WHEEL_BITS, SCENERY_BITS, MOVER_BITS = 0x1, 0x2, 0x4

MOVER_MASS = 100.0  # kg, of each of its two links: no robot pushes it aside
MOVER_GAIN = 7000.0  # N s/m: takes out 70 % (y) and 35 % (x) of an error in a physics step of 10 ms
GAP = 0.01  # m between a mover and the floor

_MODEL = """\
<?xml version="1.0"?>
<sdf version="1.6">
  <model name="{name}">
    <static>{static}</static>
    <pose>{pose}</pose>
{content}  </model>
</sdf>
"""

_COLLISION = """\
      <collision name="{name}">
        <pose>{pose}</pose>
        <geometry>{geometry}</geometry>
        <surface><contact><collide_bitmask>{bits}</collide_bitmask></contact></surface>
      </collision>
      <visual name="{name}">
        <pose>{pose}</pose>
        <geometry>{geometry}</geometry>
      </visual>
"""

_INERTIAL = f"""\
      <gravity>false</gravity>
      <inertial>
        <mass>{MOVER_MASS:g}</mass>
        <inertia><ixx>{MOVER_MASS:g}</ixx><iyy>{MOVER_MASS:g}</iyy><izz>{MOVER_MASS:g}</izz>\
<ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia>
      </inertial>
"""

_MOVER = """\
    <link name="slide_{number}">
      <pose>{pose}</pose>
{inertial}    </link>
    <joint name="x_{number}" type="prismatic">
      <parent>world</parent>
      <child>slide_{number}</child>
      <axis><xyz>1 0 0</xyz></axis>
    </joint>
    <link name="mover_{number}">
      <pose>{pose}</pose>
{inertial}{collision}    </link>
    <joint name="y_{number}" type="prismatic">
      <parent>slide_{number}</parent>
      <child>mover_{number}</child>
      <axis><xyz>0 1 0</xyz></axis>
    </joint>
"""


def scenery_sdf(world: World, model_name: str, x: float, y: float) -> str:
    """One static model of all that stands in a world, the world's origin at (x, y) (m).

    Walls without a thickness become thin boxes behind the side that is seen.
    """
    solids = [*shapes.boxes(world), *shapes.circles(world), *shapes.walls(world)]
    link = ''.join(_collision(solid, SCENERY_BITS) for solid in solids)
    content = f'    <link name="link">\n{link}    </link>\n'
    return _MODEL.format(name=model_name, static='true', pose=_at(x, y), content=content)


def movers_sdf(world: World, model_name: str, x: float, y: float) -> str:
    """One model of a world's movers where they are at time zero, the world's origin at (x, y) (m).

    Link `mover_N` is a disc that goes wherever joint velocities of `mover_joints(N)` take it
    (m/s, with the gain `MOVER_GAIN`): it floats, stays upright, and gives way to nothing. Robots
    bump into it. Scenery, the floor and the other movers it goes through, as in `World`: what is
    one model does not collide with itself, and a model takes one edit where ten would take ten.
    """
    discs = np.column_stack([mover_positions(world.movers, 0.0), world.movers[:, 4]])
    content = ''.join(_mover(number, *disc) for number, disc in enumerate(discs.tolist()))
    return _MODEL.format(name=model_name, static='false', pose=_at(x, y), content=content)


def mover_joints(number: int) -> tuple[str, str]:
    """The names of the joints along x and along y of the mover of that number."""
    return f'x_{number}', f'y_{number}'


def _mover(number: int, x: float, y: float, radius: float) -> str:
    middle = GAP + OBSTACLE_HEIGHT / 2.0
    shape = Shape('mover', 0.0, 0.0, 0.0, cylinder(radius))
    collision = _COLLISION.format(
        name=shape.name, pose=words(*[0.0] * 6), geometry=shape.geometry, bits=MOVER_BITS
    )
    pose = words(x, y, middle, 0.0, 0.0, 0.0)
    return _MOVER.format(number=number, pose=pose, inertial=_INERTIAL, collision=collision)


def _collision(shape: Shape, bits: int) -> str:
    return _COLLISION.format(name=shape.name, pose=shape.pose, geometry=shape.geometry, bits=bits)


def _at(x: float, y: float) -> str:
    return words(x, y, 0.0, 0.0, 0.0, 0.0)
