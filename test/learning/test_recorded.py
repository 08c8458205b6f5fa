from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.devices import DEVICES
from torch import Tensor

from rl_planner.learning.config import LearningConfig
from rl_planner.learning.learner import Learner
from rl_planner.learning.recorded import Recorded


class Walk:
    """A state that changes in each way that a recording has to do with."""

    def __init__(self, device: str) -> None:
        self.first, self.second = torch.zeros(3, device=device), torch.ones(3, device=device)
        self.alias = self.first
        self.kept = torch.zeros(3, device=device)
        self.generator = torch.Generator(device)
        self.generator.manual_seed(5)

    def step(self) -> tuple[Tensor, ...]:
        self.kept += self.alias
        self.first, self.second = self.second, self.first + 1.0  # one is the other's old tensor
        self.alias = self.first
        return self.kept.clone(), torch.rand(3, generator=self.generator, device=self.kept.device)


@pytest.mark.parametrize('device', DEVICES)
def test_each_call_is_one_call_of_the_function(device: str) -> None:
    walk, plain = Walk(device), Walk(device)
    recorded = Recorded(walk.step, torch.device(device), [walk], [walk.generator])
    returned = [recorded() for _ in range(12)]  # the results are ours: all are still as they were
    for ours, right in zip(returned, [plain.step() for _ in range(12)], strict=True):
        for tensor, expected in zip(ours, right, strict=True):
            torch.testing.assert_close(tensor, expected, rtol=0.0, atol=0.0)
    for name in ('first', 'second', 'alias', 'kept'):
        torch.testing.assert_close(getattr(walk, name), getattr(plain, name))
    # 1, 1, 2, 2, 3, 3, ... are added to what is kept, after the 0 at the start
    assert returned[-1][0].tolist() == [sum([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6])] * 3


@pytest.mark.parametrize('device', DEVICES)
def test_recorded_updates_follow_the_learning_rate(
    make_learner: Callable[..., Learner], small_config: LearningConfig, device: str
) -> None:
    config = replace(small_config, final_learning_rate=1e-9)
    learner = make_learner(config=config, device=device)
    rng = np.random.default_rng(0)
    obs = rng.normal(size=(60, learner.obs_size))
    numbers = (obs, rng.uniform(-1.0, 1.0, (60, 2)), np.ones(60), obs, np.zeros(60), np.zeros(60))
    learner.add(np.arange(60), np.zeros(60), *numbers)
    actor = learner.algorithm.actor.parameters
    moved = []
    for progress in [0.0] * 10 + [1.0, 0.0]:
        learner.set_progress(progress)
        before = actor.clone()
        assert learner.update()['critic_loss'].isfinite()
        moved.append(float((actor - before).abs().max()))
    assert moved[10] < 1e-9 < 1e-4 < min(moved[:10] + moved[11:])
