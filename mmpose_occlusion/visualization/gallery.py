"""A page with pairs of crops, clean and occluded.

The page is one HTML file that loads nothing: crops are inside as PNG, joints
and regions lie over them as SVG, with names under the pointer. A crop can be
filtered by its hidden joints, its parts and fills, and its severity, the
painted fraction of the crop.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from . import svg
from .crop_pair import (
    ERROR,
    LEFT,
    MIDDLE,
    REGION,
    RIGHT,
    CropPair,
    PoseStyle,
    record_caption,
)

_TEMPLATE = 'gallery.html.j2'


def gallery(
    pairs: Sequence[CropPair],
    style: PoseStyle,
    heading: str,
    facts: Sequence[str] = (),
    command: str = '',
) -> str:
    """Render the page.

    Args:
        pairs: Crops in the order of the page.
        style: The data set's joints.
        heading: Title of the page.
        facts: Lines below the title.
        command: The command line that makes this page.

    Returns:
        HTML.
    """
    loader = PackageLoader(__package__, '')
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined
    )
    colors = dict(
        left=LEFT, right=RIGHT, middle=MIDDLE, region=REGION, removed=ERROR
    )
    cards = [_card(pair, style) for pair in pairs]
    return environment.get_template(_TEMPLATE).render(
        heading=heading,
        facts=facts,
        command=command,
        colors={name: f'rgb{color}' for name, color in colors.items()},
        cards=cards,
        choices={
            key: sorted({name for card in cards for name in card['has'][key]})
            for key in ('joint', 'part', 'fill')
        },
        most=int(max((card['severity'] for card in cards), default=0)),
    )


def _card(pair: CropPair, style: PoseStyle) -> dict[str, Any]:
    height = pair.size[1]
    painted = sum(record.get('pixels', 0) for record in pair.records)
    poses = [
        shape
        for joints, labelled in zip(pair.joints, pair.labelled, strict=True)
        for shape in svg.pose(joints, labelled, style, height)
    ]
    regions = svg.layer('regions', svg.regions(pair.records, height))
    marks = svg.layer('joints', svg.marks(pair, style))
    return dict(
        title=pair.title,
        severity=round(100 * painted / np.prod(pair.size), 2),
        has=dict(
            joint=sorted({name for _, name in pair.hidden()}),
            part=[r['target'] for r in pair.records if r['kind'] == 'part'],
            fill=[r['fill'] for r in pair.records],
        ),
        views=[
            dict(
                word='clean',
                image=svg.data_uri(pair.clean),
                overlay=svg.svg(pair.size, svg.layer('joints', poses)),
            ),
            dict(
                word='occluded',
                image=svg.data_uri(pair.occluded),
                overlay=svg.svg(pair.size, regions, marks),
            ),
        ],
        captions=[
            dict(text=record_caption(record), painted=record.get('pixels'))
            for record in pair.records
        ],
        records=json.dumps(list(pair.records), indent=1),
    )
