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

# kg. Nobody corrects a mover on its way, so nobody may push it off: a Jackal that drove against one
# of 100 kg for 10 s moved it by 12 m, and moves this one by less than a millimetre.
MOVER_MASS = 1e7
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

# Gravity is off and nothing rubs; so much inertia does not turn.
_FLOATING = """\
    <link name="{name}">
      <pose>{pose}</pose>
      <gravity>false</gravity>
      <inertial>
        <mass>{mass}</mass>
        <inertia>
          <ixx>1e10</ixx><iyy>1e10</iyy><izz>1e10</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz>
        </inertia>
      </inertial>
{collision}    </link>
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

    Link `mover_N` is a disc of `MOVER_MASS` that floats: once it moves, it moves on, and nothing
    but a force on `wrench_topic` changes that. Robots bump into it. Scenery, the floor and the
    other movers it goes through, as in `World`: what is one model does not collide with itself,
    and a model takes one edit where ten would take ten. Link `anchor`, which stays where it is,
    comes first, for a model is where its first link is.
    """
    discs = np.column_stack([mover_positions(world.movers, 0.0), world.movers[:, 4]])
    anchor = _FLOATING.format(name='anchor', pose=_at(0.0, 0.0), mass=MOVER_MASS, collision='')
    links = [anchor, *(_mover(number, *disc) for number, disc in enumerate(discs.tolist()))]
    return _MODEL.format(name=model_name, static='false', pose=_at(x, y), content=''.join(links))


def wrench_topic(model_name: str, number: int) -> str:
    """The topic of Gazebo Classic's transport on which a mover takes a Wrench for one physics step.

    A force of `MOVER_MASS` * dv / dt changes its velocity by dv in a step of dt.
    """
    return f'~/{model_name}/mover_{number}/wrench'


def _mover(number: int, x: float, y: float, radius: float) -> str:
    middle = GAP + OBSTACLE_HEIGHT / 2.0
    collision = _COLLISION.format(
        name='disc', pose=words(*[0.0] * 6), geometry=cylinder(radius), bits=MOVER_BITS
    )
    pose = words(x, y, middle, 0.0, 0.0, 0.0)
    return _FLOATING.format(name=f'mover_{number}', pose=pose, mass=MOVER_MASS, collision=collision)


def _collision(shape: Shape, bits: int) -> str:
    return _COLLISION.format(name=shape.name, pose=shape.pose, geometry=shape.geometry, bits=bits)


def _at(x: float, y: float) -> str:
    return words(x, y, 0.0, 0.0, 0.0, 0.0)
