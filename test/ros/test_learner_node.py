"""The learner as a process: experience in, policy out, everything counted and kept."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import Float32MultiArray, UInt8MultiArray
from support.nodes import Nodes, Peer, constant_policy

from rl_planner.learning.run import read_metrics
from rl_planner.navigation.config import ObservationConfig, RobotConfig
from rl_planner.navigation.observation import observation_size
from rl_planner.navigation.policy import Policy
from rl_planner.navigation.step import Transitions
from rl_planner.navigation.task import Outcome
from rl_planner.ros import qos
from rl_planner.ros.experience import encode

SIZE = observation_size(ObservationConfig())
QUICK = {'learning__warmup_transitions': 64, 'learning__replay_capacity': 5000}


def batch(
    rng: np.random.Generator,
    first_step: int,
    outcome: int = Outcome.RUNNING,
    robots: int = 4,
    steps: int = 16,
) -> Any:
    """Transitions of several robots over several steps, in the order an actor sends them."""
    rows = robots * steps
    return Transitions(
        np.tile(np.arange(robots), steps),
        first_step + np.repeat(np.arange(steps), robots),
        rng.normal(size=(rows, SIZE)).astype(np.float32),
        rng.uniform(-1.0, 1.0, (rows, 2)).astype(np.float32),
        rng.normal(size=rows).astype(np.float32),
        rng.normal(size=(rows, SIZE)).astype(np.float32),
        np.full(rows, outcome),
    )


class Actors:
    """Sends experience, and keeps the policies that come back."""

    def __init__(self, peer: Peer) -> None:
        self.peer, self.policies = peer, list[Policy]()
        self.out = peer.node.create_publisher(Float32MultiArray, 'experience', qos.COMPLETE)
        peer.node.create_subscription(UInt8MultiArray, 'policy', self._on_policy, qos.LATCHED)
        self._rng = np.random.default_rng(0)

    def _on_policy(self, message: UInt8MultiArray) -> None:
        self.policies.append(Policy.from_bytes(bytes(message.data)))

    def wait_for_learner(self) -> None:
        self.peer.until(lambda: self.policies and self.out.get_subscription_count() > 0)
        self.peer.spin(0.5)

    def send(self, sequence: int, run_id: str = 'run', outcome: int = Outcome.RUNNING) -> None:
        message = encode(run_id, sequence, [batch(self._rng, 16 * sequence, outcome)])
        self.out.publish(message)


def newest(run: Path) -> dict[str, float]:
    path = run / 'metrics.jsonl'
    return (read_metrics(path) or [{}])[-1] if path.exists() else {}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / 'run'


def test_learns_counts_and_publishes(nodes: Nodes, peer: Peer, run: Path) -> None:
    actors = Actors(peer)
    node = nodes.start('learner_node', run_dir=str(run), device='cpu', **QUICK)
    actors.wait_for_learner()
    untrained = actors.policies[-1].to_bytes()
    for sequence in (0, 1, 2, 2, 5, 6, 1):  # 2 and 1 come twice, 3 and 4 never
        actors.send(sequence)
    actors.send(7, run_id='another actor')
    peer.until(lambda: newest(run).get('received') == 6)
    row = newest(run)
    assert (row['lost'], row['duplicated']) == (2, 2)
    assert row['steps'] == 6 * 64
    peer.until(lambda: newest(run).get('updates') == 5)  # (384 - 64) transitions / 64 each
    peer.until(lambda: actors.policies[-1].to_bytes() != untrained)
    assert nodes.end(node).count('experience messages of run lost') == 1


def test_refuses_experience_of_another_layout(nodes: Nodes, peer: Peer, run: Path) -> None:
    actors = Actors(peer)
    node = nodes.start('learner_node', run_dir=str(run), device='cpu', **QUICK)
    actors.wait_for_learner()
    message = encode('run', 0, [batch(np.random.default_rng(0), 0)])
    message.layout.dim[1].size -= 2
    actors.out.publish(message)
    actors.out.publish(Float32MultiArray())
    actors.send(0)
    peer.until(lambda: newest(run).get('received') == 1)
    assert 'experience must have 108 columns' in nodes.end(node)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_keeps_everything_when_told_to_end_and_goes_on(
    nodes: Nodes, peer: Peer, run: Path, number: int
) -> None:
    actors = Actors(peer)
    node = nodes.start('learner_node', run_dir=str(run), device='cpu', **QUICK)
    actors.wait_for_learner()
    for sequence in range(4):
        actors.send(sequence)
    peer.until(lambda: newest(run).get('steps') == 256)
    nodes.end(node, number)
    assert node.returncode == 0
    kept = Policy.load(run / 'policy.safetensors')
    assert kept.metadata.provenance['transitions'] == 256
    peer.until(lambda: not actors.out.get_subscription_count())  # or its last words come later
    actors.policies.clear()
    resumed = nodes.start('learner_node', run_dir=str(run), device='cpu', resume=True, **QUICK)
    actors.wait_for_learner()
    assert actors.policies[0].to_bytes() == kept.to_bytes()
    assert 'resumed at 256 transitions' in nodes.end(resumed)


def test_keeps_the_best_policy_beside_the_last(nodes: Nodes, peer: Peer, run: Path) -> None:
    actors = Actors(peer)
    node = nodes.start('learner_node', run_dir=str(run), device='cpu', **QUICK)
    actors.wait_for_learner()
    for sequence in range(32):
        outcome = Outcome.GOAL if sequence < 16 else Outcome.COLLISION
        actors.send(sequence, outcome=outcome)  # 64 episodes, of one step each
    peer.until(lambda: newest(run).get('steps') == 2048)
    assert newest(run)['best_success_rate'] == 1.0
    assert newest(run)['success_rate'] == 0.0
    nodes.end(node)
    best, last = (Policy.load(run / f'{name}.safetensors') for name in ('best_policy', 'policy'))
    assert best.metadata.provenance['transitions'] == 1000  # where the first window was full
    assert last.metadata.provenance['transitions'] == 2048


def test_refuses_a_run_folder_in_use(nodes: Nodes, run: Path) -> None:
    run.mkdir()
    (run / 'metrics.jsonl').write_text('')
    assert 'holds a run already' in nodes.refuse('learner_node', run_dir=str(run))
    assert 'run_dir must name a folder' in nodes.refuse('learner_node')


def test_ends_when_its_budget_is_spent(nodes: Nodes, peer: Peer, run: Path) -> None:
    actors = Actors(peer)
    node = nodes.start('learner_node', run_dir=str(run), device='cpu', budget_sec=2.0, **QUICK)
    actors.wait_for_learner()
    peer.spin(2.5)  # the budget counts from the first transition on
    assert node.poll() is None
    actors.send(0)
    peer.until(lambda: node.poll() is not None)
    assert node.returncode == 0
    assert newest(run)['elapsed_sec'] >= 2.0
    assert Policy.load(run / 'policy.safetensors').metadata.provenance['transitions'] == 64


def trained_policy(path: Path, hidden: int = 48, **changes: Any) -> Policy:
    """A policy of one hidden layer, saved to `path`."""
    like = constant_policy(**changes).metadata
    rng = np.random.default_rng(3)
    tensors = {
        'actor.0.weight': rng.normal(0.0, 0.1, (hidden, observation_size(like.observation))),
        'actor.0.bias': rng.normal(size=hidden),
        'actor.1.weight': rng.normal(0.0, 0.1, (2, hidden)),
        'actor.1.bias': rng.normal(size=2),
    }
    policy = Policy(tensors, like)
    policy.save(path)
    return policy


def test_begins_with_a_policy_and_leaves_it_alone_until_critics_know_it(
    nodes: Nodes, peer: Peer, run: Path, tmp_path: Path
) -> None:
    """Its observation and its layers count: a layer of 48, where 2 of 128 are configured."""
    first = trained_policy(tmp_path / 'first.safetensors')
    actors = Actors(peer)
    given = {'run_dir': str(run), 'device': 'cpu', **QUICK, 'learning__critic_warmup_updates': 4}
    node = nodes.start('learner_node', init_policy=str(tmp_path / 'first.safetensors'), **given)
    actors.wait_for_learner()
    obs = np.random.default_rng(5).normal(size=(20, SIZE)).astype(np.float32)
    assert actors.policies[-1].act(obs) == pytest.approx(first.act(obs), abs=1e-6)
    for sequence in range(5):  # (320 - 64) transitions / 64 each
        actors.send(sequence)
    peer.until(lambda: newest(run).get('updates') == 4)
    peer.until(lambda: actors.policies[-1].metadata.provenance['updates'] == 4)
    assert actors.policies[-1].act(obs) == pytest.approx(first.act(obs), abs=1e-6)
    actors.send(5)
    peer.until(lambda: actors.policies[-1].metadata.provenance['updates'] == 5)
    moved = np.abs(actors.policies[-1].act(obs) - first.act(obs)).max()
    assert 1e-6 < moved < 0.1
    nodes.end(node)


def test_refuses_a_policy_of_another_robot(nodes: Nodes, run: Path, tmp_path: Path) -> None:
    path = tmp_path / 'first.safetensors'
    trained_policy(path, robot=RobotConfig(radius=0.3))
    said = nodes.refuse('learner_node', run_dir=str(run), init_policy=str(path))
    assert 'robot.radius is 0.17 here and was 0.3 in training' in said
    assert not run.exists()


def test_refuses_to_resume_a_run_that_no_node_began(nodes: Nodes, run: Path) -> None:
    run.mkdir()
    (run / 'config.yaml').write_text('algorithm: ddpg\n')
    said = nodes.refuse('learner_node', run_dir=str(run), resume=True)
    assert 'run_dir must not be of `rl_planner train`' in said
    assert 'init_policy' in said
