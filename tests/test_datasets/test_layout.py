"""Paths that mean the same are known, and found."""

import zipfile

import pytest

from mmpose_occlusion.datasets.layout import (
    EQUIVALENT,
    candidates,
    image_prefix,
    locate,
)


@pytest.mark.parametrize(
    ('path', 'others'),
    [
        (
            'data/coco/train2017/',
            ['images/train2017', 'images/train2017.zip', 'train2017.zip'],
        ),
        (
            'data/coco/images/val2017',
            ['val2017', 'images/val2017.zip', 'val2017.zip'],
        ),
        (
            'data/coco/images/val2017.zip@/',
            ['val2017', 'images/val2017', 'val2017.zip'],
        ),
    ],
)
def test_coco_images(path, others):
    own, *rest = candidates(path)
    assert own == path.rstrip('/@')
    assert rest == [f'data/coco/{other}' for other in others]


def test_mpii():
    assert candidates('data/mpii/annotations/mpii_gt_val.mat') == [
        'data/mpii/annotations/mpii_gt_val.mat',
        'data/mpii/annot/gt_valid.mat',
        'data/mpii/gt_valid.mat',
    ]
    assert candidates('/d/mpii/images/') == [
        '/d/mpii/images',
        '/d/mpii/images.zip',
    ]


@pytest.mark.parametrize(
    'path',
    ['data/aic/train.json', 'data/mytrain2017', 'data/xannot/train.json'],
)
def test_paths_without_another_form(path):
    assert candidates(path) == [path]


def test_groups_do_not_overlap():
    ends = [end for group in EQUIVALENT for end in group]
    assert len(ends) == len(set(ends))


def test_own_path_comes_first(tmp_path):
    (tmp_path / 'images' / 'val2017').mkdir(parents=True)
    asked = f'{tmp_path}/val2017/'
    assert locate(asked) == f'{tmp_path}/images/val2017'
    (tmp_path / 'val2017').mkdir()
    assert locate(asked) == f'{tmp_path}/val2017'
    assert locate(f'{tmp_path}/train2017') is None


def test_archives(tmp_path):
    archive = tmp_path / 'val2017.zip'
    assert locate(f'zip://{archive}') is None
    zipfile.ZipFile(archive, 'w').close()
    assert locate(f'{tmp_path}/val2017') == str(archive)
    assert locate(f'zip://{archive}') == f'zip://{archive}'
    assert image_prefix(str(archive)) == f'zip://{archive}'
    assert image_prefix(str(tmp_path)) == str(tmp_path)
