"""Draw the pages' figures of attacks, paints and transforms.

python projects/synthetic_people/make.py
python docs/draw_attacks.py
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / 'tools'), str(ROOT)]

import _cli  # noqa: E402

PAINTS = ['blur', 'mean', 'black', 'grey', 'pixelate', 'noise', 'texture']
PAINTS += ['object', 'donor']
FIGURES: dict[str, dict[str, dict]] = {
    'attacks.png': {
        'clean': {},
        'keypoint:left_wrist:object:10%': {},
        'keypoint:left_knee:black:20%': {},
        'keypoint:nose:blur:15%': {},
        'part:left_arm:black': {},
        'part:upper_body:object': {},
        'MultiKeypointOcclusion': dict(
            keypoint_prob=1, fills=['black', 'texture'], size='10%'
        ),
        'PartMix': dict(prob=1),
    },
    'paints.png': {f'keypoint:left_knee:{fill}:20%': {} for fill in PAINTS},
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
DPI = {'attacks.png': 130}
PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=(192, 256)),
]


def draw(
    args: object,
    out: Path = ROOT / 'docs',
    data: str | Path = 'data/synthetic_people',
) -> None:
    """Each figure: a row for each person, a column for each attack."""
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS, TRANSFORMS

    from mmpose_occlusion import parse_attack

    init_default_scope('mmpose')
    people = dict(type='CocoDataset', data_root=str(data), pipeline=PIPELINE)
    people['ann_file'] = 'annotations/person_keypoints_val.json'
    people['data_prefix'] = dict(img='val/')
    dataset = DATASETS.build(dict(type='DonorDataset', dataset=people))
    every = (dataset[i] for i in range(len(dataset)))
    crops = [crop for crop in every if is_all_seen(crop)]
    for file, columns in FIGURES.items():
        rows = []
        for crop in crops[: PEOPLE.get(file, 1)]:
            rows.append([])
            for name, options in columns.items():
                results, config = dict(crop), dict(options, type=name, seed=2)
                if ':' in name:
                    config = dict(parse_attack(name).to_config(), seed=1)
                if name != 'clean':
                    results = TRANSFORMS.build(config)(results)
                title = name.replace(':', '\n', 1) if len(rows) == 1 else ''
                rows[-1].append((title, results['img']))
        _save(out / file, rows)


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


def is_all_seen(crop: dict) -> bool:
    """Whether a person faces the reader, whole, and with room around."""
    x, y, v = np.reshape(crop['raw_ann_info']['keypoints'], (17, 3)).T
    height, width = crop['img_shape']
    room = 0.12 * np.ptp(y)
    return bool(
        (v == 2).sum() >= 15
        and x[5] > x[6] + room
        and min(x.min(), y.min()) > room
        and x.max() < width - room
        and y.max() < height - room
    )


if __name__ == '__main__':
    sys.exit(_cli.run(draw, None))
