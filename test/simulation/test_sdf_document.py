"""Broken SDF files: the message names file, element and rule; nothing else is ever raised."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_planner.simulation.sdf import SdfWarning, read_sdf
from rl_planner.simulation.world import WorldError

SdfFile = Callable[..., Path]

TEXT = """\
<?xml version="1.0"?>
<sdf version="1.6"><world name="w"><model name="table"><pose>1 2 0.2 0 0 0.5</pose>
<link name="top"><pose relative_to="f">0 0 0 0.1 0 0</pose>
<collision name="c"><geometry><box><size>1 2 3</size></box></geometry></collision>
<collision name="d"><geometry><cylinder><radius>1</radius><length>2</length></cylinder></geometry>
</collision></link><frame name="f"/>
<rl_planner:mover><rl_planner:waypoint>1 2</rl_planner:waypoint>
<rl_planner:speed>1</rl_planner:speed></rl_planner:mover></model><include><uri>model://sun</uri></include>
<state><model name="table"><pose>0 0 0 0 0 0</pose></model></state></world></sdf>
"""


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'arena.sdf: is not XML: no element found'),
        ('<sdf version="1.6"><world>', 'arena.sdf: is not XML: no element found'),
        ('not xml', 'arena.sdf: is not XML: syntax error: line 1'),
        ('<sdf version="1.6"><world></model></sdf>', 'arena.sdf: is not XML: mismatched tag'),
        ('<?xml version="1.0" encoding="klingon"?><sdf/>', 'is not XML: unknown encoding'),
        ('<?xml version="1.0" encoding="utf-7"?><sdf/>', 'is not XML: multi-byte encodings'),
        ('<!DOCTYPE sdf><sdf version="1.6"/>', 'is not XML: a DOCTYPE has no place in SDF'),
        ('<robot name="r"/>', 'arena.sdf: root element must be <sdf>, got <robot>'),
        ('<sdf><world name="w"/></sdf>', 'sdf version must be 1.4 to 1.12, got ""'),
        ('<sdf version="1.2"/>', 'arena.sdf: sdf version must be 1.4 to 1.12, got "1.2"'),
        ('<sdf version="1.6"/>', 'arena.sdf: needs a <world> or a <model>'),
        ('<sdf version="1.6"><light name="sun"/></sdf>', 'needs a <world> or a <model>'),
    ],
)
def test_files_that_hold_no_world(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / 'arena.sdf').write_text(text)
    with pytest.raises(WorldError) as caught:
        read_sdf(tmp_path / 'arena.sdf')
    assert message in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r'gone.sdf: cannot be read: No such file or directory'):
        read_sdf(tmp_path / 'gone.sdf')
    with pytest.raises(WorldError, match='cannot be read: Is a directory'):
        read_sdf(str(tmp_path))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    levels = ''.join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 40))
    bomb = f'<!DOCTYPE s [<!ENTITY e0 "x">{levels}]><sdf version="1.6"><a>&e39;</a></sdf>'
    (tmp_path / 'bomb.sdf').write_text(bomb)
    with pytest.raises(WorldError, match='a DOCTYPE has no place in SDF'):
        read_sdf(tmp_path / 'bomb.sdf')


def test_models_nested_without_end(sdf_file: SdfFile) -> None:
    with pytest.raises(WorldError, match=r'arena.sdf: elements or includes are nested too deep'):
        read_sdf(sdf_file('<model name="m">' * 3000 + '</model>' * 3000))


@pytest.mark.parametrize('text', ['1 2', '1 2 3 4', '1 2 x', '1 2 nan', '1 2 inf', '1 2 1e999', ''])
@pytest.mark.parametrize('rest', ['1 2 0', '1 -2 3'])
def test_sizes(sdf_file: SdfFile, text: str, rest: str) -> None:
    for size in (text, rest):
        box = f'<geometry><box><size>{size}</size></box></geometry>'
        body = f'<link name="link"><collision name="c">{box}</collision></link>'
        with pytest.raises(WorldError) as caught:
            read_sdf(sdf_file(f'<world name="w"><model name="table">{body}</model></world>'))
        assert str(caught.value) == (
            'arena.sdf: world[w]/model[table]/link[link]/collision[c]/geometry/box/size: '
            f'needs 3 numbers above 0, got "{size}"'
        )


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('1 2 0.2 0 0 0.5', '1 2 0.2', 'model[table]/pose: needs 6 numbers, got "1 2 0.2"'),
        ('1 2 0.2 0 0 0.5', '0 0 0 0 0 nan', 'model[table]/pose: needs 6 numbers, got'),
        ('1 2 0.2 0 0 0.5', '1e9 0 0 0 0 0', 'model[table]/pose: needs 6 numbers, got'),
        ('<pose>1', '<pose rotation_format="quat_xyzw">1', 'pose: needs 7 numbers'),
        (
            '<pose>1 2 0.2 0 0 0.5',
            '<pose rotation_format="quat_xyzw">1 2 3 0 0 0 0',
            'model[table]/pose: quaternion must not be 0',
        ),
        ('<size>1 2 3</size>', '', 'collision[c]/geometry/box: needs a <size>'),
        ('<radius>1</radius>', '<radius>-1</radius>', 'radius: needs 1 number above 0, got "-1"'),
        ('<length>2</length>', '<length/>', 'cylinder/length: needs 1 number above 0, got ""'),
        ('<box><size>1 2 3</size></box>', '', 'collision[c]/geometry: needs a shape'),
        ('box', 'sphere', 'geometry/sphere: needs a <radius>'),
        ('geometry', 'geometri', 'collision[c]: needs a <geometry>'),
        (
            '<box><size>1 2 3</size></box>',
            '<plane><normal>0 0 0</normal></plane>',
            'geometry/plane/normal: must not be 0',
        ),
        (
            '<box><size>1 2 3</size></box>',
            '<plane><size>0 1</size></plane>',
            'geometry/plane/size: needs 2 numbers above 0, got "0 1"',
        ),
        ('waypoint', 'way', 'model[table]/rl_planner:mover: needs a <rl_planner:waypoint>'),
        ('>1 2</rl_p', '>1</rl_p', 'rl_planner:waypoint: needs 2 numbers, got "1"'),
        ('speed>1<', 'speed>fast<', 'rl_planner:speed: needs 1 number, got "fast"'),
    ],
)
def test_elements_that_break_a_rule(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    (tmp_path / 'arena.sdf').write_text(TEXT.replace(old, new))
    with pytest.raises(WorldError) as caught:
        read_sdf(tmp_path / 'arena.sdf')
    assert message in str(caught.value)
    assert str(caught.value).startswith('arena.sdf: world[w]/model[table]')


def test_slice_height_must_be_finite(sdf_file: SdfFile) -> None:
    with pytest.raises(WorldError, match=r'arena.sdf: slice_height must be finite, got nan'):
        read_sdf(sdf_file('<world name="w"/>'), slice_height=float('nan'))


def error_of(path: Path) -> str:
    try:
        read_sdf(path)
    except WorldError as error:
        return str(error)
    return 'no error'


PIECES = [
    '<',
    '>',
    '/',
    '"',
    ' ',
    'nan',
    '-',
    '1e308',
    'model',
    'pose',
    '<plane/>',
    '::',
    '\x00',
    'é',
]


@given(
    cuts=st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.integers(0, 40), st.sampled_from(['', *PIECES])),
        min_size=1,
        max_size=4,
    ),
    length=st.one_of(st.just(10**6), st.integers(0, len(TEXT))),
)
def test_no_text_raises_anything_but_world_error(
    cuts: list[tuple[int, int, str]], length: int
) -> None:
    text = TEXT
    for start, removed, inserted in cuts:
        text = text[:start] + inserted + text[start + removed :]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('error')  # numpy must not warn either
        warnings.simplefilter('ignore', SdfWarning)
        path = Path(folder) / 'mutated.sdf'
        path.write_text(text[:length], encoding='utf-8')
        assert error_of(path).startswith(('mutated.sdf: ', 'no error'))


@given(old=st.sampled_from(['1', '2', '3', '0', '0.5', '0.1', '0.2']), new=st.floats())
def test_no_number_raises_anything_but_world_error(old: str, new: float) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.simplefilter('ignore', SdfWarning)
        path = Path(folder) / 'mutated.sdf'
        path.write_text(TEXT.replace(f' {old}', f' {new}').replace(f'>{old}<', f'>{new}<'))
        assert error_of(path).startswith(('mutated.sdf: ', 'no error'))
