"""What can be configured about learning: typed, described, bounded and checked."""

from __future__ import annotations

from dataclasses import dataclass

from rl_planner.navigation.config import Config, ConfigError, parameter


@dataclass(frozen=True)
class ExplorationConfig(Config):
    """How actions are disturbed while experience is gathered; all that an actor has to know."""

    sigma_min: float = parameter(
        0.05, 'smallest noise scale of a robot (share of the action range)', at_least=0.0
    )
    sigma_max: float = parameter(
        0.6,
        'largest noise scale; every episode draws its own, so that the replay buffer holds careful '
        'driving beside bold exploration',
        at_least=0.0,
        at_most=2.0,
    )
    white_noise: float = parameter(
        0.5, 'share of the scale that is drawn anew each step', at_least=0.0, at_most=2.0
    )
    ou_noise: float = parameter(
        0.7, 'share that is Ornstein-Uhlenbeck: carries over steps', at_least=0.0, at_most=2.0
    )
    ou_theta: float = parameter(
        0.15, 'share of its value that the carried noise loses each step', above=0.0, at_most=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma_min > self.sigma_max:
            raise ConfigError(
                f'sigma_min must be at most sigma_max {self.sigma_max:g}, got {self.sigma_min:g}'
            )


@dataclass(frozen=True)
class LearningConfig(ExplorationConfig):
    """The algorithm, its networks, its replay buffer and its schedule."""

    algorithm: str = parameter(
        'ddpg',
        'learning algorithm; td3 and sac take 1.2 and 1.6 times as long for an update',
        choices=('ddpg', 'td3', 'sac'),
    )
    hidden_size: int = parameter(128, 'units of a hidden layer', at_least=1, at_most=4096)
    hidden_layers: int = parameter(2, 'hidden layers of actor and critic', at_least=1, at_most=8)
    discount: float = parameter(
        0.99, 'what a reward is worth one step later', at_least=0.0, at_most=1.0
    )
    n_step: int = parameter(
        8,
        'rewards summed before the critic is asked; with 1, 58 % success instead of 94 %',
        at_least=1,
        at_most=100,
    )
    tau: float = parameter(
        0.01, 'share by which target networks follow at each update', above=0.0, at_most=1.0
    )
    actor_learning_rate: float = parameter(
        2e-3,
        'Adam step of the actor at the start; 1e-3 is 2 points behind after 128,000 transitions, '
        'level after 512,000',
        above=0.0,
    )
    critic_learning_rate: float = parameter(
        2e-3, 'Adam step of the critic at the start; measured together with the actor', above=0.0
    )
    final_learning_rate: float = parameter(
        0.1,
        'share of both learning rates that is left at the end, reached linearly',
        above=0.0,
        at_most=1.0,
    )
    saturation_penalty: float = parameter(
        0.01,
        'ddpg, td3: cost of actor outputs beyond 2 before tanh; without it all actions saturate '
        'for good',
        at_least=0.0,
    )
    policy_delay: int = parameter(
        2,
        'td3: updates of the critics for each of the actor and of the targets; the default is '
        "the paper's",
        at_least=1,
        at_most=100,
    )
    target_noise: float = parameter(
        0.2,
        'td3: standard deviation of the noise on the action that a target is made of; with 0, '
        '96.7 % success instead of 97.5 % after 600,000 transitions',
        at_least=0.0,
    )
    target_noise_clip: float = parameter(
        0.5,
        "td3: most that this noise changes an action by; the default is the paper's",
        at_least=0.0,
    )
    target_entropy: float = parameter(
        -2.0,
        "sac: entropy (nats) that the temperature is adjusted for; the default is the paper's, "
        'minus the numbers of an action; -4 does as well',
    )
    initial_temperature: float = parameter(
        0.02,
        'sac: what a nat of entropy is worth at the start, in units of reward; 0.005 and 0.2 do as '
        'well',
        above=0.0,
    )
    temperature_learning_rate: float = parameter(
        2e-3,
        "sac: Adam step of the temperature's logarithm at the start; that of the networks",
        above=0.0,
    )
    batch_size: int = parameter(256, 'transitions in one update', at_least=1, at_most=65536)
    replay_capacity: int = parameter(
        512000, 'transitions the replay buffer holds: 4000 steps of 128 robots', at_least=1
    )
    warmup_transitions: int = parameter(
        3840, 'transitions before the first update: 30 steps of 128 robots', at_least=1
    )
    updates_per_transition: float = parameter(
        2.0 / 128.0, 'gradient updates per transition: 2 per step of 128 robots', above=0.0
    )

    critic_warmup_updates: int = parameter(
        2000,
        'where training begins with a policy: first updates, of new critics alone',
        at_least=0,
    )
    anchor_weight: float = parameter(
        1.0,
        'where training begins with a policy: cost, in units of reward, of the squared distance '
        'of actions from those of that policy; with 0 new critics lead a good one astray, from 99 '
        'to 96 % success, with 0.3 it forgets worlds that it no longer sees',
        at_least=0.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup_transitions > self.replay_capacity:
            raise ConfigError(
                f'warmup_transitions must be at most replay_capacity {self.replay_capacity}, '
                f'got {self.warmup_transitions}'
            )
