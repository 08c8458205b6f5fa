"""What a system can be asked for: one list, read by the launch files and by the command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Value = bool | int | float | str

_KINDS = {bool: 'true or false', int: 'a whole number', float: 'a finite number', str: 'a text'}


@dataclass(frozen=True)
class Argument:
    """One argument of a system. Its type is its default's: bool, int, float or str."""

    name: str
    default: Value
    description: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None

    @property
    def default_text(self) -> str:
        """The default as a launch file writes it."""
        return str(self.default).lower() if isinstance(self.default, bool) else str(self.default)

    def parse(self, value: Value) -> Value:
        """Return `value`, a text or already of the right type, as the argument's type.

        Raises ValueError naming the argument, the rule and the value.
        """
        kind = type(self.default)
        try:
            parsed = _CONVERSIONS[kind](value)
        except ValueError:
            raise ValueError(f'{self.name} must be {_KINDS[kind]}, got {value!r}') from None
        if self.choices and parsed not in self.choices:
            raise ValueError(f'{self.name} must be one of {", ".join(self.choices)}, got {value!r}')
        if self.minimum is not None and not isinstance(parsed, str) and parsed < self.minimum:
            raise ValueError(f'{self.name} must be at least {self.minimum:g}, got {value}')
        return parsed


def resolve(arguments: Sequence[Argument], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the value of every argument: the given one, checked, or else the default.

    Raises ValueError for a value that breaks its argument's rule, and for an unknown name.
    """
    names = [argument.name for argument in arguments]
    if unknown := [name for name in given if name not in names]:
        raise ValueError(f'{unknown[0]} is no argument here; there are {", ".join(names)}')
    return {each.name: each.parse(given.get(each.name, each.default)) for each in arguments}


def add_options(parser: argparse.ArgumentParser, arguments: Sequence[Argument]) -> None:
    """Give `parser` an option for each argument: --real-time-factor for real_time_factor.

    What is true unless told otherwise has --no-headless.
    """
    for argument in arguments:
        option = '--' + argument.name.replace('_', '-')
        text = argument.description.replace('%', '%%')
        if argument.default is True:
            off = '--no-' + option.removeprefix('--')
            parser.add_argument(off, dest=argument.name, action='store_false', help=f'not: {text}')
            continue
        if argument.default is False:
            parser.add_argument(option, action='store_true', help=text)
            continue
        parser.add_argument(
            option,
            type=_option_type(argument),
            default=argument.default,
            metavar='|'.join(argument.choices) or type(argument.default).__name__.upper(),
            help=text if argument.default == '' else f'{text} (default: {argument.default})',
        )


def given_options(options: argparse.Namespace, arguments: Sequence[Argument]) -> dict[str, Value]:
    """Pick the values of `arguments` out of parsed options, for `simulation(**...)` or `train`."""
    return {argument.name: getattr(options, argument.name) for argument in arguments}


def _option_type(argument: Argument) -> Callable[[str], Value]:
    def convert(text: str) -> Value:
        try:
            return argument.parse(text)
        except ValueError as error:  # argparse shows the message of this type only
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _to_bool(value: Value) -> bool:
    known = {'true': True, 'false': False}
    if str(value).lower() not in known:
        raise ValueError(value)
    return known[str(value).lower()]


def _to_int(value: Value) -> int:
    return int(str(value))  # by way of text, so that 2.5 and True are refused, not cut


def _to_float(value: Value) -> float:
    number = float(str(value))
    if not math.isfinite(number):
        raise ValueError(value)
    return number


_CONVERSIONS: dict[type, Callable[[Value], Value]] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: str,
}
