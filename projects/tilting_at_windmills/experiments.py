"""The reference's 19 experiments: its name for each, ours, what it published.

    python projects/tilting_at_windmills/experiments.py

prints them as a table. Published are, on COCO val2017, AP with annotated
boxes (HRNet-w32 256×192, baseline 76.5 and differences to it) and, on MPII
valid, PCKh@0.5 (mean).
"""

from pathlib import Path
from typing import NamedTuple

CONFIGS = 'configs/body_2d_keypoint/topdown_heatmap'

# the reference's name, ours without batch and data set, what was published
TABLE = """
coco/hrnet/blurring_05_parts_no_remove hrnet-w32_part-blur-
coco/hrnet/cutout_05_keypoint hrnet-w32_keypoint-mean-
coco/hrnet/cutout_05_parts hrnet-w32_part-mean-remove-
coco/hrnet/cutout_blurring_05_keypoint hrnet-w32_keypoint-blur-mean-
coco/hrnet/cutout_blurring_05_parts_no_remove hrnet-w32_part-blur-mean-
coco/hrnet/multikeypoint_cutout_blurring_max5_02 hrnet-w32_multi-keypoint-
coco/hrnet/cutmix_05_no_remove hrnet-w32_partmix- AP +0.2
coco/resnet/res_50 res50_
coco/resnet/blurring_05_keypoints res50_keypoint-blur-
coco/resnet/cutout_parts_05 res50_part-mean-
coco/resnet/cutmix_05 res50_partmix-
coco/hourglass/hourglass hourglass-8stack_
coco/hourglass/blurring_05_keypoints hourglass-8stack_keypoint-blur-
coco/hourglass/cutout_parts_05 hourglass-8stack_part-mean-
coco/hourglass/cutmix_05 hourglass-8stack_partmix-
mpii/hrnet/w32_256x256 hrnet-w32_ PCKh 90.3
mpii/hrnet/blurring_keypoints_05 hrnet-w32_keypoint-blur- PCKh 90.3
mpii/hrnet/cutout_05_parts_no_remove hrnet-w32_part-mean- PCKh 90.5
mpii/hrnet/cutmix_05_noremove hrnet-w32_partmix- PCKh 90.5
"""


class Experiment(NamedTuple):
    """The reference's name, our config, and the published number or ''."""

    reference: str
    config: str
    published: str


def _read(line: str) -> Experiment:
    reference, stem, *published = line.split(maxsplit=2)
    data = reference.partition('/')[0]
    size = {'coco': '256x192', 'mpii': '256x256'}[data]
    batch = '8xb32' if 'hourglass' in stem else '8xb64'
    name = f'{data}/td-hm_{stem}{batch}-210e_{data}-{size}.py'
    return Experiment(reference, f'{CONFIGS}/{name}', ''.join(published))


EXPERIMENTS = [_read(line) for line in TABLE.strip().splitlines()]


def markdown() -> str:
    """The table of the README; the last column is to be filled in."""
    lines = ['| reference | config | published | ours |', '|---|---|---|---|']
    for e in EXPERIMENTS:
        stem = Path(e.config).stem
        link = f'[{stem}](../../{e.config})'
        lines.append(f'| `{e.reference}` | {link} | {e.published or "–"} | |')
    return '\n'.join(lines)


if __name__ == '__main__':
    print(markdown())
