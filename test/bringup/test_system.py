"""The description of the systems."""

import shutil
from pathlib import Path

import pytest
import yaml

from rl_planner.bringup.nodes import robot_names
from rl_planner.bringup.process import Process
from rl_planner.bringup.system import (
    SIMULATION_ARGUMENTS,
    TRAIN_ARGUMENTS,
    simulation,
    train,
)

WORLDS = Path(__file__).parents[2] / 'worlds'


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / 'policy.safetensors'
    path.write_bytes(b'policy')
    return path


def by_name(processes: list[Process]) -> dict[str, Process]:
    return {process.name: process for process in processes}


def test_train_has_four_nodes_whose_end_ends_all() -> None:
    nodes = train()
    names = ['simulator_node', 'actor_node', 'learner_node', 'episode_node']
    assert [node.name for node in nodes] == names
    assert all(node.required and node.namespace == '/' for node in nodes)


def test_the_nodes_that_know_robots_know_the_same() -> None:
    nodes = by_name(train(robots=3))
    for name in ('simulator_node', 'actor_node', 'episode_node'):
        assert nodes[name].parameters['robots'] == ['robot_0', 'robot_1', 'robot_2']
    assert 'robots' not in nodes['learner_node'].parameters


def test_only_the_simulator_keeps_its_own_time() -> None:
    on_sim_time = {node.name: node.parameters.get('use_sim_time') for node in train()}
    assert on_sim_time == {
        'simulator_node': False,
        'actor_node': True,
        'learner_node': None,
        'episode_node': True,
    }


def test_worlds_of_training_are_not_those_of_driving(policy: Path) -> None:
    assert by_name(train())['episode_node'].parameters['purpose'] == 'training'
    driving = by_name(simulation(policy=str(policy)))
    assert driving['episode_node'].parameters['purpose'] == 'evaluation'


def test_guided_robots_have_a_planner_each(policy: Path) -> None:
    nodes = by_name(simulation(policy=str(policy), guided=True, robots=2))
    for robot in ('robot_0', 'robot_1'):
        planner = nodes[f'{robot}_global_planner_node']
        assert (planner.executable, planner.namespace) == ('global_planner_node', f'/{robot}')
        assert planner.parameters == {'use_sim_time': True, 'mount_from_tf': False}
    assert nodes['actor_node'].parameters['follow_plan'] is True
    assert nodes['episode_node'].parameters['publish_map'] is True
    alone = by_name(simulation(policy=str(policy)))
    assert alone.keys() == {'simulator_node', 'actor_node', 'episode_node'}
    assert alone['actor_node'].parameters['follow_plan'] is False
    assert alone['episode_node'].parameters['publish_map'] is False


def test_guided_robots_are_not_in_lock_step(policy: Path) -> None:
    with pytest.raises(ValueError, match='guided must come with a real_time_factor above 0'):
        simulation(policy=str(policy), guided=True, real_time_factor=0)


def test_train_parameters(tmp_path: Path) -> None:
    nodes = by_name(train(out=str(tmp_path), seed=7, device='cpu', resume=True, episodes=20))
    assert nodes['actor_node'].parameters['training'] is True
    assert nodes['simulator_node'].parameters['real_time_factor'] == 0.0
    learner = nodes['learner_node'].parameters
    assert [learner[name] for name in ('run_dir', 'device', 'seed', 'resume')] == [
        str(tmp_path),
        'cpu',
        7,
        True,
    ]
    episodes = nodes['episode_node'].parameters
    assert [episodes[name] for name in ('world', 'seed', 'max_episodes')] == ['random', 7, 20]


def test_a_resumed_training_drives_by_the_policy_of_its_run(tmp_path: Path) -> None:
    """Robots drive by its observation; what it began with need not be told again."""
    policy = tmp_path / 'policy.safetensors'
    began = by_name(train(out=str(tmp_path), resume=True))
    assert began['actor_node'].parameters['policy_file'] == ''
    policy.touch()
    for resume, expected in ((True, str(policy)), (False, '')):
        nodes = by_name(train(out=str(tmp_path), resume=resume))
        assert nodes['actor_node'].parameters['policy_file'] == expected
        assert nodes['learner_node'].parameters['init_policy'] == expected


def test_train_makes_up_a_run_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    run_dir = Path(str(by_name(train())['learner_node'].parameters['run_dir']))
    assert run_dir.parent == tmp_path / 'runs'
    assert not run_dir.exists()


def test_simulation_drives_one_robot_in_real_time(policy: Path) -> None:
    nodes = by_name(simulation(policy=str(policy)))
    assert nodes.keys() == {'simulator_node', 'actor_node', 'episode_node'}
    assert nodes['simulator_node'].parameters['real_time_factor'] == 1.0
    actor = nodes['actor_node'].parameters
    assert actor['policy_file'] == str(policy)
    assert actor['training'] is False
    assert actor['robots'] == ['robot_0']


@pytest.mark.parametrize(
    ('robot', 'limit'), [('default', None), ('turtlebot3_burger', 90.9), ('jackal', 40.0)]
)
def test_a_slow_robot_has_longer_to_reach_its_goals(
    policy: Path, robot: str, limit: float | None
) -> None:
    """20 m, which the default robot drives in 40 s at 0.5 m/s: at 0.22 m/s they take 90.9 s."""
    for nodes in (simulation(policy=str(policy), robot_model=robot), train(robot_model=robot)):
        for name in ('actor_node', 'episode_node'):
            assert by_name(nodes)[name].parameters.get('task.time_limit') == limit


