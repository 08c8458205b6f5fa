"""The XML of an entity to spawn: a model, alone or in a world, or a URDF robot."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from rl_planner.gazebo.pose import Pose


class EntityError(ValueError):
    """What cannot be done with an entity, and why."""


def read_entity(xml: str, name: str) -> tuple[str, str, Pose]:
    """Its own name, its XML with another name (unless that is ''), and the pose it has there.

    Raises:
        EntityError: the XML has no entity, or the pose or the name breaks a rule.
    """
    try:
        root = ElementTree.fromstring(xml.strip().encode())
    except ElementTree.ParseError as error:
        raise EntityError(f'xml must be SDF or URDF: {error}') from error
    model = _entity(root)
    own = model.get('name', '')
    if name:
        model.set('name', name)
    if not (name or own) or '::' in (name or own):
        raise EntityError(f'name must be one, without "::", got {name or own!r}')
    if model is root:  # URDF: poses are of its joints
        return own, ElementTree.tostring(root, encoding='unicode'), _pose('')
    document = Element('sdf', version=root.get('version', '1.6'))
    document.append(model)
    text = ElementTree.tostring(document, encoding='unicode')
    return own, text, _pose(model.findtext('pose') or '')


def _entity(root: Element) -> Element:
    if root.tag == 'robot':
        return root
    for path in ('model', 'world/model'):
        found = root.find(path)
        if found is not None:
            return found
    raise EntityError(f'xml must have a <model> or be a <robot>, got <{root.tag}>')


def _pose(text: str) -> Pose:
    try:
        values = np.array([float(word) for word in text.split() or ['0'] * 6])
    except ValueError as error:
        raise EntityError(f'<pose> must be six numbers, got {text!r}') from error
    if values.shape != (6,) or not np.isfinite(values).all():
        raise EntityError(f'<pose> must be six finite numbers, got {text!r}')
    return Pose.from_euler(values)
