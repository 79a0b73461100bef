"""A page to look through crops before and after occlusion.

One HTML file without anything from outside: the pictures are inside as PNG,
joints and regions are drawn over them as SVG, so that they can be switched
off and have names under the pointer.
"""

import base64
import html
import json
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from .style import LEFT, MIDDLE, REGION, RIGHT, Style
from .view import View, outcome

_CSS = """
:root { color-scheme: light dark;
  --paper: #fafaf8; --ink: #22262e; --faint: #667080; --card: #fff;
  --line: #e2e4e0; --left: rgb(LEFT); --right: rgb(RIGHT);
  --middle: rgb(MIDDLE); --region: rgb(REGION); }
@media (prefers-color-scheme: dark) { :root {
  --paper: #16181c; --ink: #e8eaee; --faint: #98a2b0; --card: #1f2228;
  --line: #30343c; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
header { padding: 28px 32px 12px; max-width: 1500px; margin: auto }
h1 { font-size: 22px; margin: 0 0 4px; font-weight: 600 }
header p { margin: 2px 0; color: var(--faint) }
code { font: 13px ui-monospace, "DejaVu Sans Mono", monospace }
.bar { position: sticky; top: 0; z-index: 2; background: var(--paper);
  border-bottom: 1px solid var(--line) }
.bar > div { max-width: 1500px; margin: auto; padding: 10px 32px;
  display: flex; flex-wrap: wrap; gap: 6px 24px; align-items: center }
.bar label { cursor: pointer; user-select: none }
.key { color: var(--faint); display: flex; gap: 6px; align-items: center }
.key i { width: 11px; height: 11px; border-radius: 50%; display: block }
.key i.box { border-radius: 0; border: 2.5px solid var(--region);
  outline: 1px solid #0008 }
.key i.spot { width: 9px; height: 9px; outline: 1.5px solid #0009 }
main { max-width: 1500px; margin: auto; padding: 20px 32px 48px;
  display: grid; gap: 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(420px, 100%), 1fr)) }
article { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2px;
  background: var(--line) }
figure { margin: 0; position: relative; background: #000 }
figure img, figure svg { display: block; width: 100%; height: auto }
figure img { image-rendering: auto }
figure svg { position: absolute; inset: 0; height: 100% }
figcaption { position: absolute; left: 8px; top: 6px; padding: 0 7px;
  font-size: 12px; border-radius: 9px; color: #fff; background: #0009 }
.text { padding: 10px 14px 12px }
h2 { font-size: 15px; margin: 0; font-weight: 600 }
.text p { margin: 2px 0 0; font-size: 13.5px; color: var(--faint) }
.text p.none { font-style: italic }
details { margin-top: 6px; font-size: 13px; color: var(--faint) }
summary { cursor: pointer }
pre { margin: 6px 0 0; padding: 8px 10px; background: var(--paper);
  border-radius: 6px; overflow: auto; max-height: 260px;
  font: 12px/1.45 ui-monospace, "DejaVu Sans Mono", monospace }
.link { stroke-width: 2.5; stroke-linecap: round; vector-effect:
  non-scaling-stroke; opacity: .9 }
.joint { stroke: #0009; stroke-width: 1; vector-effect: non-scaling-stroke }
.hidden { fill: #fff }
.removed { fill: #ff4678 }
.region { fill: none; stroke: var(--region); stroke-width: 2;
  vector-effect: non-scaling-stroke }
.casing { fill: none; stroke: #0009; stroke-width: 4;
  vector-effect: non-scaling-stroke }
body:has(#joints:not(:checked)) .joints,
body:has(#regions:not(:checked)) .regions { display: none }
body:has(#changed:checked) article.same { display: none }
@media print { .bar { position: static } article { break-inside: avoid } }
"""


def gallery(
    views: Sequence[View],
    style: Style,
    heading: str,
    facts: Sequence[str] = (),
    command: str = '',
) -> str:
    """The page.

    Args:
        views: What to show, in this order.
        style: The data set's joints.
        heading: Title of the page.
        facts: Lines below the title.
        command: The command line that makes this page.

    Returns:
        HTML.
    """
    css = _CSS
    for name, color in (
        ('LEFT', LEFT),
        ('RIGHT', RIGHT),
        ('MIDDLE', MIDDLE),
        ('REGION', REGION),
    ):
        css = css.replace(f'rgb({name})', f'rgb{color}')
    lines = ''.join(f'<p>{html.escape(fact)}</p>' for fact in facts)
    if command:
        lines += f'<p><code>{html.escape(command)}</code></p>'
    cards = '\n'.join(_card(view, style) for view in views)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(heading)}</title>
