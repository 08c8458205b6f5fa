from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from support.results import driven

from rl_planner.evaluation.pictures import (
    PictureError,
    check_picture_path,
    draw_learning_curve,
    draw_trajectories,
    trajectory_png,
)
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.scenario import Scenario
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.episodes import Episode
from rl_planner.simulation.world import World

GREEN, VERMILLION, ORANGE, BLUE = '009E73', 'D55E00', 'E69F00', '0072B2'

MakeScenario = Callable[..., Scenario]


@pytest.fixture
def make_result(make_scenario: MakeScenario) -> Callable[[Outcome], EpisodeResult]:
    def make(outcome: Outcome) -> EpisodeResult:
        path = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 0.0]])
        return driven(make_scenario(), outcome, 5.0, path)

    return make


def pixels(path: Path, colour: str) -> int:
    """How many pixels of a picture have just this colour."""
    wanted = np.frombuffer(bytes.fromhex(colour), np.uint8)
    image = np.rint(imread(path)[..., :3] * 255.0).astype(np.uint8)
    return int((image == wanted).all(axis=-1).sum())


@pytest.mark.parametrize(
    ('outcome', 'colour'),
    [(Outcome.GOAL, GREEN), (Outcome.COLLISION, VERMILLION), (Outcome.TIMEOUT, ORANGE)],
)
def test_a_path_has_the_colour_of_its_outcome(
    tmp_path: Path,
    make_result: Callable[[Outcome], EpisodeResult],
    outcome: Outcome,
    colour: str,
) -> None:
    path = tmp_path / 'driven.png'
    draw_trajectories([make_result(outcome)], path)
    for each in (GREEN, VERMILLION, ORANGE):
        assert (pixels(path, each) > 100) == (each == colour)
    assert pixels(path, BLUE) > 50  # the goal


def test_every_kind_of_obstacle_is_drawn(tmp_path: Path) -> None:
    world = World(
        boxes=np.array([[0.0, 2.0, 0.3, 1.0, 1.0]]),
        circles=np.array([[2.0, 2.0, 0.5]]),
        walls=np.array([[-2.0, -2.0, 2.0, -2.0]]),
        movers=np.array([[-1.0, 0.0, 1.0, 0.0, 0.3, 0.2, 0.0]]),
    )
    episode = Episode(world, (0.0, 0.0, 0.0), (1.0, 1.0))
    result = driven(episode, Outcome.GOAL, 5.0, np.zeros((1, 2)))
    draw_trajectories([result], tmp_path / 'driven.png')
    assert pixels(tmp_path / 'driven.png', '8A8F98') > 1000
    assert pixels(tmp_path / 'driven.png', 'C9CCD1') > 500


def test_more_results_make_a_larger_grid(
    tmp_path: Path, make_result: Callable[[Outcome], EpisodeResult]
) -> None:
    results = [make_result(outcome) for outcome in [*Outcome][1:]] * 2
    draw_trajectories(results, tmp_path / 'six.png', 'title', [str(i) for i in range(6)], columns=3)
    draw_trajectories(results[:3], tmp_path / 'three.png', columns=3)
    six, three = imread(tmp_path / 'six.png'), imread(tmp_path / 'three.png')
    assert six.shape[1] == three.shape[1]
    assert six.shape[0] > 1.5 * three.shape[0]


def test_a_panel_is_cut_to_its_world(
    tmp_path: Path, make_result: Callable[[Outcome], EpisodeResult]
) -> None:
    """A hall of 7.8 m x 3.8 m has 0.1 m around it: twice as wide as high."""
    hall = World(boxes=np.array([[0.0, 0.0, 0.0, 7.8, 3.8]]))
    episode = Episode(hall, (0.0, 0.0, 0.0), (1.0, 1.0))
    path = tmp_path / 'panel.png'
    path.write_bytes(trajectory_png(driven(episode, Outcome.COLLISION, 5.0, np.zeros((2, 2))), 300))
    assert imread(path).shape[:2] == (150, 300)
    path.write_bytes(trajectory_png(make_result(Outcome.GOAL)))
    assert pixels(path, GREEN) > 100
    assert pixels(path, BLUE) > 50


def rows() -> list[dict[str, float]]:
    begun = [
        {'steps': 1000.0, 'transitions_per_sec': 900.0},
        {'steps': 2000.0, 'success_rate': 0.1},
    ]
    learning = {'success_rate': 0.4, 'critic_loss': 0.1, 'actor_loss': -0.2}
    return [*begun, *({'steps': 1000.0 * step, **learning} for step in range(3, 20))]


def test_a_learning_curve_has_rate_and_losses(tmp_path: Path) -> None:
    draw_learning_curve(rows(), tmp_path / 'curve.png', 'title')
    for colour in (GREEN, BLUE, VERMILLION):
        assert pixels(tmp_path / 'curve.png', colour) > 100


def test_a_learning_curve_without_updates_has_the_rate(tmp_path: Path) -> None:
    draw_learning_curve([{'steps': 1.0, 'success_rate': 0.0}] * 2, tmp_path / 'curve.svg')
    assert (tmp_path / 'curve.svg').read_text().rstrip().endswith('</svg>')


def test_nothing_is_not_drawn(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r'driven\.png: nothing was driven'):
        draw_trajectories([], tmp_path / 'driven.png')
    with pytest.raises(PictureError, match=r'curve\.png: no episode has ended yet'):
        draw_learning_curve([{'steps': 1.0}], tmp_path / 'curve.png')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('name', ['driven.gif', 'driven', 'png'])
def test_another_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureError, match=rf"must end in \.png, \.svg, \.pdf, got '.*{name}'"):
        check_picture_path(tmp_path / name)
    with pytest.raises(PictureError):
        draw_learning_curve(rows(), tmp_path / name)
