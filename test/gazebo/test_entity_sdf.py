"""What may be spawned, and under which name."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from rl_planner.gazebo.entity_sdf import EntityError, read_entity

MODEL = '<model name="box"><pose>1 2 3 0 0 0</pose><link name="link"/></model>'
SDF = f'<?xml version="1.0" encoding="utf-8"?><sdf version="1.7">{MODEL}</sdf>'
URDF = '<robot name="arm"><link name="base"/></robot>'


@pytest.mark.parametrize('xml', [SDF, f'<sdf version="1.7"><world name="w">{MODEL}</world></sdf>'])
def test_a_model_alone_or_in_a_world(xml: str) -> None:
    own, text, pose = read_entity(xml, 'crate')
    assert own == 'box'
    document = ElementTree.fromstring(text)
    assert document.tag == 'sdf'
    assert document.get('version') == '1.7'
    assert [model.get('name') for model in document.findall('model')] == ['crate']
    assert pose.position == pytest.approx([1.0, 2.0, 3.0])


def test_urdf_keeps_its_form() -> None:
    own, text, pose = read_entity(URDF, '')
    assert own == 'arm'
    assert ElementTree.fromstring(text).tag == 'robot'
    assert pose.position == pytest.approx(np.zeros(3))


@pytest.mark.parametrize(
    ('xml', 'name', 'message'),
    [
        ('<sdf', 'a', 'xml must be SDF or URDF'),
        ('<sdf version="1.6"><light name="sun"/></sdf>', 'a', 'xml must have a <model>'),
        ('<sdf><model/></sdf>', '', 'name must be one'),
        (SDF, 'a::b', 'name must be one, without "::", got \'a::b\''),
        (SDF.replace('1 2 3', '1 2'), 'a', '<pose> must be six finite numbers'),
        (SDF.replace('1 2 3', '1 2 nan'), 'a', '<pose> must be six finite numbers'),
        (SDF.replace('1 2 3', '1 2 x'), 'a', '<pose> must be six numbers'),
    ],
)
def test_what_is_refused(xml: str, name: str, message: str) -> None:
    with pytest.raises(EntityError, match=message):
        read_entity(xml, name)
