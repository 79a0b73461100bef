"""A page with pairs of crops, clean and occluded.

The page is one HTML file that loads nothing: crops are inside as PNG, joints
and regions lie over them as SVG, with names under the pointer.
"""

import json
from collections.abc import Sequence
from typing import Any

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
    return environment.get_template(_TEMPLATE).render(
        heading=heading,
        facts=facts,
        command=command,
        colors={name: f'rgb{color}' for name, color in colors.items()},
        cards=[_card(pair, style) for pair in pairs],
    )


def _card(pair: CropPair, style: PoseStyle) -> dict[str, Any]:
    height = pair.size[1]
    poses = [
        shape
        for joints, labelled in zip(pair.joints, pair.labelled, strict=True)
        for shape in svg.pose(joints, labelled, style, height)
    ]
    regions = svg.layer('regions', svg.regions(pair.records, height))
    marks = svg.layer('joints', svg.marks(pair, style))
    return dict(
        title=pair.title,
        changed=pair.is_changed,
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
