"""One robot of a simulator: where its world stands in its server, and how far its placing is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from rl_planner.gazebo.scenery import MOVER_MASS
from rl_planner.gazebo.transport import Publisher
from rl_planner.gazebo.world_file import SPACING
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import FloatArray, World, mover_positions

OWN_NAMES = re.compile(r'floor|(robot|scenery|movers)(_\d+)+')  # of models that a simulator makes


@dataclass
class Arena:
    """A robot's place in its server, and what is going on there.

    Attributes:
        server: number of the server; slot: of the robot there.
        phase: 'new' (no episode yet), 'brake', 'edit', 'settle' or 'placed'.
        since: the server's periods when the phase began.
        episode: what the robot is to drive, or drives.
        start: where it is put: x, y, yaw (m, rad) in the frame of its odometry.
        is_free: it has no episode, and was put somewhere in the world: that is its frame then.
        world: what stands, its model named `standing`; `number` counts the worlds, each of which
            is built beside the last one.
        time: seconds since the robot was first commanded to move, if it has `moved`.
        waiting: models whose edits have not been heard of.
        wrenches: what pushes the movers, which are at `mover_places` (M, 2) and have
            `mover_velocities` (M, 2) if nothing else has pushed them.
    """

    server: int
    slot: int
    phase: str = 'new'
    since: int = 0
    episode: Episode | None = None
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_free: bool = False
    world: World | None = None
    number: int = 0
    standing: str = ''
    time: float = 0.0
    moved: bool = False
    waiting: set[str] = field(default_factory=set)
    wrenches: list[Publisher] = field(default_factory=list)
    mover_places: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    mover_velocities: FloatArray = field(default_factory=lambda: np.empty((0, 2)))

    @property
    def robot(self) -> str:
        return f'robot_{self.slot}'

    @property
    def scenery(self) -> str:
        return f'scenery_{self.slot}_{self.number}'

    @property
    def movers(self) -> str:
        return f'movers_{self.slot}_{self.number}'

    @property
    def origin(self) -> tuple[float, float]:
        """Where the frame of the episode begins (m): the next world stands beside the last."""
        if self.is_free:
            return 0.0, 0.0
        return SPACING * self.slot, SPACING * (self.number % 2)

    def push_movers(self, drives: bool, period: float, physics_step: float) -> FloatArray:
        """(M, 2) forces (N), for one physics step, that take the movers where they are due next.

        They stand still while the robot does not drive, and till it was first commanded to move.
        """
        assert self.world is not None
        target = self.mover_places
        if drives and self.moved:
            self.time += period
            target = mover_positions(self.world.movers, self.time)
        velocities = (target - self.mover_places) / period
        forces = (velocities - self.mover_velocities) * MOVER_MASS / physics_step
        self.mover_places, self.mover_velocities = target, velocities
        return np.asarray(forces)
