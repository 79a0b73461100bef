"""Pages with crops: what their templates share, and the gallery.

A page is one HTML file that loads nothing: crops are inside as PNG or JPEG,
joints and regions lie over them as SVG, with names under the pointer.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from .crop_pair import (
    ERROR,
    LEFT,
    MIDDLE,
    REGION,
    RIGHT,
    TRUTH,
    CropPair,
    PoseStyle,
    record_caption,
)

_COLORS = dict(
    left=LEFT,
    right=RIGHT,
    middle=MIDDLE,
    region=REGION,
    removed=ERROR,
    hidden=TRUTH,
)


def environment(package: str) -> Environment:
    """The templates of a package's folder and of this one."""
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader(name, '') for name in (package, __package__)]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=['jinja2.ext.do'],
    )
    made.globals['colors'] = {k: f'rgb{v}' for k, v in _COLORS.items()}
    return made


def data_uri(kind: str, data: bytes) -> str:
    """Data of a MIME type as the address of an image or a link."""
    return f'data:{kind};base64,{base64.b64encode(data).decode()}'


def image_uri(image: np.ndarray, kind: str = 'png') -> str:
    """An ``(H, W, 3)`` BGR image as an address; values outside 0 to 255 are
    clipped, ``jpeg`` is of quality 92."""
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if kind == 'jpeg' else []
    _, data = cv2.imencode(f'.{kind}', pixels, options)
    return data_uri(f'image/{kind}', data.tobytes())


def svg_places(
    joints: np.ndarray, shown: np.ndarray | bool = True
) -> list[list[float] | None]:
    """``(K, 2)`` pixels in the SVG's frame, None for joints that are not
    shown or not finite."""
    good = shown & np.isfinite(joints).all(axis=-1)
    places = (joints + 0.5).tolist()
    return [p if ok else None for p, ok in zip(places, good, strict=True)]


def gallery(
    pairs: Sequence[CropPair],
    style: PoseStyle,
    heading: str,
    facts: Sequence[str] = (),
    command: str = '',
) -> str:
    """A page with pairs of crops, clean and occluded, that can be filtered by
    their hidden joints, parts and fills, and their severity, the painted
    fraction of the crop.

    Args:
        pairs: Crops in the order of the page.
        style: The data set's joints.
        heading: Title of the page.
        facts: Lines below the title.
        command: The command line that makes this page.

    Returns:
        HTML.
    """
    cards = [_card(pair, style) for pair in pairs]
    template = environment(__package__).get_template('gallery.html.j2')
    return template.render(
        heading=heading,
        facts=facts,
        command=command,
        style=style,
        cards=cards,
        choices={
            key: sorted({name for card in cards for name in card['has'][key]})
            for key in ('joint', 'part', 'fill')
        },
        most=int(max((card['severity'] for card in cards), default=0)),
    )


def _card(pair: CropPair, style: PoseStyle) -> dict[str, Any]:
    painted = sum(record.get('pixels', 0) for record in pair.records)
    hidden, removed, targets = pair.hidden(), pair.removed(), pair.targets()
    marks = []
    for person, name in sorted(hidden | removed):
        word = 'target' if (person, name) in targets else 'bystander'
        if (person, name) in removed:
            word = 'removed'
        joint = pair.joints[person, style.names.index(name)]
        color = 'removed' if word == 'removed' else 'hidden'
        marks.append(((joint + 0.5).tolist(), f'{name}, {word}', color))
    return dict(
        pair=pair,
        unit=pair.size[1] / 256,
        severity=round(100 * painted / np.prod(pair.size), 2),
        has=dict(
            joint=sorted({name for _, name in hidden}),
            part=[r['target'] for r in pair.records if r['kind'] == 'part'],
            fill=[r['fill'] for r in pair.records],
        ),
        clean=image_uri(pair.clean),
        occluded=image_uri(pair.occluded),
        poses=list(map(svg_places, pair.joints, pair.labelled)),
        marks=marks,
        captions=[
            dict(text=record_caption(record), painted=record.get('pixels'))
            for record in pair.records
        ],
        records=json.dumps(list(pair.records), indent=1),
    )
