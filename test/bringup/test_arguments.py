"""The arguments of a system: their types, their rules, and the options made of them."""

import argparse

import pytest

from rl_planner.bringup.arguments import Argument, Value, add_options, given_options, resolve

ARGUMENTS = (
    Argument('robots', 2, 'how many', minimum=1),
    Argument('real_time_factor', 0.5, 'how fast, in % of 100 %', minimum=0.0),
    Argument('device', 'auto', 'where', choices=('auto', 'cpu')),
    Argument('resume', False, 'go on'),
    Argument('out', '', 'a folder'),
)


def test_defaults_fill_what_is_not_given() -> None:
    assert resolve(ARGUMENTS, {'robots': 3}) == {
        'robots': 3,
        'real_time_factor': 0.5,
        'device': 'auto',
        'resume': False,
        'out': '',
    }


def test_texts_become_values() -> None:
    texts: dict[str, Value] = {'robots': '4', 'real_time_factor': '2', 'resume': 'True', 'out': '7'}
    values = resolve(ARGUMENTS, texts)
    assert [values[name] for name in texts] == [4, 2.0, True, '7']
    assert [type(values[name]) for name in texts] == [int, float, bool, str]


@pytest.mark.parametrize('argument', ARGUMENTS)
def test_a_default_survives_its_own_text(argument: Argument) -> None:
    assert argument.parse(argument.default_text) == argument.default


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('robots', 'two', "robots must be a whole number, got 'two'"),
        ('robots', 2.5, 'robots must be a whole number, got 2.5'),
        ('robots', 0, 'robots must be at least 1, got 0'),
        ('real_time_factor', 'nan', "real_time_factor must be a finite number, got 'nan'"),
        ('real_time_factor', '-0.1', 'real_time_factor must be at least 0, got -0.1'),
        ('device', 'gpu', "device must be one of auto, cpu, got 'gpu'"),
        ('resume', 'yes', "resume must be true or false, got 'yes'"),
        ('robot', 1, 'robot is no argument here; there are robots, real_time_factor, device'),
    ],
)
def test_a_broken_rule_is_named(name: str, value: Value, message: str) -> None:
    with pytest.raises(ValueError, match='^' + message.replace('.', r'\.')):
        resolve(ARGUMENTS, {name: value})


def parse(*words: str) -> dict[str, Value]:
    parser = argparse.ArgumentParser()
    add_options(parser, ARGUMENTS)
    return given_options(parser.parse_args(words), ARGUMENTS)


def test_options_give_the_same_values() -> None:
    assert parse() == resolve(ARGUMENTS, {})
    assert parse('--robots', '5', '--real-time-factor', '0', '--resume', '--out', 'x') == {
        'robots': 5,
        'real_time_factor': 0.0,
        'device': 'auto',
        'resume': True,
        'out': 'x',
    }


def test_a_bad_option_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse('--robots', '0')
    assert 'robots must be at least 1, got 0' in capsys.readouterr().err


def test_help_shows_descriptions_and_defaults() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, ARGUMENTS)
    text = ' '.join(parser.format_help().split())
    assert '--real-time-factor FLOAT how fast, in % of 100 % (default: 0.5)' in text
    assert '--device auto|cpu where (default: auto)' in text
    assert '--resume go on' in text
