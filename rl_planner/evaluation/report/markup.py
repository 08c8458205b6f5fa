"""The little HTML that a report needs. What comes as text is escaped, what comes as Html is not."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from rl_planner.evaluation.report.style import STYLE


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Content = str | Html


def _escaped(content: Content) -> Html:
    return content if isinstance(content, Html) else Html(escape(content))


def element(tag: str, *contents: Content, **attributes: str) -> Html:
    """<tag attribute="...">contents</tag>; the attribute class is written class_."""
    given = ''.join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
    return Html(f'<{tag}{given}>{joined(contents)}</{tag}>')


def joined(contents: Iterable[Content]) -> Html:
    return Html(''.join(map(_escaped, contents)))


def paragraph(*contents: Content, **attributes: str) -> Html:
    return element('p', *contents, **attributes)


def section(anchor: str, title: str, *contents: Content) -> Html:
    """A chapter."""
    return element('section', element('h2', title), *contents, id=anchor)


def table(
    caption: str,
    header: Sequence[Content],
    rows: Iterable[Sequence[Content]],
    kind: str = 'figures',
) -> Html:
    """A caption, and a table whose first column names the rows.

    It scrolls by itself where it is too wide; the caption does not.

    Args:
        kind: 'figures' stand right, 'words' left; in 'figures stacked', whiskers above theirs.
    """
    head = element('tr', *(element('th', cell, scope='col') for cell in header))
    body = [
        element('tr', element('th', first, scope='row'), *(element('td', cell) for cell in cells))
        for first, *cells in rows
    ]
    content = element('table', element('thead', head), element('tbody', *body), aria_label=caption)
    return joined(
        [
            paragraph(caption, class_='note caption'),
            element('div', content, class_=f'table {kind}', tabindex='0'),
        ]
    )


def picture(image: bytes, form: str, alt: str, caption: Content = '') -> Html:
    """A figure that carries its image, `form` png or svg+xml, within itself."""
    data = base64.b64encode(image).decode('ascii')
    shown = Html(f'<img src="data:image/{form};base64,{data}" alt="{escape(alt)}">')
    return element('figure', shown, *([element('figcaption', caption)] if caption else []))


def grid(columns: int, figures: Sequence[Html], kind: str = 'grid') -> Html:
    """Figures side by side, `columns` in a row where there is room; paper cuts through no row."""
    rows = [figures[begin : begin + columns] for begin in range(0, len(figures), columns)]
    style = f'--columns: {columns}'
    return joined(element('div', *row, class_=kind, style=style) for row in rows)


def page(title: str, *contents: Content) -> str:
    """A whole document that needs nothing but itself."""
    head = element(
        'head',
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element('title', title),
        element('style', Html(STYLE)),
    )
    body = element('body', element('main', *contents))
    return f'<!doctype html>\n{element("html", head, body, lang="en")}\n'
