"""Two ways of laying out COCO and MPII on disk, and finding files in either.

MMPose keeps ``data/coco/train2017/`` and
``data/mpii/annotations/mpii_train.json``; the layout of HRNet's original
code, which the reference code shares, is ``data/coco/images/train2017/`` and
``data/mpii/annot/train.json``. Images may also stay in the zip archive they
came in. Files need not be moved: what a config names in one way is found
where it lies in the other.
"""

import os

from .zip_backend import SCHEME, split_path

EQUIVALENT = (
    *(
        (split, f'images/{split}', f'images/{split}.zip', f'{split}.zip')
        for split in ('train2017', 'val2017', 'test2017')
    ),
    ('images', 'images.zip'),
    ('annotations/mpii_train.json', 'annot/train.json'),
    ('annotations/mpii_val.json', 'annot/valid.json'),
    ('annotations/mpii_trainval.json', 'annot/trainval.json'),
    ('annotations/mpii_test.json', 'annot/test.json'),
    ('annotations/mpii_gt_val.mat', 'annot/gt_valid.mat', 'gt_valid.mat'),
)
"""Ends of paths that mean the same, each group with MMPose's own first."""


def candidates(path: str) -> list[str]:
    """Where a file or folder may lie: the path itself, then the others.

    >>> candidates('data/mpii/annot/valid.json')
    ['data/mpii/annot/valid.json', 'data/mpii/annotations/mpii_val.json']
    """
    path = os.path.normpath(path.removesuffix('/').removesuffix('@'))
    ends = [
        (end, group)
        for group in EQUIVALENT
        for end in group
        if path == end or path.endswith(f'/{end}')
    ]
    if not ends:
        return [path]
    end, group = max(ends, key=lambda each: len(each[0]))
    start = path[: len(path) - len(end)]
    return [path, *(start + other for other in group if other != end)]


def locate(path: str) -> str | None:
    """The first of a path's :func:`candidates` that exists, or None."""
    if path.startswith(SCHEME):
        # the user has said exactly where
        return path if os.path.isfile(split_path(path)[0]) else None
    return next(filter(os.path.exists, candidates(path)), None)


def image_prefix(path: str) -> str:
    """How a data set's config names a folder or an archive of images.

    Args:
        path: The folder or the zip archive; see :func:`locate`.

    Returns:
        The path itself, with the scheme that MMEngine chooses its file
        backend by where it is an archive.
    """
    is_archive = path.lower().endswith('.zip') and os.path.isfile(path)
    return f'{SCHEME}{path}' if is_archive else path
