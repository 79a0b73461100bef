"""Poses, marks and regions as SVG that lies over an image of a page.

Coordinates are pixels of the image, whose first pixel has its centre at
(0, 0): in the SVG's frame that is (0.5, 0.5). All text is escaped.
"""

import base64
from collections.abc import Iterable, Mapping

import cv2
import numpy as np
from markupsafe import Markup

from .crop_pair import CropPair
from .pose_style import ERROR, REGION, RIGHT, TRUTH, Color, PoseStyle

_DARK = '#000a'
_REMOVED = ERROR


def data_uri(image: np.ndarray, suffix: str = '.png') -> str:
    """An ``(H, W, 3)`` BGR image as the address of an ``<img>``.

    Args:
        image: Values outside 0 to 255 are clipped.
        suffix: ``.png``, or ``.jpg`` in quality 92.
    """
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if suffix == '.jpg' else []
    done, data = cv2.imencode(suffix, pixels, options)
    assert done
    kind = {'.png': 'png', '.jpg': 'jpeg'}[suffix]
    text = base64.b64encode(data.tobytes()).decode()
    return f'data:image/{kind};base64,{text}'


def svg(size: tuple[int, int], *layers: Markup) -> Markup:
    """Put layers over an image of (width, height) pixels."""
    head = Markup('<svg viewBox="0 0 {} {}">').format(*size)
    return head + Markup().join(layers) + Markup('</svg>')


def layer(kind: str, shapes: Iterable[Markup]) -> Markup:
    """A group with a class, so that the page can hide it."""
    return Markup('<g class="{}">{}</g>').format(kind, Markup().join(shapes))


def pose(
    joints: np.ndarray, shown: np.ndarray, style: PoseStyle, height: int
) -> list[Markup]:
    """One person's links, dashed on the right side, and named joints.

    Args:
        joints: ``(K, 2)``.
        shown: ``(K,)`` bool; joints that are not finite are never drawn.
        style: Links and colours.
        height: Of the image, to which strokes are relative.
    """
    unit = height / 256
    shown = shown & np.isfinite(joints).all(axis=-1)
    shapes = []
    for link in style.links:
        if shown[link[0]] and shown[link[1]]:
            ends = joints[link[0]], joints[link[1]]
            color = style.link_color(link)
            dash = f'{5 * unit:.1f} {2.5 * unit:.1f}' if color == RIGHT else ''
            shapes.append(_line(*ends, _DARK, 4 * unit))
            shapes.append(_line(*ends, _rgb(color), 2.4 * unit, dash))
    for k in np.flatnonzero(shown):
        shapes.append(dot(joints[k], style.names[k], style.colors[k], height))
    return shapes


def dot(joint: np.ndarray, title: str, color: Color, height: int) -> Markup:
    """A filled circle with a dark rim and a tooltip."""
    unit = height / 256
    return _circle(joint, 2.6 * unit, title, _rgb(color), _DARK, 0.8 * unit)


def error(
    truth: np.ndarray, guess: np.ndarray, title: str, height: int
) -> list[Markup]:
    """A ring at a joint's annotation and a line to its prediction."""
    unit = height / 256
    radius, white = 4.6 * unit, _rgb(TRUTH)
    return [
        _line(truth, guess, _rgb(ERROR), 2.2 * unit),
        _circle(truth, radius, title, 'none', _DARK, 3.4 * unit),
        _circle(truth, radius, title, 'none', white, 1.8 * unit),
    ]


def marks(pair: CropPair, style: PoseStyle) -> list[Markup]:
    """Dots on the joints that are hidden or have lost their label."""
    index = {name: k for k, name in enumerate(style.names)}
    removed = pair.removed()
    shapes = []
    for person, name in sorted(pair.hidden() | removed):
        is_removed = (person, name) in removed
        word = 'removed' if is_removed else 'hidden'
        color = _REMOVED if is_removed else TRUTH
        joint = pair.joints[person, index[name]]
        shapes.append(dot(joint, f'{name}, {word}', color, pair.size[1]))
    return shapes


def regions(records: Iterable[Mapping], height: int) -> list[Markup]:
    """Outlines of what the records painted."""
    unit = height / 256
    shapes = []
    for record in records:
        if not record.get('box'):
            continue
        region = record.get('region') or {}
        for color, width in ((_DARK, 4 * unit), (_rgb(REGION), 2 * unit)):
            look = Markup(
                'fill="none" stroke="{}" stroke-width="{:.2f}"'
            ).format(color, width)
            if region.get('shape') == 'disc':
                x, y = np.asarray(region['center'], float) + 0.5
                shape = Markup(
                    '<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" {}/>'
                )
                shapes.append(shape.format(x, y, region['radius'] + 0.5, look))
            else:
                x1, y1, x2, y2 = record['box']
                shape = Markup(
                    '<rect x="{}" y="{}" width="{}" height="{}" {}/>'
                )
                shapes.append(shape.format(x1, y1, x2 - x1, y2 - y1, look))
    return shapes


def _rgb(color: Color) -> str:
    return f'rgb{tuple(color)}'


def _line(
    a: np.ndarray, b: np.ndarray, color: str, width: float, dash: str = ''
) -> Markup:
    (x1, y1), (x2, y2) = np.asarray(a) + 0.5, np.asarray(b) + 0.5
    dashes = Markup(' stroke-dasharray="{}"').format(dash) if dash else ''
    return Markup(
        '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" '
        'stroke-width="{:.2f}" stroke-linecap="round"{}/>'
    ).format(x1, y1, x2, y2, color, width, dashes)


def _circle(
    joint: np.ndarray,
    radius: float,
    title: str,
    fill: str,
    stroke: str,
    width: float,
) -> Markup:
    x, y = np.asarray(joint) + 0.5
    return Markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" stroke="{}" '
        'stroke-width="{:.2f}"><title>{}</title></circle>'
    ).format(x, y, radius, fill, stroke, width, title)
