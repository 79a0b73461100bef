"""The reference's 19 experiments: its name for each, ours, what it published.

    python projects/tilting_at_windmills/experiments.py

prints them as a table. Published are, on COCO val2017, AP with annotated
boxes (HRNet-w32 256×192, baseline 76.5 and differences to it) and, on MPII
valid, PCKh@0.5 (mean).
"""

from dataclasses import dataclass
from pathlib import Path

CONFIGS = 'configs/body_2d_keypoint/topdown_heatmap'


@dataclass(frozen=True)
class Experiment:
    """One of the reference's training configs.

    Args:
        reference: The reference's name for it.
        config: Ours, below the project's root.
        published: The published number, '' where there is none.
    """

    reference: str
    config: str
    published: str = ''

    @property
    def command(self) -> str:
        """Trains and tests it, attacks included."""
        return f'python {HERE}/run.py {self.reference}'


HERE = 'projects/tilting_at_windmills'


def _coco(reference: str, stem: str, published: str = '') -> Experiment:
    batch = '8xb32' if 'hourglass' in stem else '8xb64'
    name = f'td-hm_{stem}{batch}-210e_coco-256x192.py'
    return Experiment(f'coco/{reference}', f'{CONFIGS}/coco/{name}', published)


def _mpii(reference: str, stem: str, published: str) -> Experiment:
    name = f'td-hm_{stem}8xb64-210e_mpii-256x256.py'
    return Experiment(
        f'mpii/hrnet/{reference}', f'{CONFIGS}/mpii/{name}', published
    )


EXPERIMENTS = (
    _coco('hrnet/blurring_05_parts_no_remove', 'hrnet-w32_part-blur-'),
    _coco('hrnet/cutout_05_keypoint', 'hrnet-w32_keypoint-mean-'),
    _coco('hrnet/cutout_05_parts', 'hrnet-w32_part-mean-remove-'),
    _coco(
        'hrnet/cutout_blurring_05_keypoint', 'hrnet-w32_keypoint-blur-mean-'
    ),
    _coco(
        'hrnet/cutout_blurring_05_parts_no_remove',
        'hrnet-w32_part-blur-mean-',
    ),
    _coco(
        'hrnet/multikeypoint_cutout_blurring_max5_02',
        'hrnet-w32_multi-keypoint-',
    ),
    _coco('hrnet/cutmix_05_no_remove', 'hrnet-w32_partmix-', 'AP +0.2'),
    _coco('resnet/res_50', 'res50_'),
    _coco('resnet/blurring_05_keypoints', 'res50_keypoint-blur-'),
    _coco('resnet/cutout_parts_05', 'res50_part-mean-'),
    _coco('resnet/cutmix_05', 'res50_partmix-'),
    _coco('hourglass/hourglass', 'hourglass-8stack_'),
    _coco(
        'hourglass/blurring_05_keypoints', 'hourglass-8stack_keypoint-blur-'
    ),
    _coco('hourglass/cutout_parts_05', 'hourglass-8stack_part-mean-'),
    _coco('hourglass/cutmix_05', 'hourglass-8stack_partmix-'),
    _mpii('w32_256x256', 'hrnet-w32_', 'PCKh 90.3'),
    _mpii('blurring_keypoints_05', 'hrnet-w32_keypoint-blur-', 'PCKh 90.3'),
    _mpii('cutout_05_parts_no_remove', 'hrnet-w32_part-mean-', 'PCKh 90.5'),
    _mpii('cutmix_05_noremove', 'hrnet-w32_partmix-', 'PCKh 90.5'),
)


def find(reference: str) -> Experiment:
    """The experiment of this name, the reference's.

    Raises:
        ValueError: There is none; the sentence lists all.
    """
    for experiment in EXPERIMENTS:
        if experiment.reference == reference:
            return experiment
    names = '\n  '.join(e.reference for e in EXPERIMENTS)
    raise ValueError(
        f'there is no experiment "{reference}"; they are:\n  {names}'
    )


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
