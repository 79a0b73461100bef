"""Pairs of crops, the look of their joints, and pages that show them.

A page is one HTML file that loads nothing: crops are inside as PNG or JPEG,
joints and regions lie over them as SVG, with names under the pointer.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from jinja2 import (
    ChoiceLoader,
    Environment,
    PackageLoader,
    StrictUndefined,
    select_autoescape,
)

from mmpose_occlusion.skeleton import Skeleton

Color = tuple[int, int, int]

# of the palette of Okabe and Ito, which is safe for colour-blind readers; RGB
LEFT, RIGHT, MIDDLE = (86, 180, 233), (230, 120, 30), (0, 188, 140)
WHITE = (255, 255, 255)
COLORS = dict(
    left=LEFT, right=RIGHT, middle=MIDDLE, region=(250, 230, 60),
    target=WHITE, bystander=WHITE, removed=(255, 70, 120),
)  # fmt: skip

INK = (34, 38, 46)
PAPER = (250, 250, 248)


@dataclass(frozen=True)
class CropPair:
    """A crop or a whole image, clean and occluded.

    Args:
        title: Caption, such as the ids of image and person.
        clean: ``(H, W, 3)`` BGR; the first pixel has its centre at (0, 0).
        occluded: The same with occlusions.
        joints: ``(N, K, 2)`` annotated joints, pixels of the crop.
        labelled: ``(N, K)`` bool, the joints that have a label.
        records: Records of the occlusions, ``results['occlusions']``.
        predicted: ``(N', K, 2)`` predicted joints, for :func:`draw_pair`.
        scores: ``(N', K)`` scores of the predicted joints.
    """

    title: str
    clean: np.ndarray
    occluded: np.ndarray
    joints: np.ndarray
    labelled: np.ndarray
    records: Sequence[Mapping] = ()
    predicted: np.ndarray | None = None
    scores: np.ndarray | None = None

    @property
    def is_changed(self) -> bool:
        """Whether an occlusion painted pixels."""
        return any(record.get('pixels') for record in self.records)

    def listed(self, *roles: str) -> set[tuple[int, str]]:
        """(instance, joint name) of the joints that the records have as
        ``targets``, ``bystanders`` or ``removed`` (without a label now)."""
        return {
            (int(instance), name)
            for record in self.records
            for role in roles
            for instance, name in record.get(role) or ()
        }


def record_caption(record: Mapping) -> str:
    """One line that says what an occlusion did.

    >>> record_caption(dict(kind='keypoint', target='nose', fill='black',
    ...                     pixels=113, targets=[[0, 'nose']],
    ...                     bystanders=[[0, 'left_eye']], reason=None))
    'keypoint:nose black: 113 px, hides nose; bystanders left_eye'
    """
    head = f'{record["kind"]}:{record["target"]} {record["fill"]}'
    if record.get('place', 'target') != 'target':
        head += f' {record["place"]}'
    if record.get('reason'):
        return f'{head}: no pixels painted, {record["reason"]}'
    own = record.get('instance', 0)
    targets, bystanders = (
        ', '.join(
            name if person == own else f'{name} (other person)'
            for person, name in record.get(key) or ()
        )
        for key in ('targets', 'bystanders')
    )
    text = f'{head}: {record["pixels"]:,} px, hides {targets or "no target"}'
    if bystanders:
        text += f'; bystanders {bystanders}'
    removed = len(record.get('removed') or ())
    return f'{text}; {removed} labels removed' if removed else text


@dataclass(frozen=True)
class PoseStyle:
    """How the K joints of a data set are drawn."""

    names: Sequence[str]
    links: Sequence[tuple[int, int]]  # indices of joints

    @classmethod
    def from_metainfo(cls, metainfo: Mapping) -> 'PoseStyle':
        """Read names and links from a data set's parsed metainfo."""
        names = Skeleton.from_metainfo(metainfo).names
        return cls(names, metainfo.get('skeleton_links') or ())

    @cached_property
    def colors(self) -> list[Color]:
        """RGB of each joint, by the side of the body that its name says."""
        return [side_color(name) for name in self.names]

    def link_color(self, link: tuple[int, int]) -> Color:
        """Colour of its joints; of the middle where these differ."""
        first, second = (self.colors[i] for i in link)
        if first == second or second == MIDDLE:
            return first
        return second if first == MIDDLE else MIDDLE


def side_color(name: str) -> Color:
    """RGB of a joint by the side that its name says."""
    word = name.lower().replace('-', '_').split('_')[0]
    sides = {'left': LEFT, 'l': LEFT, 'right': RIGHT, 'r': RIGHT}
    return sides.get(word, MIDDLE)


def environment(package: str) -> Environment:
    """The templates of a package's folder and of this one."""
    folders = [PackageLoader(name, '') for name in (package, __package__)]
    made = Environment(
        loader=ChoiceLoader(folders),
        autoescape=select_autoescape(['html.j2']),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=['jinja2.ext.do'],
    )
    made.globals['colors'] = {k: f'rgb{v}' for k, v in COLORS.items()}
    for each in (image_uri, record_caption):
        made.filters[each.__name__] = each
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
    fraction of the crop; ``facts`` and the command are lines below the
    heading."""
    template = environment(__package__).get_template('gallery.html.j2')
    return template.render(
        heading=heading,
        facts=facts,
        command=command,
        style=style,
        cards=[_card(pair, style) for pair in pairs],
    )


def _card(pair: CropPair, style: PoseStyle) -> dict[str, Any]:
    records, size = pair.records, pair.clean.shape[1::-1]
    painted = sum(record.get('pixels', 0) for record in records)
    roles = {
        joint: role.removesuffix('s')
        for role in ('bystanders', 'targets', 'removed')
        for joint in pair.listed(role)
    }
    return dict(
        pair=pair,
        size=size,
        unit=size[1] / 256,
        severity=round(100 * painted / np.prod(size), 2),
        has=dict(
            joint=sorted({n for _, n in pair.listed('targets', 'bystanders')}),
            part=[r['target'] for r in records if r['kind'] == 'part'],
            fill=[r['fill'] for r in records],
        ),
        poses=list(map(svg_places, pair.joints, pair.labelled)),
        marks=[
            (pair.joints[person, style.names.index(name)] + 0.5, name, role)
            for (person, name), role in sorted(roles.items())
        ],
        records=json.dumps(list(records), indent=1),
    )
