"""Parameter files: what is in them, and what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_planner.bringup.params_file import (
    ParamsFileError,
    check_params_file,
    read_params_file,
    read_params_files,
)
from rl_planner.bringup.system import train
from rl_planner.navigation.config import RobotConfig, TaskConfig

CONFIG = Path(__file__).parents[2] / 'config'
SHARED = [CONFIG / 'params.yaml', *CONFIG.glob('robots/*.yaml'), *CONFIG.glob('recipes/*.yaml')]
ALL = '/**:\n  ros__parameters:\n'


def write(folder: Path, text: str) -> Path:
    path = folder / 'mine.yaml'
    path.write_text(text)
    return path


def test_what_is_given_and_defaults_for_the_rest(tmp_path: Path) -> None:
    configs = read_params_file(write(tmp_path, ALL + '    robot: {radius: 0.3}\n'))
    assert configs['robot'] == RobotConfig(radius=0.3)
    assert configs['task'] == TaskConfig()


def test_a_later_file_overrides_single_parameters(tmp_path: Path) -> None:
    first, second = tmp_path / 'first.yaml', tmp_path / 'second.yaml'
    first.write_text(ALL + '    robot: {radius: 0.3, max_linear_vel: 0.4}\n')
    second.write_text(ALL + '    robot: {radius: 0.2}\n    task: {time_limit: 90}\n')
    configs = read_params_files([first, second])
    assert configs['robot'] == RobotConfig(radius=0.2, max_linear_vel=0.4)
    assert configs['task'] == TaskConfig(time_limit=90.0)
    assert read_params_files([second, first])['robot'].radius == 0.3


def test_what_does_not_fit_together_names_the_files(tmp_path: Path) -> None:
    first, second = tmp_path / 'first.yaml', tmp_path / 'second.yaml'
    first.write_text(ALL + '    lidar: {range_max: 1.0}\n')
    second.write_text(ALL + '    lidar: {range_min: 2.0}\n')
    with pytest.raises(
        ParamsFileError, match=r'first\.yaml, .*second\.yaml: lidar: range_min must be'
    ):
        read_params_files([first, second])
    second.write_text(ALL + '    lidar: {range_min: -1}\n')
    with pytest.raises(
        ParamsFileError, match=r'^[^,]*second\.yaml: lidar\.range_min must be at least'
    ):
        read_params_files([first, second])


@pytest.mark.parametrize('name', [path.relative_to(CONFIG).as_posix() for path in SHARED])
def test_the_shipped_files_are_read(name: str) -> None:
    read_params_file(CONFIG / name)
    check_params_file(CONFIG / name)


def test_a_section_for_one_node_is_checked_too(tmp_path: Path) -> None:
    text = '/**/actor_node:\n  ros__parameters:\n    scan_timeout: 0.2\n    robot: {radius: 0.3}\n'
    check_params_file(write(tmp_path, text))
    with pytest.raises(
        ParamsFileError, match=r'robot\.radius must be above 0 and at most 2, got -0\.3'
    ):
        check_params_file(write(tmp_path, text.replace('0.3', '-0.3')))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('robot: {radius: 1}', 'must hold parameters under a node or /\\*\\*'),
        ('', 'must hold parameters under a node'),
        ('{', 'is not YAML'),
        ('[1, 2]', 'must hold parameters under a node'),
        (
            ALL + '    robot: {radiuss: 1.0}',
            r'unknown parameter robot\.radiuss, did you mean robot\.radius\?',
        ),
        (
            ALL + '    lidar: {num_beams: 0}',
            r'lidar\.num_beams must be at least 1 and at most 10000, got 0',
        ),
        (ALL + '    robot: 3', r'parameters must be a mapping with robot\.radius, \.\.\., got 3'),
        (ALL + '    robot:', r'parameters must be a mapping with robot\.radius, \.\.\., got None'),
        (ALL + '    robot: {1: 2}', r'unknown parameter robot\.1'),
    ],
)
def test_bad_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    for read in (read_params_file, check_params_file):
        with pytest.raises(ParamsFileError, match=rf'mine\.yaml.*({message})'):
            read(path)
    with pytest.raises(ParamsFileError, match=message):
        train(params_file=str(path))


def test_what_is_for_a_node_alone_is_not_read_without_nodes(tmp_path: Path) -> None:
    path = write(tmp_path, 'simulator_node: {ros__parameters: {robot: {radius: 0.3}}}')
    check_params_file(path)
    rule = r'only /.* counts where there are no nodes, got robot of simulator_node'
    with pytest.raises(ParamsFileError, match=rule):
        read_params_file(path)


@pytest.mark.parametrize('name', ['1', 'on', '2.5', 'null'])
def test_names_that_are_no_text_are_named(tmp_path: Path, name: str) -> None:
    for text in (f'{name}: {{ros__parameters: {{}}}}', f'/**: {{ros__parameters: {{{name}: 3}}}}'):
        path = write(tmp_path, text)
        for read in (read_params_file, check_params_file):
            with pytest.raises(ParamsFileError, match=r'mine\.yaml: names must be text, got '):
                read(path)


def test_what_is_a_nodes_own_may_stand_beside_what_all_share(tmp_path: Path) -> None:
    """One file of a robot, for its nodes and for evaluation."""
    own = '/**/actor_node: {ros__parameters: {scan_timeout: 0.7, mount_from_tf: false}}\n'
    path = write(tmp_path, ALL + '    robot: {radius: 0.3}\n' + own)
    check_params_file(path)
    assert read_params_file(path)['robot'].radius == 0.3
    for wrong, reason in (
        ('/**/actor_node: {ros__parameters: {robot.radius: 0.2}}', 'got robot.radius of /'),
        ('/**/actr_node: {ros__parameters: {seed: 2}}', 'did you mean actor_node'),
    ):
        with pytest.raises(ParamsFileError, match=reason):
            read_params_file(write(tmp_path, ALL + '    robot: {radius: 0.3}\n' + wrong))


def test_groups_and_nodes_that_do_not_exist_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, ALL + '    robt: {radius: 1.0}\n')
    with pytest.raises(ParamsFileError, match='unknown parameter robt, did you mean robot'):
        read_params_file(path)
    path = write(tmp_path, 'actr_node:\n  ros__parameters:\n    seed: 1\n')
    with pytest.raises(ParamsFileError, match='unknown node actr_node, did you mean actor_node'):
        check_params_file(path)


@pytest.mark.parametrize('name', ['actor_node', '/actor_node'])
def test_a_section_that_reaches_no_node_of_a_namespace_is_named(tmp_path: Path, name: str) -> None:
    text = f'{name}:\n  ros__parameters:\n    scan_timeout: 0.2\n'
    path = str(write(tmp_path, text))
    train(params_file=path)
    with pytest.raises(ParamsFileError, match=rf'{name} must be /\*\*/actor_node or /a/actor_node'):
        train(params_file=path, role='robots', namespace='a')
    for reaching in ('/**/actor_node', '/a/actor_node', '/b/actor_node', 'learner_node', '/**'):
        write(tmp_path, text.replace(name, reaching))
        train(params_file=path, role='robots', namespace='a')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsFileError, match=r'cannot read .*none\.yaml: No such file'):
        read_params_file(tmp_path / 'none.yaml')
