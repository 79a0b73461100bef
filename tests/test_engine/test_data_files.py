"""Configs of either layout read the data of either layout."""

import zipfile
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from mmpose_occlusion.datasets import zip_backend
from mmpose_occlusion.engine.attack import use_gt_boxes
from mmpose_occlusion.engine.checks import check_data_files
from mmpose_occlusion.engine.config import load_config
from mmpose_occlusion.engine.data_files import (
    data_files,
    find_data,
    use_data_on_disk,
)
from mmpose_occlusion.errors import UsageError

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap'
COCO = f'{TOPDOWN}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
MPII = f'{TOPDOWN}/mpii/td-hm_res50_8xb64-210e_mpii-256x256.py'
IN_COCO = 'data/coco/annotations/person_keypoints_'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes empty files, folders and archives in a fresh folder."""
    monkeypatch.chdir(tmp_path)

    def make(*paths: str) -> None:
        for path in map(Path, paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == '.zip':
                zipfile.ZipFile(path, 'w').close()
            elif path.suffix:
                path.touch()
            else:
                path.mkdir()

    yield make
    zip_backend.close_archives()


@pytest.fixture
def own_layout(place) -> None:
    place(
        f'{IN_COCO}train2017.json',
        f'{IN_COCO}val2017.json',
        'data/coco/train2017',
        'data/coco/val2017',
        'data/mpii/annotations/mpii_train.json',
        'data/mpii/annotations/mpii_val.json',
        'data/mpii/annotations/mpii_gt_val.mat',
        'data/mpii/images',
    )


@pytest.fixture
def reference_layout(place) -> None:
    place(
        f'{IN_COCO}train2017.json',
        f'{IN_COCO}val2017.json',
        'data/coco/images/train2017',
        'data/coco/images/val2017',
        'data/mpii/annot/train.json',
        'data/mpii/annot/valid.json',
        'data/mpii/annot/gt_valid.mat',
        'data/mpii/images',
    )


def opened(cfg: Config) -> dict[str, str]:
    """Dotted key -> what a run would open."""
    return {
        file.key: file.path
        for split in ('train', 'val', 'test')
        for file in data_files(cfg, split)
    }


def test_what_a_config_reads():
    boxes = 'COCO_val2017_detections_AP_H_56_person.json'
    files = opened(get_config(COCO))
    assert {
        'train_dataloader.dataset.ann_file': f'{IN_COCO}train2017.json',
        'train_dataloader.dataset.data_prefix.img': 'data/coco/train2017/',
        'test_dataloader.dataset.bbox_file': (
            f'data/coco/person_detection_results/{boxes}'
        ),
        'test_evaluator.ann_file': f'{IN_COCO}val2017.json',
    }.items() <= files.items()
    assert len(files) == 2 + 2 * 4


@pytest.mark.usefixtures('own_layout')
@pytest.mark.parametrize('name', [COCO, MPII])
def test_nothing_changes_where_the_config_is_right(name):
    assert find_data(get_config(name)) == ({}, {})


@pytest.mark.usefixtures('place')
def test_nothing_changes_where_nothing_is():
    assert find_data(get_config(MPII)) == ({}, {})


@pytest.mark.usefixtures('reference_layout')
def test_reference_layout():
    changes, moved = find_data(get_config(COCO))
    assert changes == {
        'train_dataloader.dataset.data_prefix.img': 'images/train2017',
        'val_dataloader.dataset.data_prefix.img': 'images/val2017',
        'test_dataloader.dataset.data_prefix.img': 'images/val2017',
    }
    assert moved['data/coco/val2017/'] == 'data/coco/images/val2017'
    changes, _ = find_data(get_config(MPII), ['val'])
    assert changes == {
        'val_dataloader.dataset.ann_file': 'annot/valid.json',
        'val_dataloader.dataset.headbox_file': 'data/mpii/annot/gt_valid.mat',
    }


@pytest.mark.usefixtures('own_layout')
def test_config_of_the_reference_layout():
    cfg = Config(
        dict(
            val_dataloader=dict(
                dataset=dict(
                    type='RepeatDataset',
                    dataset=dict(
                        data_root='data/mpii/annot',
                        ann_file='valid.json',
                        data_prefix=dict(img='../images'),
                        headbox_file='data/mpii/gt_valid.mat',
                    ),
                )
            )
        )
    )
    use_data_on_disk(cfg)
    dataset = cfg.val_dataloader.dataset.dataset
    assert dataset.data_root is None
    assert dataset.ann_file == 'data/mpii/annotations/mpii_val.json'
    assert dataset.headbox_file == 'data/mpii/annotations/mpii_gt_val.mat'
    assert dataset.data_prefix.img == 'data/mpii/images'
    assert all(Path(path).exists() for path in opened(cfg).values())


@pytest.mark.parametrize(
    ('archive', 'prefix'),
    [
        ('data/coco/images/val2017.zip', 'val2017/'),
        ('data/coco/val2017.zip', 'images/val2017'),
        ('data/coco/images/val2017.zip', 'images/val2017.zip'),
        ('data/coco/images/val2017.zip', 'images/val2017.zip@'),
        (
            'data/coco/images/val2017.zip',
            'zip://data/coco/images/val2017.zip',
        ),
    ],
)
def test_images_in_an_archive(place, archive, prefix):
    place(archive, f'{IN_COCO}val2017.json')
    cfg = get_config(COCO)
    cfg.merge_from_dict({'val_dataloader.dataset.data_prefix.img': prefix})
    changes, moved = find_data(cfg, ['val'])
    if not prefix.startswith('zip://'):
        assert moved[f'data/coco/{prefix}'] == f'zip://{archive}'
        assert len(moved) == 1
    cfg.merge_from_dict(changes)
    dataset = cfg.val_dataloader.dataset
    assert dataset.data_root is None
    assert dataset.data_prefix.img == f'zip://{archive}'
    assert dataset.ann_file == f'{IN_COCO}val2017.json'
    assert find_data(cfg, ['val'])[1] == {}


def test_combined_data_sets_and_metrics(place):
    place('d/annot/valid.json', 'd/annotations/person_keypoints_val2017.json')
    sets = [
        dict(data_root='d', ann_file='annotations/mpii_val.json'),
        dict(ann_file='s3://bucket/annotations/mpii_val.json'),
        dict(ann_file='', data_root='d'),
    ]
    metric = dict(type='CocoMetric', ann_file='d/annotations/mpii_val.json')
    cfg = Config(
        dict(
            test_dataloader=dict(dataset=dict(datasets=sets)),
            test_evaluator=dict(
                type='MultiDatasetEvaluator', metrics=[metric]
            ),
        )
    )
    use_data_on_disk(cfg, ['test'])
    found = cfg.test_dataloader.dataset.datasets
    assert found[0].ann_file == 'annot/valid.json'
    assert found[1].ann_file == 's3://bucket/annotations/mpii_val.json'
    assert cfg.test_evaluator.metrics[0].ann_file == 'd/annot/valid.json'


@pytest.mark.usefixtures('reference_layout')
def test_it_is_said_in_one_line(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmpose_occlusion.engine.data_files.print_log',
        lambda text, logger: said.append(text),
    )
    cfg = get_config(MPII)
    use_data_on_disk(cfg, ['train'])
    assert said == [
        'Data found on disk: "data/mpii/annotations/mpii_train.json" is '
        '"data/mpii/annot/train.json".'
    ]
    use_data_on_disk(cfg, ['train'])
    assert len(said) == 1


def test_data_set_without_a_root(place):
    place('d/images/val2017.zip', 'd/annot/valid.json')
    dataset = dict(
        ann_file='d/annotations/mpii_val.json',
        data_prefix=dict(img='d/val2017'),
    )
    changes, _ = find_data(dict(test_dataloader=dict(dataset=dataset)))
    assert changes == {
        'test_dataloader.dataset.ann_file': 'd/annot/valid.json',
        'test_dataloader.dataset.data_prefix.img': 'zip://d/images/val2017.zip',
    }


def test_tools_find_data_and_open_archives(place):
    place('data/coco/val2017.zip', f'{IN_COCO}val2017.json')
    cfg = load_config(COCO)
    assert cfg.test_dataloader.dataset.data_root is None
    use_gt_boxes(cfg)
    check_data_files(cfg, 'test')
    archive = Path('data/coco/val2017.zip')
    assert list(zip_backend._archives) == [str(archive.absolute())]
    assert load_config(COCO, find_data=False).test_dataloader.dataset.data_root


@pytest.mark.parametrize('damaged', [True, False])
def test_archive_that_cannot_be_read_is_refused_early(place, damaged):
    place('data/coco/val2017.zip', f'{IN_COCO}val2017.json')
    cfg = load_config(COCO)
    archive = Path('data/coco/val2017.zip')
    if damaged:
        archive.write_bytes(b'PK\3\4 half of it')
    else:
        archive.unlink()
    expected = 'is not a complete zip' if damaged else 'does not exist'
    with pytest.raises(
        UsageError, match=rf'val_dataloader\.dataset\.data_prefix.* {expected}'
    ):
        check_data_files(cfg, 'val')
