"""`rl_planner benchmark gazebo --identify`: how robots answer their commands in Gazebo Classic."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rl_planner.cli.options import CommandError, progress_bar, table

if TYPE_CHECKING:
    from rl_planner.gazebo.identification import Case, Identified

MODELS = ('default', 'jackal', 'turtlebot3_burger', 'turtlebot3_waffle')
MOST_GAIN_ERROR = 0.5  # of `DisturbanceConfig`
ASIDE = 0.02  # m/s; the embedded simulator's robots do not go aside at all
COLUMNS = ('robot', 'from rest to', '63 %', '90 %', 'beyond', 'lag', 'in the end', 'aside')
NOTE = """\
from rest: one control period's acceleration, then driving at half and at full speed. lag: the delay
of a robot that changes at once and is as far behind in the end."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--identify',
        nargs='*',
        metavar='MODEL',
        help='robots of worlds/robots, or .sdf files; none named: all of the package',
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Identify the robots, print what they do, return it.

    Raises:
        CommandError: a model cannot be read, does not follow its commands, or Gazebo is not there.
    """
    from rl_planner.gazebo.error import GazeboError
    from rl_planner.gazebo.identification import identify
    from rl_planner.gazebo.robot_model import RobotModel

    try:
        models = [RobotModel.read(name, 'gazebo_bridge') for name in options.identify or MODELS]
        found = {}
        with progress_bar('driving', len(models), options.quiet) as bar:
            for model in models:
                found[model.name] = identify(model, options.gazebo_root)
                bar.update()
    except (GazeboError, ValueError) as error:
        raise CommandError(str(error)) from error
    print(table(COLUMNS, [row for name, each in found.items() for row in _rows(name, each)]))
    print(NOTE)
    results = [_figures(name, each) for name, each in found.items()]
    for each in results:
        print(_disturbance(each))
    return {'results': results}


def _rows(name: str, identified: Identified) -> list[list[str]]:
    return [
        *([name, _command(case), *_rise(case), *_end(case)] for case in identified.steps),
        *([name, _command(case), *[''] * 4, *_end(case)] for case in identified.drives),
    ]


def _rise(case: Case) -> list[str]:
    response = case.response
    rises = [f'{1e3 * rise:.0f} ms' for rise in (response.rise_63, response.rise_90)]
    return [*rises, f'{response.overshoot:.1%}', f'{1e3 * response.lag:.0f} ms']


def _end(case: Case) -> list[str]:
    return [f'{case.response.gain:.1%}', f'{case.aside:.2f} m/s']


def _command(case: Case) -> str:
    return ', '.join(
        f'{value:.3g} {unit}' for value, unit in ((case.v, 'm/s'), (case.w, 'rad/s')) if value
    )


def _figures(name: str, identified: Identified) -> dict[str, Any]:
    import numpy as np

    return {
        'robot_model': name,
        'command_latency': list(identified.latency),
        'gain': list(identified.gain),
        'aside': max(case.aside for case in identified.drives),
        'scan_error_median': float(np.median(identified.scan_error)),
        'scan_error_most': float(identified.scan_error.max()),
        **{
            kind: [
                {'v': case.v, 'w': case.w, 'aside': case.aside, **case.response._asdict()}
                for case in getattr(identified, kind)
            ]
            for kind in ('steps', 'drives')
        },
    }


def _disturbance(figures: dict[str, Any]) -> str:
    """One line: the ranges, as parameters; and what no parameter is for."""
    (least, most), (low, high) = figures['command_latency'], figures['gain']
    error = max(1.0 - low, high - 1.0)
    known = f'{error:.3f}' if error <= MOST_GAIN_ERROR else f'{MOST_GAIN_ERROR:g}, its most'
    aside = f'; aside up to {figures["aside"]:.2f} m/s' if figures['aside'] > ASIDE else ''
    return (
        f'{figures["robot_model"]}: disturbance.command_latency {least:.3f} to {most:.3f}, '
        f'disturbance.gain_error {known} (gains {low:.3f} to {high:.3f}){aside}; ranges differ by '
        f'{1e3 * figures["scan_error_median"]:.2g} mm, at most '
        f'{1e3 * figures["scan_error_most"]:.2g} mm'
    )