<style>{css}</style>
<header><h1>{html.escape(heading)}</h1>{lines}</header>
<div class="bar"><div>
<label><input type="checkbox" id="joints" checked> joints</label>
<label><input type="checkbox" id="regions" checked> painted regions</label>
<label><input type="checkbox" id="changed"> only changed crops</label>
<span class="key"><i style="background:var(--left)"></i>person's left</span>
<span class="key"><i style="background:var(--right)"></i>right</span>
<span class="key"><i style="background:var(--middle)"></i>middle</span>
<span class="key"><i class="box"></i>painted</span>
<span class="key"><i class="spot" style="background:#fff"></i>hidden
joint</span>
<span class="key"><i class="spot" style="background:#ff4678"></i>label
removed</span>
</div></div>
<main>
{cards}
</main>
</html>
"""


def _card(view: View, style: Style) -> str:
    changed = any(record.get('pixels') for record in view.records)
    said = ''.join(
        f'<p{"" if record.get("pixels") else " class=none"}>'
        f'{html.escape(outcome(record))}</p>'
        for record in view.records
    )
    records = html.escape(_records(view.records))
    return f"""<article{'' if changed else ' class="same"'}>
<div class="pair">
<figure>{_image(view.clean, 'clean crop')}{_svg(view, _pose(view, style))}
<figcaption>clean</figcaption></figure>
<figure>{_image(view.occluded, 'occluded crop')}{
        _svg(view, _regions(view) + _marks(view, style))
    }
<figcaption>occluded</figcaption></figure>
</div>
<div class="text"><h2>{html.escape(view.title)}</h2>{said}
<details><summary>records</summary><pre>{records}</pre></details></div>
</article>"""


def _records(records: Sequence[Mapping]) -> str:
    """One field a line, lists kept together."""
    blocks = []
    for record in records:
        lines = [
            f'  {json.dumps(key)}: {json.dumps(value)}'
            for key, value in record.items()
        ]
        blocks.append('{\n' + ',\n'.join(lines) + '\n}')
    return '[' + ', '.join(blocks) + ']'


def _image(picture: np.ndarray, words: str) -> str:
    done, data = cv2.imencode('.png', np.clip(picture, 0, 255).astype('u1'))
    assert done
    text = base64.b64encode(data).decode()
    return f'<img alt="{words}" src="data:image/png;base64,{text}">'


def _svg(view: View, inside: str) -> str:
    width, height = view.size
    return f'<svg viewBox="0 0 {width} {height}">{inside}</svg>'


def _pose(view: View, style: Style) -> str:
    radius = view.size[1] / 100
    parts = []
    for joints, labelled in zip(view.joints, view.labelled, strict=True):
        shown = labelled & np.isfinite(joints).all(axis=-1)
        for link in style.links:
            if shown[link[0]] and shown[link[1]]:
                (x1, y1), (x2, y2) = (joints[i] + 0.5 for i in link)
                parts.append(
                    f'<line class="link" x1="{x1:.1f}" y1="{y1:.1f}" '
                    f'x2="{x2:.1f}" y2="{y2:.1f}" '
                    f'stroke="rgb{style.link_color(link)}"/>'
                )
        parts += [
            _circle(
                joints[k], radius, 'joint', style.names[k], style.colors[k]
            )
            for k in np.flatnonzero(shown)
        ]
    return f'<g class="joints">{"".join(parts)}</g>'


def _marks(view: View, style: Style) -> str:
    """Dots on joints that are hidden or have lost their label."""
    radius = view.size[1] / 100
    index = {name: k for k, name in enumerate(style.names)}
    removed = view.removed()
    parts = []
    for mark in sorted(view.hidden() | removed):
        person, name = mark
        kind = 'removed' if mark in removed else 'hidden'
        parts.append(
            _circle(
                view.joints[person, index[name]],
                radius,
                f'joint {kind}',
                f'{name}, {kind}',
            )
        )
    return f'<g class="joints">{"".join(parts)}</g>'


def _circle(
    joint: np.ndarray,
    radius: float,
    kind: str,
    name: str,
    color: tuple | None = None,
) -> str:
    x, y = joint + 0.5
    fill = f' fill="rgb{color}"' if color else ''
    return (
        f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
        f'{fill}><title>{html.escape(name)}</title></circle>'
    )


def _regions(view: View) -> str:
    parts = []
    for record in view.records:
        if not record.get('box'):
            continue
        region = record.get('region') or {}
        if region.get('shape') == 'disc':
            x, y = region['center']
            shape = (
                f'circle cx="{x + 0.5:.1f}" cy="{y + 0.5:.1f}" '
                f'r="{region["radius"] + 0.5:.1f}"'
            )
        else:
            x1, y1, x2, y2 = record['box']
            shape = (
                f'rect x="{x1}" y="{y1}" width="{x2 - x1}" height="{y2 - y1}"'
            )
        parts += [f'<{shape} class="casing"/>', f'<{shape} class="region"/>']
    return f'<g class="regions">{"".join(parts)}</g>'
