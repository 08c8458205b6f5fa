"""A node that is told to end before it has begun."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.nodes import PATIENCE_SEC, Nodes

from rl_planner.ros.start import ENDING


def catches(node: subprocess.Popen[str], number: int) -> bool:
    """Whether the process handles a signal by now: the bit of Linux's mask of caught ones."""
    for line in Path(f'/proc/{node.pid}/status').read_text().splitlines():
        if line.startswith('SigCgt:'):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


@pytest.mark.parametrize('number', ENDING)
@pytest.mark.parametrize('name', ['actor_node', 'learner_node', 'simulator_node', 'episode_node'])
def test_a_node_that_is_still_importing_ends_in_good_order(
    nodes: Nodes, name: str, number: int
) -> None:
    """Its parameters are wrong, but nobody wants to know any more."""
    node = nodes.start(name, robot__radius=-1.0)
    deadline = time.monotonic() + PATIENCE_SEC
    while not catches(node, ENDING[-1]):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert nodes.end(node, number) == ''
    assert node.returncode == 0


LATE = """
import os, types
from rl_planner.ros import start

class SignalsAsPythonEnds:
    def __del__(self, kill=os.kill, process=os.getpid()):
        kill(process, {number})

late = SignalsAsPythonEnds()
start.import_module = lambda name: types.SimpleNamespace(ActorNode=None, run_node=lambda *_: 3)
raise SystemExit(start.start('actor_node'))
"""


@pytest.mark.parametrize('number', ENDING)
def test_a_signal_to_a_node_that_is_all_but_gone_is_no_error(number: int) -> None:
    """Its work is saved, but Python takes its time to end, longer on a busy machine."""
    ended = subprocess.run([sys.executable, '-c', LATE.format(number=int(number))], check=False)
    assert ended.returncode == 3


MISSING = """
import sys
sys.modules['torch'] = None
from rl_planner.ros import start
raise SystemExit(start.start('learner_node'))
"""


def test_what_a_node_lacks_is_named() -> None:
    node = subprocess.run(
        [sys.executable, '-c', MISSING], capture_output=True, text=True, timeout=PATIENCE_SEC
    )
    missing = "learner_node: torch must be installed: pip install 'rl_planner[training]'\n"
    assert (node.returncode, node.stderr) == (2, missing)
