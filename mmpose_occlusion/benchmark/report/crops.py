"""A case's crops with poses drawn over them."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from mmpose_occlusion.benchmark.data import Joints
from mmpose_occlusion.visualization.style import ERROR, Style, side_color

from .cases import Shown

_RIGHT = 'right'


def crop_pair(shown: Shown, joints: Joints) -> str:
    """HTML of the clean and the attacked crop side by side."""
    style = Style(
        tuple(joints.names),
        tuple((int(a), int(b)) for a, b in joints.links),
        tuple(side_color(joint) for joint in joints.names),
    )
    panels = (
        ('clean', shown.clean, shown.before),
        ('attacked', shown.attacked, shown.after),
    )
    return (
        '<div class="pair">'
        + ''.join(
            f'<div>{_image(picture, word)}{_pose(shown, found, style)}'
            f'<span>{word}</span></div>'
            for word, picture, found in panels
        )
        + '</div>'
    )


def _image(picture: np.ndarray, word: str) -> str:
    done, data = cv2.imencode(
        '.jpg',
        np.clip(picture, 0, 255).astype(np.uint8),
        [cv2.IMWRITE_JPEG_QUALITY, 92],
    )
    assert done
    text = base64.b64encode(data.tobytes()).decode()
    return f'<img alt="{word} crop" src="data:image/jpeg;base64,{text}">'


def _pose(shown: Shown, found: np.ndarray, style: Style) -> str:
    height, width = shown.clean.shape[:2]
    unit = height / 256
    parts = []
    for a, b in style.links:
        color = style.link_color((a, b))
        ends = _line(found[a], found[b])
        right = any(style.names[k].startswith(_RIGHT) for k in (a, b))
        dash = f' stroke-dasharray="{5 * unit:.1f} {2.5 * unit:.1f}"'
        parts.append(
            f'<line {ends} stroke="#0009" stroke-width="{4 * unit}"/>'
        )
        parts.append(
            f'<line {ends} stroke="rgb{color}" stroke-width="{2.4 * unit}"'
            f'{dash if right else ""}/>'
        )
    for k, color in enumerate(style.colors):
        parts.append(
            _circle(found[k], 2.6 * unit, f'fill="rgb{color}"', style.names[k])
        )
    for k in np.flatnonzero(shown.hidden).tolist():
        if np.isfinite(shown.truth[k]).all():
            ends = _line(shown.truth[k], found[k])
            parts.append(
                f'<line {ends} stroke="rgb{ERROR}" '
                f'stroke-width="{2.2 * unit}"/>'
            )
            ring = f'fill="none" stroke="#fff" stroke-width="{1.8 * unit}"'
            dark = f'fill="none" stroke="#000b" stroke-width="{3.4 * unit}"'
            for look in (dark, ring):
                parts.append(
                    _circle(
                        shown.truth[k],
                        4.6 * unit,
                        look,
                        f'{style.names[k]}, truth',
                    )
                )
    return f'<svg viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'


def _line(a: Sequence[float], b: Sequence[float]) -> str:
    (x1, y1), (x2, y2) = np.asarray(a) + 0.5, np.asarray(b) + 0.5
    return f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'


def _circle(
    joint: Sequence[float], radius: float, look: str, title: str
) -> str:
    x, y = np.asarray(joint) + 0.5
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {look}>'
        f'<title>{title}</title></circle>'
    )