def test_files_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, policy: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(WORLDS / 'arena.sdf', 'room.sdf')
    nodes = by_name(simulation(policy=policy.name, world='room.sdf', episode_log='log.jsonl'))
    assert nodes['actor_node'].parameters['policy_file'] == str(policy)
    assert nodes['episode_node'].parameters['world'] == str(tmp_path / 'room.sdf')
    assert nodes['episode_node'].parameters['episode_log'] == str(tmp_path / 'log.jsonl')


def test_a_world_that_cannot_be_read_is_named_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / 'broken.sdf').write_text('<sdf version="1.7"><world>')
    with pytest.raises(ValueError, match=r'broken\.sdf'):
        train(world=str(tmp_path / 'broken.sdf'))


def test_simulation_may_have_its_episodes_from_a_file(policy: Path) -> None:
    nodes = by_name(simulation(policy=str(policy), scenarios=str(policy), seed=4))
    assert nodes['episode_node'].parameters['scenarios'] == str(policy)
    assert nodes['simulator_node'].parameters['seed'] == 4
    with pytest.raises(ValueError, match=r"scenarios must be an existing file, got 'no\.jsonl'"):
        simulation(policy=str(policy), scenarios='no.jsonl')


def test_a_user_file_goes_to_every_node_and_comes_last(tmp_path: Path) -> None:
    file = tmp_path / 'mine.yaml'
    file.write_text('{}')
    for node in train(params_file=str(file)):
        assert node.parameter_files == (file,)
        fixed = [f'{name}:={value}' for name, value in node.fixed.items()]
        assert node.ros_arguments()[-2 - 2 * len(fixed) :][:2] == ['--params-file', str(file)]


def test_simulated_scans_take_no_time_whatever_a_file_says(policy: Path) -> None:
    for nodes in (train(), simulation(policy=str(policy))):
        actor = by_name(nodes)['actor_node']
        assert actor.ros_arguments()[-2:] == ['-p', 'lidar.scan_duration:=0.0']


def test_a_training_may_be_spread_over_hosts(tmp_path: Path) -> None:
    (learner,) = train(role='learner', out=str(tmp_path), seed=3, robots=2)
    assert learner == by_name(train(out=str(tmp_path), seed=3))['learner_node']
    first, second, again = (train(role='robots', namespace=name, seed=3) for name in 'aba')
    for name, nodes in (('a', first), ('b', second)):
        assert [node.name for node in nodes] == ['simulator_node', 'actor_node', 'episode_node']
        for node in nodes:
            assert node.namespace == f'/{name}'
            assert node.ros_arguments()[:2] == ['-r', f'/clock:=/{name}/clock']
            assert node.remappings['experience'] == '/experience'
            assert node.remappings['policy'] == '/policy'
    seeds = {node.parameters['seed'] for node in [*first, *second, *again]}
    assert len(seeds) == 3  # one for each host and start: worlds and exploration differ


def test_robots_for_a_learner_elsewhere_need_a_namespace() -> None:
    with pytest.raises(ValueError, match='namespace must be given with role robots'):
        train(role='robots')
    with pytest.raises(ValueError, match=r'namespace must be a letter, then .* got host-1'):
        train(role='robots', namespace='host-1')


def test_missing_files_are_named(policy: Path) -> None:
    with pytest.raises(ValueError, match='policy must name a policy file'):
        simulation()
    with pytest.raises(ValueError, match=r"policy must be an existing file, got 'no\.file'"):
        simulation(policy='no.file')
    with pytest.raises(ValueError, match=r"world must be an existing file, got 'no\.sdf'"):
        simulation(policy=str(policy), world='no.sdf')
    with pytest.raises(ValueError, match=r"params_file must be an existing file, got 'no\.yaml'"):
        train(params_file='no.yaml')


def test_resume_needs_a_run_folder() -> None:
    with pytest.raises(ValueError, match='resume must come with out'):
        train(resume=True)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match='robots must be at least 1, got 0'):
        train(robots=0)
    with pytest.raises(ValueError, match='policy is no argument here'):
        train(policy='x')


@pytest.mark.parametrize('value', [True, 3, 1e-05, 'true', 'a "b" \\ü: {x}', ['robot_0', '1']])
def test_parameters_are_yaml(value: object) -> None:
    process = Process('node', 'node', {'p': value})  # type: ignore[dict-item]
    option, assignment = process.ros_arguments()
    assert option == '-p'
    name, _, text = assignment.partition(':=')
    assert name == 'p'
    read = yaml.safe_load(text)
    assert float(read) == value if isinstance(value, float) else read == value


def test_arguments_of_both_systems_agree() -> None:
    simulated = {argument.name: argument for argument in SIMULATION_ARGUMENTS}
    for argument in TRAIN_ARGUMENTS:
        if argument.name in simulated:
            assert argument.description == simulated[argument.name].description


def test_robot_names() -> None:
    assert robot_names(2) == ['robot_0', 'robot_1']
