"""For all tests: no wall time; for those under the marker `gazebo`: Gazebo and ROS interfaces."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile('busy', deadline=None)  # other work on the machine fails no test
settings.load_profile('busy')

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope='session')
def gazebo_root() -> str:
    """The root of the real Gazebo."""
    return os.environ.get('RL_PLANNER_TEST_GAZEBO_ROOT', str(CHECKOUT / '.gazebo'))


@pytest.fixture
def interfaces(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the generated interfaces; the processes that the test starts find them."""
    folder = Path(os.environ.get('RL_PLANNER_TEST_INTERFACES', CHECKOUT / '.interfaces'))
    (packages,) = folder.glob('lib/python3*/site-packages')
    monkeypatch.syspath_prepend(packages)
    for variable, path in (('PYTHONPATH', packages), ('LD_LIBRARY_PATH', folder / 'lib')):
        before = os.environ.get(variable)
        monkeypatch.setenv(variable, f'{path}{os.pathsep}{before}' if before else str(path))
    return folder
