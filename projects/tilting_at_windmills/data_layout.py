"""The reference's layout of COCO and MPII, linked to MMPose's names.

MMPose's configs read ``coco/train2017`` and
``mpii/annotations/mpii_train.json``; the reference, as HRNet's original code,
keeps ``coco/images/train2017`` and ``mpii/annot/train.json``. Symbolic links
under MMPose's names serve every tool, MMPose's own included.
"""

import os
from pathlib import Path

from mmpose_occlusion.errors import UsageError

NAMES: dict[str, tuple[str, ...]] = {
    'coco/annotations': (),
    'coco/person_detection_results': (),
    **{
        f'coco/{split}2017': (f'coco/images/{split}2017',)
        for split in ('train', 'val', 'test')
    },
    'mpii/images': (),
    **{
        f'mpii/annotations/mpii_{ours}.json': (f'mpii/annot/{theirs}.json',)
        for ours, theirs in dict(
            train='train', val='valid', trainval='trainval', test='test'
        ).items()
    },
    'mpii/annotations/mpii_gt_val.mat': (
        'mpii/annot/gt_valid.mat',
        'mpii/gt_valid.mat',
    ),
}
"""MMPose's name below the data folder -> the reference's."""


def find(folder: str | Path, name: str) -> Path | None:
    """A path below the data folder, under MMPose's name or the reference's."""
    paths = (Path(folder) / each for each in (name, *NAMES.get(name, ())))
    return next((path for path in paths if path.exists()), None)


def link(folder: str | Path, into: str | Path) -> dict[Path, Path]:
    """Link what lies in a data folder to MMPose's names.

    Args:
        folder: The data folder, in either layout.
        into: The folder of the links; may be the same.

    Returns:
        Link -> what it leads to. Names that exist already are left alone.

    Raises:
        UsageError: There is no such folder, or a link cannot be made.
    """
    if not Path(folder).is_dir():
        raise UsageError(
            f'"{folder}" is not a folder: name the one that holds coco/ and '
            'mpii/'
        )
    made = {}
    for name in NAMES:
        target, source = Path(into) / name, find(folder, name)
        if source is None or source == target or target.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            start = target.parent.resolve()
            real = source.parent.resolve() / source.name
            target.symlink_to(os.path.relpath(real, start))
        except OSError as error:
            raise UsageError(
                f'"{target}" cannot be linked to "{source}" '
                f'({error.strerror}): choose another folder for the links'
            ) from error
        made[target] = source
    return made
