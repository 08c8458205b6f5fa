"""How far the episode of one robot has come, as episode_node knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from geometry_msgs.msg import PoseStamped

from rl_planner.simulation.episodes import Episode


@dataclass
class Stage:
    """One robot's present episode; none before the first, and after the last of a file."""

    episodes: Iterator[tuple[int, Episode]]
    number: int = -1
    episode: Episode | None = None
    asked_ns: int = 0
    began_ns: int | None = None  # None: the simulator has not answered yet
    goal: PoseStamped | None = None
    was_acknowledged: bool = False  # the goal, once at least
    heard_ns: int | None = None  # None: nobody is known to have the goal
    states: list[tuple[int, list[float]]] = field(default_factory=list)  # with their times
    outcome: str = ''  # not yet
    ended_ns: int = 0
    is_over: bool = False

    def begin(self, asked_ns: int) -> None:
        """The simulator is asked for the episode; what was before is of no use."""
        self.asked_ns, self.states = asked_ns, []
        self.began_ns, self.outcome = None, ''
        self.await_hearing(None)

    def await_hearing(self, goal: PoseStamped | None) -> None:
        """The goal is another one, and nobody has heard it yet."""
        self.goal, self.was_acknowledged, self.heard_ns = goal, False, None

    def acknowledged(self, now_ns: int) -> None:
        """All that was said of the goal till now has been acknowledged.

        Who finds the publisher only after it was found acknowledges also what was said before, and
        never got it; the second time it has got it.
        """
        if self.was_acknowledged and self.heard_ns is None:
            self.heard_ns = now_ns
        self.was_acknowledged = True

    def underway_ns(self, now_ns: int) -> int:
        """How long somebody has had the goal, and no outcome has come.

        In lock-step, time runs fast past a robot that waits for its goal. Would that count, a drive
        that has just begun could be taken for lost, and lead on to its goal in the next episode.
        """
        if self.heard_ns is None or self.outcome:
            return 0
        return now_ns - self.heard_ns
