from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.results import driven

from rl_planner.evaluation.evaluation import Evaluation
from rl_planner.evaluation.report import episodes, write_report
from rl_planner.evaluation.report.charts import difference_scale, rate_scale, whisker
from rl_planner.evaluation.report.markup import element, joined, table
from rl_planner.evaluation.result import EpisodeResult
from rl_planner.evaluation.robustness import RobustnessCurve
from rl_planner.evaluation.runner import Run
from rl_planner.evaluation.scenario import Scenario
from rl_planner.evaluation.setting import Setting
from rl_planner.navigation.task import Outcome
from rl_planner.simulation.world import World

ENDS = {'g': Outcome.GOAL, 'c': Outcome.COLLISION, 't': Outcome.TIMEOUT}
TIMES = (7.0, 5.0, 9.0, 6.0, 8.0)


Results = Callable[..., list[EpisodeResult]]


@pytest.fixture(scope='module')
def scenario(arena: World) -> Scenario:
    return Scenario(arena, (0.0, 0.0, 0.0), (3.0, 0.0), 0.25, 40.0, 3.0)


@pytest.fixture(scope='module')
def results(scenario: Scenario) -> Results:
    """Results by the first letters of their outcomes, and their least clearances."""

    def make(ends: str, clearances: tuple[float, ...] = (0.5,) * 5) -> list[EpisodeResult]:
        path = [[0.0, 0.0], [1.5, 0.4], [3.0, 0.0]]
        return [
            driven(scenario, ENDS[end], time, path, clearances=least)
            for end, time, least in zip(ends, TIMES, clearances, strict=False)
        ]

    return make


@pytest.fixture(scope='module')
def evaluation(scenario: Scenario, results: Results) -> Evaluation:
    runs = {
        'a <b>': Run(results('ggggg'), 1.5e-5),
        'half': Run(results('gct'), 2e-3, interrupted=True),
        'late': Run([], 0.0, interrupted=True),
    }
    return Evaluation('arena', 'Nothing is in the way.', Setting(), [scenario] * 5, runs)


