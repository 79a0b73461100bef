"""Pieces of HTML."""

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .figures import Picture
from .formatting import (
    name,
)

esc = html.escape


def figure_of(picture: Picture | None, caption: str) -> str:
    if picture is None:
        return ''
    data = base64.b64encode(picture.svg.encode()).decode()
    words = f'<figcaption>{esc(caption)}</figcaption>' if caption else ''
    return (
        f'<figure><img alt="{esc(picture.words)}" '
        f'src="data:image/svg+xml;base64,{data}">{words}</figure>'
    )


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    words = ''.join(f'<th>{esc(text)}</th>' for text in head)
    lines = ''.join(
        '<tr>' + ''.join(f'<td>{esc(cell)}</td>' for cell in row) + '</tr>'
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{words}</tr></thead>'
        f'<tbody>{lines}</tbody></table></div>'
    )


def facts_list(facts: Mapping[str, Any]) -> str:
    rows = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            value = ', '.join(
                f'{k} {v if isinstance(v, str) else json.dumps(v)}'
                for k, v in value.items()
                if len(json.dumps(v)) < 200
            )
        rows.append(
            f'<dt>{esc(name(str(key)))}</dt><dd><code>{esc(str(value))}</code>'
            '</dd>'
        )
    return f'<dl>{"".join(rows)}</dl>'
