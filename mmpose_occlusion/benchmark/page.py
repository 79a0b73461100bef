"""One page about a sweep, with its pictures inside."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from .table import CAPTION, HEADER, Row, cells

_CSS = """
body { font: 16px/1.5 system-ui, sans-serif; color: #22262e;
  background: #fafaf8; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin-bottom: .2rem }
h2 { font-size: 1.2rem; margin-top: 2.5rem }
p.fact { color: #6e7682; margin: .1rem 0 }
img { max-width: 100% }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .9rem .2rem 0; text-align: right;
  border-bottom: 1px solid #e3e3de }
th:first-child, td:first-child { text-align: left }
tr.clean td { font-weight: 600 }
pre { background: #f0f0ec; padding: .8rem 1rem; overflow-x: auto }
caption { caption-side: bottom; text-align: left; color: #6e7682 }
@media print { h2 { break-after: avoid } img, tr { break-inside: avoid } }
"""


def page(
    heading: str,
    facts: Sequence[str],
    pictures: Sequence[tuple[str, Path]],
    table: Sequence[Row],
    commands: str,
) -> str:
    """The page's HTML.

    Args:
        heading: Title.
        facts: Lines below the title.
        pictures: Heading and PNG file of each.
        table: Rows of :func:`.table.rows`.
        commands: What to type next.
    """
    esc = html.escape
    parts = [f'<p class="fact">{esc(fact)}</p>' for fact in facts]
    for title, path in pictures:
        data = base64.b64encode(path.read_bytes()).decode()
        parts.append(
            f'<h2>{esc(title)}</h2>\n<img alt="{esc(title)}" '
            f'src="data:image/png;base64,{data}">'
        )
    parts.append('<h2>Every attack</h2>')
    parts.append(_table(table))
    parts.append(f'<h2>What next</h2>\n<pre>{esc(commands)}</pre>')
    body = '\n'.join(parts)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{esc(heading)}</title>
<style>{_CSS}</style>
<h1>{esc(heading)}</h1>
{body}
</html>
"""


def _table(table: Sequence[Row]) -> str:
    head = ''.join(f'<th>{html.escape(name)}</th>' for name in HEADER)
    lines = [f'<tr>{head}</tr>']
    for row in table:
        values = ''.join(f'<td>{html.escape(v)}</td>' for v in cells(row))
        mark = ' class="clean"' if row.attack == 'clean' else ''
        lines.append(f'<tr{mark}>{values}</tr>')
    caption = f'<caption>{html.escape(CAPTION)}</caption>'
    return f'<table>{caption}\n' + '\n'.join(lines) + '\n</table>'
