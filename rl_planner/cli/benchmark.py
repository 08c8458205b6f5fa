"""`rl_planner benchmark`: how fast the parts are, on this machine."""

from __future__ import annotations

import argparse
import os
from typing import Any

from rl_planner.cli import (
    benchmark_gazebo,
    benchmark_learner,
    benchmark_planner,
    benchmark_policy,
    benchmark_simulator,
    benchmark_training,
    benchmark_transport,
)
from rl_planner.cli.options import add_json, add_quiet, new_parser

BENCHMARKS = {
    'simulator': benchmark_simulator,
    'policy': benchmark_policy,
    'planner': benchmark_planner,
    'learner': benchmark_learner,
    'transport': benchmark_transport,
    'training': benchmark_training,
    'gazebo': benchmark_gazebo,
}

TEXT = """\
Measure how fast simulator, policy, planner, learner, transport, learning and Gazebo are here.

Let nothing else run meanwhile.
"""

EPILOG = """\
examples:
  rl_planner benchmark simulator
  rl_planner benchmark policy --json policy.json
  rl_planner benchmark planner
  rl_planner benchmark learner --device cuda
  rl_planner benchmark transport --robots 8 --budget-sec 30
  rl_planner benchmark training --budget-sec 60 --picture curves.png
  rl_planner benchmark gazebo --gazebo-root .gazebo
"""


def add_parser(subparsers: Any) -> None:
    parser = new_parser(subparsers, 'benchmark', _run, TEXT, EPILOG)
    parts = parser.add_subparsers(required=True, metavar='PART', title='parts')
    for name, part in BENCHMARKS.items():
        example = f'example:\n  rl_planner benchmark {name} --json {name}.json'
        own = new_parser(parts, name, _run, part.TEXT, example)
        own.set_defaults(part=name)
        part.add_options(own)
        add_json(own)
        add_quiet(own)


def _run(options: argparse.Namespace) -> int:
    from rl_planner.cli.options import write_json

    figures = BENCHMARKS[options.part].measure(options)
    write_json(options.json, {'benchmark': options.part, 'cpus': os.cpu_count(), **figures})
    return 0
