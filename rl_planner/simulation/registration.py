"""Makes the environment known to gymnasium, when this module is imported.

    import gymnasium
    import rl_planner.simulation.registration

    env = gymnasium.make('rl_planner/Navigation-v0')
    envs = gymnasium.make_vec('rl_planner/Navigation-v0', num_envs=128)

gymnasium imports it itself for `rl_planner.simulation.registration:rl_planner/Navigation-v0`. It no
longer looks for entry points of installed packages: those went with its version 1.0.
"""

from __future__ import annotations

import gymnasium

ENV_ID = 'rl_planner/Navigation-v0'

gymnasium.register(
    ENV_ID,
    entry_point='rl_planner.simulation.navigation_env:NavigationEnv',
    vector_entry_point='rl_planner.simulation.navigation_env:make_vector_env',
)
