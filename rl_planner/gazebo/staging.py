"""Edits that set the stage for a robot's episode: its scenery, its movers, and itself."""

from __future__ import annotations

import numpy as np

from rl_planner.gazebo.arena import Arena
from rl_planner.gazebo.scenery import movers_sdf, scenery_sdf, wrench_topic
from rl_planner.gazebo.stage import Stage
from rl_planner.simulation.world import World, mover_positions


def begin_edit(arena: Arena, stage: Stage) -> None:
    """Ask for the world, where another one stands, and for the robot at its start."""
    if arena.episode is not None:
        _begin_world(arena, stage, arena.episode.world)
    arena.time, arena.moved = 0.0, False
    x, y, yaw = arena.start
    stage.move(arena.robot, x + arena.origin[0], y + arena.origin[1], yaw)
    arena.waiting.add(arena.robot)


def is_edited(arena: Arena, stage: Stage) -> bool:
    """Whether all that has been asked for is there."""
    arena.waiting -= stage.heard
    stage.heard -= {arena.robot, arena.scenery, arena.movers}
    return not arena.waiting and all(each.is_connected for each in arena.wrenches)


def forget_edits(arena: Arena, stage: Stage) -> None:
    """Begin anew with what nobody has heard of: what comes of it late is taken away again."""
    _clear(arena, stage)
    arena.world = None
    arena.waiting.clear()


def _begin_world(arena: Arena, stage: Stage, world: World) -> None:
    if arena.world is not world:
        _clear(arena, stage)
        arena.number += 1
        stage.insert(arena.scenery, scenery_sdf(world, arena.scenery, *arena.origin))
        arena.waiting.add(arena.scenery)
        arena.world, arena.standing = world, arena.scenery
    elif len(world.movers):
        stage.remove(arena.movers)
        _forget_movers(arena, stage)
        arena.number += 2  # the same place, another name
    if len(world.movers):
        _insert_movers(arena, stage, world)


def _insert_movers(arena: Arena, stage: Stage, world: World) -> None:
    stage.insert(arena.movers, movers_sdf(world, arena.movers, *arena.origin))
    arena.waiting.add(arena.movers)
    arena.wrenches = [
        stage.advertise(wrench_topic(arena.movers, number), 'Wrench')
        for number in range(len(world.movers))
    ]
    arena.mover_places = mover_positions(world.movers, 0.0)
    arena.mover_velocities = np.zeros_like(arena.mover_places)


def _clear(arena: Arena, stage: Stage) -> None:
    """Take away what stands."""
    if arena.world is not None:
        stage.remove(arena.standing)
        if len(arena.world.movers):
            stage.remove(arena.movers)
    _forget_movers(arena, stage)


def _forget_movers(arena: Arena, stage: Stage) -> None:
    for wrench in arena.wrenches:
        stage.server.transport.unadvertise(wrench)
    arena.wrenches = []
