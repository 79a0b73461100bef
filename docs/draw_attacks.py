"""Draw the pages' figures of attacks, paints, transforms and suites.

python projects/synthetic_people/make.py
python docs/draw_attacks.py
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / 'tools'), str(ROOT)]

import _cli  # noqa: E402

PAINTS = ['blur', 'mean', 'black', 'grey', 'pixelate', 'noise', 'texture']
PAINTS += ['object', 'donor']
FIGURES: dict[str, dict[str, dict | None]] = {
    'attacks.png': {
        'clean': None,
        'keypoint:left_wrist:object:10%': None,
        'keypoint:left_knee:black:20%': None,
        'keypoint:nose:blur:15%': None,
        'part:left_arm:black': None,
        'part:upper_body:object': None,
        'MultiKeypointOcclusion': dict(
            keypoint_prob=1, fills=['black', 'texture'], size='10%'
        ),
        'PartMix': dict(prob=1),
    },
    'paints.png': {f'keypoint:left_knee:{fill}:20%': None for fill in PAINTS},
    'transforms.png': {
        'KeypointOcclusion': dict(target='left_wrist', fill='object'),
        'MultiKeypointOcclusion': dict(keypoint_prob=1, fills=['black']),
        'PartOcclusion': dict(target='left_leg', fill='texture'),
        'PartMix': dict(prob=1),
        'RandomOcclusion': dict(fill='object'),
        'CellOcclusion': dict(target='x0y40', size='20%'),
    },
}
"""File -> columns: an attack, or a transform with its arguments."""
PEOPLE = {'attacks.png': 2}
SUITES = ('paints', 'severity', 'controls')
"""Rows of benchmark_suites.png: a person under a suite's attacks."""
JOINT, COLUMNS = 'left_knee', 9
DPI = {'attacks.png': 130, 'benchmark_suites.png': 75}


def draw(
    args: object,
    out: Path = ROOT / 'docs',
    data: str | Path = 'data/synthetic_people',
) -> None:
    """Each figure: a row for each person, a column for each attack."""
    from mmpose_occlusion.benchmark.suite import load_suite
    from mmpose_occlusion.skeleton import Skeleton

    crops = people_in_crops(data)
    seen = [i for i in range(len(crops)) if is_all_seen(crops[i])]
    for file, columns in FIGURES.items():
        rows = [
            [
                (
                    '' if i else name.replace(':', '\n', 1),
                    _image(crop, name, o),
                )
                for name, o in columns.items()
            ]
            for i, crop in enumerate(
                crops[n] for n in seen[: PEOPLE.get(file, 1)]
            )
        ]
        _save(out / file, rows)
    rows = []
    skeleton = Skeleton.from_metainfo(crops.metainfo)
    for suite, person in zip(SUITES, seen, strict=False):
        configs = [a.config for a in load_suite(suite, skeleton)]
        targets = ('random', JOINT, 'nose', 'right_wrist')
        chosen = [c for t in targets for c in configs if c['target'] == t]
        rows.append([_cell(crops[person], suite, c) for c in chosen[:COLUMNS]])
    _save(out / 'benchmark_suites.png', rows)


def _cell(crop: dict, suite: str, config: dict) -> tuple[str, np.ndarray]:
    from mmpose.registry import TRANSFORMS

    title = f'{config["target"]} {config.get("place", "")}'
    title = dict(severity=config['size'], paints=config['fill']).get(
        suite, title
    )
    config = dict(config, seed=1)
    if config['target'] == 'random':
        config['target'] = JOINT  # the same in all columns
    return title, TRANSFORMS.build(config)(crop)['img']


def _save(path: Path, rows: list[list[tuple[str, np.ndarray]]]) -> None:
    """A grid of images with titles."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    size = 1.5 * len(rows[0]), 2.0 * len(rows) + 0.4
    with mpl.rc_context({'font.size': 6}):
        figure = Figure(figsize=size)
        grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
        for axes, row in zip(grid, rows, strict=True):
            for axis, (title, image) in zip(axes, row, strict=False):
                axis.imshow(image[..., ::-1])
                axis.set_title(title, family='monospace')
            for axis in axes:
                axis.axis('off')
        figure.tight_layout(pad=0.3)
        figure.savefig(path, dpi=DPI.get(path.name, 90))


def _image(crop: dict, name: str, options: dict | None) -> np.ndarray:
    from mmpose.registry import TRANSFORMS

    from mmpose_occlusion import parse_attack

    if ':' in name:
        config = dict(parse_attack(name).to_config(), seed=1)
    elif options is None:
        return crop['img']
    else:
        config = dict(options, type=name, seed=2)
    return TRANSFORMS.build(config)(crop)['img']


def people_in_crops(data: str | Path = 'data/synthetic_people') -> Any:
    """The drawn people as crops, donors to each other."""
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS

    init_default_scope('mmpose')
    return DATASETS.build(
        dict(
            type='DonorDataset',
            dataset=dict(
                type='CocoDataset',
                ann_file=f'{data}/annotations/person_keypoints_val.json',
                data_prefix=dict(img=f'{data}/val/'),
                pipeline=[
                    dict(type='LoadImage'),
                    dict(type='GetBBoxCenterScale'),
                    dict(type='TopdownAffine', input_size=(192, 256)),
                ],
            ),
        )
    )


def is_all_seen(crop: dict) -> bool:
    """Whether a person faces the reader, whole, and with room around."""
    x, y, v = np.reshape(crop['raw_ann_info']['keypoints'], (17, 3)).T
    height, width = crop['img_shape']
    room = 0.12 * np.ptp(y)
    return bool(
        (v == 2).sum() >= 15
        and x[5] > x[6] + room
        and (x > room).all()
        and (y > room).all()
        and (x < width - room).all()
        and (y < height - room).all()
    )


if __name__ == '__main__':
    sys.exit(_cli.run(draw, None))
