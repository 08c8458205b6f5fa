"""SDF as a tree of nodes that know their file and their place in it, for messages to name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from rl_planner.simulation.world import FloatArray, WorldError

VERSIONS = tuple(f'1.{minor}' for minor in range(4, 13))  # write models, links, poses alike
_LARGEST = 1e9  # m: keeps squares and products finite


@dataclass(frozen=True)
class Node:
    """One element of an SDF file.

    Attributes:
        element: the XML element.
        where: file and element path, such as `arena.sdf: world/model[table]/link[top]`.
        files: the file it stands in, after the files that include that one.
    """

    element: Element
    where: str
    files: tuple[Path, ...]

    @property
    def tag(self) -> str:
        return self.element.tag

    @property
    def name(self) -> str:
        return self.element.get('name', '')

    @property
    def text(self) -> str:
        """The element's words, one blank between them."""
        return ' '.join((self.element.text or '').split())

    def all(self, *tags: str) -> list[Node]:
        """The children of these tags (of any, if none is given), in file order."""
        children = [child for child in self.element if not tags or child.tag in tags]
        return [replace(self, element=child, where=self._path_to(child)) for child in children]

    def first(self, tag: str) -> Node | None:
        return next(iter(self.all(tag)), None)

    def need(self, tag: str) -> Node:
        """The child that must be there; WorldError where it is not."""
        child = self.first(tag)
        if child is None:
            raise self.error(f'needs a <{tag}>')
        return child

    def is_true(self, tag: str) -> bool:
        child = self.first(tag)
        return child is not None and child.text.lower() in ('1', 'true')

    def error(self, rule: str) -> WorldError:
        return WorldError(f'{self.where.removesuffix(":")}: {rule}')

    def numbers(self, count: int) -> FloatArray:
        """(count,) finite numbers; WorldError for anything else."""
        return self._numbers(count, '', lambda numbers: True)

    def sizes(self, count: int) -> FloatArray:
        """(count,) numbers above 0; WorldError for anything else."""
        return self._numbers(count, ' above 0', lambda numbers: bool((numbers > 0.0).all()))

    def pose(self) -> tuple[FloatArray, str]:
        """The <pose>: (4, 4), and the frame it is relative to, '' for the usual one."""
        pose = self.first('pose')
        if pose is None:
            return np.eye(4), ''
        relative_to = pose.element.get('relative_to', pose.element.get('frame', ''))  # SDF <= 1.6
        if not pose.text:
            return np.eye(4), relative_to
        if pose.element.get('rotation_format') == 'quat_xyzw':
            values = pose.numbers(7)
            if not values[3:].any():
                raise pose.error('quaternion must not be 0')
            rotation = _rotation_from_quaternion(values[3:])
        else:
            values = pose.numbers(6)
            in_degrees = pose.element.get('degrees', '').lower() in ('1', 'true')
            rotation = _rotation_from_rpy(np.radians(values[3:]) if in_degrees else values[3:])
        return np.block([[rotation, values[:3, None]], [np.zeros(3), 1.0]]), relative_to

    def _numbers(self, count: int, rule: str, check: Callable[[FloatArray], bool]) -> FloatArray:
        words = self.text.split()
        try:
            numbers = np.array([float(word) for word in words])
        except ValueError:
            numbers = np.empty(0)
        if len(numbers) != count or not (abs(numbers) < _LARGEST).all() or not check(numbers):
            noun = 'number' if count == 1 else 'numbers'
            raise self.error(f'needs {count} {noun}{rule}, got "{self.text[:60]}"')
        return numbers

    def _path_to(self, child: Element) -> str:
        joint = ' ' if self.where.endswith(':') else '/'
        label = f'[{child.get("name")}]' if child.get('name') else ''
        return f'{self.where}{joint}{child.tag}{label}'


def read_document(path: Path, label: str, files: tuple[Path, ...] = ()) -> Node:
    """The <sdf> element of a file, called `label` in messages; WorldError if there is none."""
    root = read_xml(path, label)
    if root.tag != 'sdf':
        raise WorldError(f'{label}: root element must be <sdf>, got <{root.tag}>')
    if root.get('version') not in VERSIONS:
        raise WorldError(
            f'{label}: sdf version must be 1.4 to 1.12, got "{root.get("version", "")}"'
        )
    return Node(root, f'{label}:', (*files, path.resolve()))


def read_xml(path: Path, label: str) -> Element:
    """The root element of an XML file; WorldError where it is missing or broken."""
    try:
        return _parse(path.read_bytes())
    except OSError as error:
        raise WorldError(f'{label}: cannot be read: {error.strerror}') from error
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: odd encodings
        raise WorldError(f'{label}: is not XML: {error}') from error


def _parse(text: bytes) -> Element:
    # Not ElementTree's own parser: it demands that every `prefix:` is declared, which SDF does not,
    # and expands entities, with which a file of a few lines can use up the memory.
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(text, True)
    return builder.close()


def _refuse_doctype(*declaration: object) -> None:
    raise ValueError('a DOCTYPE has no place in SDF')


def _rotation_from_rpy(angles: FloatArray) -> FloatArray:
    """R = Rz(yaw) Ry(pitch) Rx(roll)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(angles), np.sin(angles)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _rotation_from_quaternion(quaternion: FloatArray) -> FloatArray:
    """R of (x, y, z, w), which need not be of length 1."""
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
            [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
            [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
        ]
    )
