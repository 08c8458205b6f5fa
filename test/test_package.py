"""package.xml, setup.py and constraints.txt tell the same story."""

import ast
import re
import runpy
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import setuptools

import rl_planner

ROOT = Path(__file__).parents[1]

# Names of imports whose rosdep key is not their own name.
ROSDEP_KEYS = {
    'gymnasium': 'python3-gymnasium-pip',
    'matplotlib': 'python3-matplotlib',
    'numba': 'python3-numba',
    'numpy': 'python3-numpy',
    'tensorboard': 'python3-tensorboard-pip',
    'torch': 'python3-torch',
    'tqdm': 'python3-tqdm',
    'yaml': 'python3-yaml',
}


@pytest.fixture
def setup_arguments(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py hands to setuptools."""
    arguments: dict[str, Any] = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(setuptools, 'setup', arguments.update)
    runpy.run_path('setup.py')
    return arguments


@pytest.fixture
def manifest() -> ElementTree.Element:
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def normalized(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


def imports(path: Path) -> set[str]:
    """The top-level names that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module))
    return {name.partition('.')[0] for name in names}


def pins() -> dict[str, set[str]]:
    """The versions that constraints.txt gives each distribution."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r'^([^#\s=]+)==([^;\s]+)', constraints(), re.MULTILINE):
        found.setdefault(normalized(name), set()).add(version)
    return found


def constraints() -> str:
    return (ROOT / 'constraints.txt').read_text()


def test_one_version(setup_arguments: dict[str, Any], manifest: ElementTree.Element) -> None:
    assert manifest.findtext('version') == rl_planner.__version__
    assert setup_arguments['version'] == rl_planner.__version__


def test_one_name_and_licence(
    setup_arguments: dict[str, Any], manifest: ElementTree.Element
) -> None:
    assert manifest.findtext('name') == setup_arguments['name'] == 'rl_planner'
    assert manifest.findtext('license') == setup_arguments['license'] == 'BSD-3-Clause'
    assert manifest.findtext('export/build_type') == 'ament_python'
    maintainer = manifest.find('maintainer')
    assert maintainer is not None
    assert maintainer.get('email') == setup_arguments['maintainer_email']


def test_the_manifest_names_every_import(manifest: ElementTree.Element) -> None:
    imported = {name for path in (ROOT / 'rl_planner').rglob('*.py') for name in imports(path)}
    for_mypy_only = {'typing_extensions'}
    optional = {'google', 'grpc_tools', 'irsim', 'rerun', 'stable_baselines3'}  # extras
    foreign = imported - sys.stdlib_module_names - for_mypy_only - optional - {'rl_planner'}
    needed = {ROSDEP_KEYS.get(name, name) for name in foreign}
    assert needed <= {each.text for each in manifest.iter('exec_depend')}


def test_every_shared_file_is_installed(setup_arguments: dict[str, Any]) -> None:
    installed = {
        (folder, file) for folder, files in setup_arguments['data_files'] for file in files
    }
    for top in ('config', 'launch', 'worlds'):
        for path in (ROOT / top).rglob('*'):
            if path.is_file() and '__pycache__' not in path.parts:
                file = path.relative_to(ROOT)
                assert (f'share/rl_planner/{file.parent}', str(file)) in installed
    assert ('share/rl_planner', 'package.xml') in installed
    marker = ('share/ament_index/resource_index/packages', 'resource/rl_planner')
    assert marker in installed


def test_every_package_is_installed(setup_arguments: dict[str, Any]) -> None:
    rooms = {
        f'rl_planner.{path.parent.name}' for path in (ROOT / 'rl_planner').glob('*/__init__.py')
    }
    assert {'rl_planner', *rooms} <= set(setup_arguments['packages'])
    assert not [name for name in setup_arguments['packages'] if name.startswith('test')]


def test_every_executable_has_its_main(setup_arguments: dict[str, Any]) -> None:
    scripts = dict(
        script.split(' = ') for script in setup_arguments['entry_points']['console_scripts']
    )
    nodes = {
        'actor_node',
        'episode_node',
        'gazebo_bridge_node',
        'global_planner_node',
        'learner_node',
        'simulator_node',
    }
    assert scripts.keys() == {'rl_planner', *nodes}
    for target in scripts.values():
        module, _, function = target.partition(':')
        source = (ROOT / module.replace('.', '/')).with_suffix('.py').read_text()
        assert re.search(rf'^def {function}\(', source, re.MULTILINE), target


def test_every_requirement_is_pinned(setup_arguments: dict[str, Any]) -> None:
    requirements = list(setup_arguments['install_requires'])
    for extra in setup_arguments['extras_require'].values():
        requirements += extra
    for requirement in requirements:
        match = re.fullmatch(r'([\w-]+)(?:\[\w+\])?(?:==(\S+))?', requirement)
        assert match, requirement
        name, version = match.groups()
        assert normalized(name) in pins()
        assert version is None or pins()[normalized(name)] == {version}


def test_torch_and_ros_are_pinned_in_the_requirement_too(setup_arguments: dict[str, Any]) -> None:
    extras = setup_arguments['extras_require']
    exact = [*extras['ros'], *(each for each in extras['training'] if each.startswith('torch'))]
    assert len(exact) > len(extras['ros'])
    assert all('==' in requirement for requirement in exact)