@pytest.fixture(scope='module')
def report(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('runs') / 'report'
    write(folder, evaluation)
    return folder


CURVE = RobustnessCurve(
    'lidar noise', 'm', 0.0, (0.0, 0.1), {'a': (1.0, 0.5)}, {'a': ((0.8, 1.0), (0.3, 0.7))}
)
LEARNING = {'a': [{'steps': 1.0}, {'steps': 2.0, 'success_rate': 0.25}], 'b': [{'steps': 1.0}]}


def write(folder: Path, *evaluations: Evaluation) -> str:
    path = write_report(
        folder,
        evaluations,
        command='rl_planner evaluate a --suite arena & more',
        seed=7,
        learning=LEARNING,
        robustness=[CURVE],
    )
    assert path == folder / 'report.html'
    return path.read_text(encoding='utf-8')


class Page(HTMLParser):
    """Checks that all tags are closed in turn, and keeps what a test asks about."""

    VOID = ('br', 'img', 'meta')

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ''
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if 'style' not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(report: Path) -> Page:
    return Page((report / 'report.html').read_text(encoding='utf-8'))


def test_the_page_is_whole_and_needs_nothing_else(report: Path) -> None:
    text = (report / 'report.html').read_text(encoding='utf-8')
    page = Page(text)
    assert text.startswith('<!doctype html>')
    assert all(str(each['src']).startswith('data:image/') for each in page.all('img'))
    assert [tag for tag, _ in page.tags if tag in ('script', 'link', 'iframe')] == []
    assert not re.search(r'url\(|@import|https?:', text.replace('http://www.w3.org', ''))
    assert [path.name for path in report.iterdir()] == ['report.html']


def test_it_can_be_read_without_seeing(report: Path) -> None:
    page = read(report)
    assert all(each['alt'] for each in page.all('img'))
    assert all(each['scope'] in ('col', 'row') for each in page.all('th'))
    assert [each['lang'] for each in page.all('html')] == ['en']
    anchors = {each['id'] for each in page.all('section')}
    assert {str(each['href'])[1:] for each in page.all('a')} == anchors


def test_the_figures_are_those_of_the_results(report: Path) -> None:
    """5 of 5 is 56.6 % to 100 % by Wilson, 1 of 3 is 6.1 % to 79.2 %; half lost two of three."""
    text = read(report).text
    assert '100.0% (56.6% to 100.0%)' in text
    assert '33.3% (6.1% to 79.2%)' in text
    assert 'Of the same 3 episodes, a <b> alone reached the goal in 2, half alone in 0' in text
    assert 'these episodes do not tell which of them is better (p = 0.50)' in text
    assert '15.0' in text  # microseconds for a decision
    assert '2,000.0' in text


def test_it_says_what_is_missing(report: Path) -> None:
    text = read(report).text
    assert 'half was interrupted after 3 of 5 episodes.' in text
    assert 'late was interrupted after 0 of 5 episodes.' in text
    assert 'a <b> was interrupted' not in text


def test_a_planner_that_is_better_is_named(
    tmp_path: Path, scenario: Scenario, results: Results
) -> None:
    """10 to nothing: p = 2 / 1024. The second planner is the better one."""
    runs = {'bad': Run(results('ccccc') * 2, 0.0), 'good': Run(results('ggggg') * 2, 0.0)}
    text = Page(write(tmp_path, Evaluation('arena', '', Setting(), [scenario] * 10, runs))).text
    assert (
        'bad alone reached the goal in 0, good alone in 10: good is better by 100.0 points' in text
    )
    assert '0.002' in text


def test_it_tells_how_it_was_made(report: Path) -> None:
    text = read(report).text
    assert 'rl_planner evaluate a --suite arena & more' in text
    assert 'Seed 7.' in text
    assert 'robot.max_linear_vel' in text
    assert 'disturbance.command_latency' in text


def test_only_barn_has_its_score(tmp_path: Path, report: Path, evaluation: Evaluation) -> None:
    """3 m are 1.5 s at 2 m/s: 1.5/7, 1.5/5, 1.5/9, 1.5/6 and 1.5/8 are 0.224 on average."""
    header = '<th scope="col">BARN score</th>'
    assert header not in (report / 'report.html').read_text(encoding='utf-8')
    text = write(tmp_path, replace(evaluation, name='barn-hard'))
    assert header in text
    assert '0.224' in text


def test_an_overview_is_for_several_suites(
    tmp_path: Path, report: Path, evaluation: Evaluation
) -> None:
    assert 'Success on every suite' not in read(report).text
    other = replace(evaluation, name='other')
    assert 'Success on every suite' in write(tmp_path, evaluation, other)


def test_nothing_driven_is_a_report_too(tmp_path: Path, evaluation: Evaluation) -> None:
    nothing = replace(evaluation, runs={'a': Run([], 0.0, interrupted=True)})
    for suites in ([nothing], [nothing, replace(nothing, name='other')]):
        assert 'a was interrupted after 0 of 5' in Page(write(tmp_path, *suites)).text


def test_it_is_the_same_every_time(
    tmp_path: Path, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('time.strftime', lambda _: 'today')
    assert write(tmp_path, evaluation) == write(tmp_path, evaluation)


def test_learning_is_drawn_where_there_was_success(report: Path) -> None:
    images = read(report).all('img')
    learnt = [str(each['alt']) for each in images if 'while learning' in str(each['alt'])]
    assert learnt == ['Success rate and losses of a while learning; success ends at 25%.']


def test_the_worst_come_first(results: Results) -> None:
    """The collision, what ran out of time, and then the nearer one of the successes."""
    assert episodes.worst(results('gtgcg', (0.3, 0.2, 0.4, -0.1, 0.1))) == [3, 1, 4]


def test_the_median_is_a_success(results: Results) -> None:
    """Of 7, 9, 6 and 8 s: 7 s; without a success there is none."""
    assert episodes.median(results('gcggg')) == 0
    assert episodes.median(results('ttt')) is None


def test_scales_hold_their_intervals() -> None:
    assert rate_scale([(0.62, 0.78), (0.71, 0.95)]) == pytest.approx((0.6, 1.0))
    assert difference_scale([(-0.05, 0.12)]) == pytest.approx((-0.2, 0.2))
    assert difference_scale([(-0.01, 0.02)]) == pytest.approx((-0.1, 0.1))


def test_a_whisker_is_in_its_place() -> None:
    """Half way from 0 to 1 is in the middle of 120 pixels, with 4 left free at each end."""
    drawn = whisker(0.5, (0.25, 1.0), (0.0, 1.0), lambda rate: f'{rate:.0%}')
    assert 'cx="60.0"' in drawn
    assert 'M32.0 8H116.0' in drawn
    assert '50%<small> (25% to 100%)</small>' in drawn


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element('p', 'a < b & c', class_='x"') == '<p class="x&quot;">a &lt; b &amp; c</p>'
    assert joined(['<', element('b', '1')]) == '&lt;<b>1</b>'
    cells = Page(table('<c>', ['<h>'], [['<1>', '<2>']])).text
    assert cells == '<c><h><1><2>'


def chromium(*arguments: str | Path) -> str:
    """What headless Chromium prints."""
    program = shutil.which('chromium') or shutil.which('google-chrome')
    assert program, 'this test renders a page: apt-get install chromium'
    options = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars']
    command = [program, *options, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return run.stdout


MEASURE = """
<script>
const broken = [...document.images].filter(image => !image.naturalWidth).length;
const cut = [...document.querySelectorAll('p, h1, h2, h3, figure, li, pre')]
  .filter(each => each.getBoundingClientRect().right > innerWidth + 1).length;
const sizes = {width: innerWidth, content: document.documentElement.scrollWidth};
document.title = JSON.stringify({broken, cut, images: document.images.length, ...sizes});
</script>
"""
FRAME = """<!doctype html>
<title></title>
<iframe width="WIDTH" height="900" style="border: 0" srcdoc="PAGE"></iframe>
<script>
const frame = document.querySelector('iframe');
frame.onload = () => { document.title = frame.contentDocument.title; };
</script>
"""


@pytest.mark.browser
@pytest.mark.parametrize('width', [400, 1280])
def test_it_renders(tmp_path: Path, report: Path, width: int) -> None:
    """Every image is one, and nothing is wider than the window; only tables scroll in it.

    The page is in a frame, for Chromium has no window of less than 500 pixels.
    """
    text = (report / 'report.html').read_text(encoding='utf-8')
    text = escape(text.replace('</body>', f'{MEASURE}</body>'))
    page = tmp_path / 'frame.html'
    page.write_text(FRAME.replace('WIDTH', str(width)).replace('PAGE', text), encoding='utf-8')
    found = re.search(r'<title>(.*?)</title>', chromium('--dump-dom', page.as_uri()))
    assert found
    measured = json.loads(found[1])
    assert measured['images'] > 10
    assert (measured['broken'], measured['cut']) == (0, 0)
    assert measured['content'] == measured['width'] == width


@pytest.mark.browser
def test_it_prints(report: Path) -> None:
    pdf = report.parent / 'report.pdf'
    chromium(f'--print-to-pdf={pdf}', (report / 'report.html').as_uri())
    assert pdf.read_bytes().startswith(b'%PDF')
