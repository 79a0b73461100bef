"""Poses, marks and regions as SVG that lies over an image of a page.

Coordinates are pixels of the image, whose first pixel has its centre at
(0, 0): in the SVG's frame that is (0.5, 0.5). Strokes are relative to the
image's height. All text is escaped.
"""

import base64
from collections.abc import Iterable, Mapping

import cv2
import numpy as np
from markupsafe import Markup

from .crop_pair import (
    ERROR,
    REGION,
    RIGHT,
    TRUTH,
    Color,
    CropPair,
    PoseStyle,
)

_DARK = '#000a'


def data_uri(image: np.ndarray, suffix: str = '.png') -> str:
    """An ``(H, W, 3)`` BGR image as the address of an ``<img>``.

    Args:
        image: Values outside 0 to 255 are clipped.
        suffix: ``.png``, or ``.jpg`` in quality 92.
    """
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if suffix == '.jpg' else []
    _, data = cv2.imencode(suffix, pixels, options)
    text = base64.b64encode(data.tobytes()).decode()
    return f'data:image/{suffix[1:].replace("jpg", "jpeg")};base64,{text}'


def svg(size: tuple[int, int], *shapes: Markup) -> Markup:
    """Shapes over an image of (width, height) pixels."""
    box = f'0 0 {size[0]} {size[1]}'
    return _element('svg', *shapes, viewBox=box, aria_hidden='true')


def layer(kind: str, shapes: Iterable[Markup]) -> Markup:
    """A group with a class, so that the page can hide it."""
    return _element('g', *shapes, **{'class': kind})


def pose(
    joints: np.ndarray, shown: np.ndarray, style: PoseStyle, height: int
) -> list[Markup]:
    """One person's links, dashed on the right side, and named joints.

    Args:
        joints: ``(K, 2)``.
        shown: ``(K,)`` bool; joints that are not finite are never drawn.
        style: Links and colours.
        height: Of the image.
    """
    unit = height / 256
    shown = shown & np.isfinite(joints).all(axis=-1)
    shapes = []
    for a, b in style.links:
        if shown[a] and shown[b]:
            color = style.link_color((a, b))
            dash = f'{5 * unit:.1f} {2.5 * unit:.1f}' if color == RIGHT else ''
            ends = joints[a], joints[b]
            shapes.append(_line(*ends, _DARK, 4 * unit))
            shapes.append(_line(*ends, _rgb(color), 2.4 * unit, dash))
    shapes += [
        dot(joints[k], style.names[k], style.colors[k], height)
        for k in np.flatnonzero(shown)
    ]
    return shapes


def dot(joint: np.ndarray, title: str, color: Color, height: int) -> Markup:
    """A filled circle with a dark rim and a tooltip."""
    unit = height / 256
    look = dict(fill=_rgb(color), stroke=_DARK, stroke_width=0.8 * unit)
    return _circle(joint, 2.6 * unit, title, **look)


def error(
    truth: np.ndarray, guess: np.ndarray, title: str, height: int
) -> list[Markup]:
    """A ring at a joint's annotation and a line to its prediction."""
    unit = height / 256
    return [
        _line(truth, guess, _rgb(ERROR), 2.2 * unit),
        *(
            _circle(truth, 4.6 * unit, title, fill='none', **look)
            for look in (
                dict(stroke=_DARK, stroke_width=3.4 * unit),
                dict(stroke=_rgb(TRUTH), stroke_width=1.8 * unit),
            )
        ),
    ]


def marks(pair: CropPair, style: PoseStyle) -> list[Markup]:
    """Dots on the joints that are hidden or have lost their label."""
    removed, targets = pair.removed(), pair.targets()
    shapes = []
    for person, name in sorted(pair.hidden() | removed):
        word, color = 'bystander', TRUTH
        if (person, name) in removed:
            word, color = 'removed', ERROR
        elif (person, name) in targets:
            word = 'target'
        joint = pair.joints[person, style.names.index(name)]
        shapes.append(dot(joint, f'{name}, {word}', color, pair.size[1]))
    return shapes


def regions(records: Iterable[Mapping], height: int) -> list[Markup]:
    """Outlines of what the records painted."""
    unit = height / 256
    shapes = []
    for record in records:
        region = record.get('region') or {}
        for color, width in ((_DARK, 4 * unit), (_rgb(REGION), 2 * unit)):
            look = dict(fill='none', stroke=color, stroke_width=width)
            if not record.get('box'):
                continue
            if region.get('shape') == 'disc':
                center = np.asarray(region['center'], float)
                radius = region['radius'] + 0.5
                shapes.append(_circle(center, radius, '', **look))
            else:
                x, y, right, low = record['box']
                size = dict(x=x, y=y, width=right - x, height=low - y)
                shapes.append(_element('rect', **size, **look))
    return shapes


def _rgb(color: Color) -> str:
    return f'rgb{tuple(color)}'


def _line(
    a: np.ndarray, b: np.ndarray, color: str, width: float, dash: str = ''
) -> Markup:
    (x1, y1), (x2, y2) = a + 0.5, b + 0.5
    dashes = dict(stroke_dasharray=dash) if dash else {}
    look = dict(stroke=color, stroke_width=width, **dashes)
    return _element('line', x1=x1, y1=y1, x2=x2, y2=y2, **look)


def _circle(
    joint: np.ndarray, radius: float, title: str, **look: object
) -> Markup:
    cx, cy = joint + 0.5
    inner = [_element('title', Markup.escape(title))] if title else []
    return _element('circle', *inner, cx=cx, cy=cy, r=radius, **look)


def _element(tag: str, *inside: Markup, **attributes: object) -> Markup:
    pairs = [
        Markup(' {}="{}"').format(
            key.replace('_', '-'),
            f'{value:.1f}' if isinstance(value, float) else value,
        )
        for key, value in attributes.items()
    ]
    joined, body = Markup().join(pairs), Markup().join(inside)
    return Markup('<{}{}>{}</{}>').format(tag, joined, body, tag)
