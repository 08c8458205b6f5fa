"""The models of an SDF world: found wherever it includes them, each with the frames it names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

import numpy as np

from rl_planner.simulation.sdf_document import VERSIONS, Node, read_document, read_xml
from rl_planner.simulation.world import FloatArray

PATH_VARIABLES = (
    'GAZEBO_MODEL_PATH',
    'GZ_SIM_RESOURCE_PATH',
    'IGN_GAZEBO_RESOURCE_PATH',
    'SDF_PATH',
)
# Nearly every Gazebo world includes these two. They hold no obstacle and come with Gazebo, so a
# machine without Gazebo can read such a world all the same.
WITHOUT_OBSTACLES = ('sun', 'ground_plane')


@dataclass(frozen=True)
class ModelPath:
    """Where `<include>` looks for models.

    Attributes:
        folders: searched in order, each for NAME of a `model://NAME`.
    """

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, world_file: Path, model_path: Sequence[Path]) -> ModelPath:
        """The given folders, then those of Gazebo's environment variables, then the world's own."""
        named = [os.environ.get(name, '').split(os.pathsep) for name in PATH_VARIABLES]
        folders = [Path(folder) for folders in named for folder in folders if folder]
        return cls((*map(Path, model_path), *folders, world_file.parent))

    def included(self, include: Node) -> Node | None:
        """The <model>, <actor> or <light> that an <include> brings, renamed and moved as it says.

        None for the models `WITHOUT_OBSTACLES`. WorldError where there is no such file, or where it
        includes itself.
        """
        uri = include.need('uri')
        path = self._find(uri)
        if path is None:
            return None
        if path.resolve() in include.files:
            raise uri.error(f'{uri.text} includes itself')
        label = f'{include.where} -> {path.parent.name}/{path.name}'
        document = read_document(path, label, include.files)
        brought = document.all('model', 'actor', 'light')
        if not brought:
            raise document.error('needs a <model>')
        _override(brought[0].element, include.element)
        return brought[0]

    def _find(self, uri: Node) -> Path | None:
        scheme, _, rest = uri.text.rpartition('://')
        name = unquote(rest).strip('/') if scheme not in ('', 'file') else rest
        if scheme.startswith('http'):  # Gazebo Fuel: .../OWNER/models/NAME[/VERSION]
            name = name.partition('/models/')[2].partition('/')[0]
        here = [uri.files[-1].parent] if scheme in ('', 'file') else []
        for folder in (*here, *self.folders) if name else ():
            path = _model_file(folder / name, uri)
            if path is not None:
                return path
        if name.lower().replace(' ', '_') in WITHOUT_OBSTACLES:
            return None
        searched = ', '.join(str(folder) for folder in (*here, *self.folders))
        raise uri.error(f'no model "{uri.text[:200]}" in {searched}')


def _model_file(path: Path, uri: Node) -> Path | None:
    """The SDF file that a folder or file name stands for."""
    try:
        if path.is_file():
            return path
        if (path / 'model.config').is_file():
            return path / _newest_sdf(path / 'model.config', uri)
        return path / 'model.sdf' if (path / 'model.sdf').is_file() else None
    except OSError as error:  # too long a name, a folder that may not be read
        raise uri.error(f'cannot be looked up: {error.strerror}') from error


def _newest_sdf(config: Path, uri: Node) -> str:
    """The file that a model.config lists for the newest version of SDF that is understood."""
    listed = read_xml(config, f'{uri.where} -> {config.parent.name}/{config.name}').iter('sdf')
    files = {item.get('version', VERSIONS[0]): (item.text or '').strip() for item in listed}
    known = [version for version in VERSIONS if files.get(version)]
    if not known:
        raise uri.error(
            f'{config.parent.name}/{config.name} lists no SDF file of version 1.4 to 1.12'
        )
    return files[known[-1]]


def _override(model: Element, include: Element) -> None:
    """Do to an included model what its <include> says: name, pose, static, what moves it."""
    model.set('name', include.findtext('name', '').strip() or model.get('name', ''))
    frame = include.findtext('placement_frame', '').strip()
    if frame:
        model.set('placement_frame', frame)
    for tag in ('pose', 'static'):
        if include.find(tag) is not None:
            for own in model.findall(tag):
                model.remove(own)
    model.extend(child for child in include if child.tag not in ('uri', 'name', 'placement_frame'))


class Scope:
    """A <world> or <model>: the models in it, included ones too, and the frames it names.

    Attributes:
        node: the element.
        models: the models directly in it.
        actors: the actors it includes.
    """

    def __init__(self, node: Node, model_path: ModelPath) -> None:
        self.node = node
        brought = [model_path.included(include) for include in node.all('include')]
        found = [*node.all('model'), *(node for node in brought if node is not None)]
        self.models = [Scope(child, model_path) for child in found if child.tag == 'model']
        self.actors = [child for child in found if child.tag == 'actor']
        self._models = {model.node.name: model for model in self.models}
        self._named = {child.name: child for child in node.all('link', 'frame', 'joint')}
        self._named |= {name: model.node for name, model in self._models.items()}

    def pose(self, node: Node, default: str = '') -> FloatArray:
        """(4, 4) the frame of a link, model, frame, ... of this scope, in the scope's own frame.

        It stands where its <pose> says, in the frame named by `relative_to`, or else in `default`.
        """
        return self._pose(node, default, ())

    def _pose(self, node: Node, default: str, asked_by: tuple[str, ...]) -> FloatArray:
        pose, relative_to = node.pose()
        pose = self._frame(node, relative_to or default, asked_by) @ pose
        placed = node.element.get('placement_frame')
        if node.tag == 'model' and placed:  # the pose is that of a frame inside the model
            pose = pose @ np.linalg.inv(self._models[node.name]._frame(node, placed, ()))
        return pose

    def _frame(self, user: Node, name: str, asked_by: tuple[str, ...]) -> FloatArray:
        """(4, 4) the frame called `name`, which `user` refers to, in the scope's own frame."""
        if name in ('', '__model__') or (name == 'world' and self.node.tag != 'model'):
            return np.eye(4)
        # what was flattened into one model keeps names such as `inner::link`
        first, _, rest = (name, '', '') if name in self._named else name.partition('::')
        named = self._named.get(first)
        if named is None or (rest and named.tag != 'model'):
            raise user.error(f'pose is relative to "{name}", which no element here is named')
        if first in asked_by:
            raise user.error(f'pose is relative to itself, through "{name}"')
        pose = self._pose(named, _attached_to(named), (*asked_by, first))
        return pose @ self._models[first]._frame(user, rest, ()) if rest else pose


def _attached_to(named: Node) -> str:
    """The frame in which a frame or joint stands if its pose does not say."""
    if named.tag == 'joint':
        child = named.first('child')
        return child.text if child is not None else ''
    return named.element.get('attached_to', '') if named.tag == 'frame' else ''
