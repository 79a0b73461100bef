"""The index of donors: what is in it, what it costs, who has a copy."""

import json
import time

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.datasets import CocoDataset

from mmpose_occlusion.datasets import DonorDataset
from mmpose_occlusion.datasets.donors import DonorIndex
from mmpose_occlusion.skeleton import Skeleton
from tests.golden.donors import data_list
from tests.golden.samples import metainfo, names, photo

SKELETON = Skeleton.from_metainfo(metainfo('coco'))


@pytest.fixture(autouse=True)
def _mmpose_scope():
    init_default_scope('mmpose')


def coco(tmp_path, people):
    """Config of a COCO data set: ``(image, joints, extra)`` for each person;
    ids count from 1."""
    annotations = []
    for number, (image, joints, extra) in enumerate(people, start=1):
        keypoints = np.zeros((17, 3))
        for name in joints:
            keypoints[names('coco').index(name)] = 20 + number, 30, 2
        annotations.append(
            dict(
                id=number, image_id=image, category_id=1, iscrowd=0,
                area=900, bbox=[2, 3, 30, 40], num_keypoints=len(joints),
                keypoints=keypoints.ravel().tolist(),
            ) | extra
        )  # fmt: skip
    content = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=64, height=64)
            for i in sorted({image for image, _, _ in people})
        ],
        categories=[dict(id=1, name='person')],
        annotations=annotations,
    )
    (tmp_path / 'people.json').write_text(json.dumps(content))
    return dict(
        type='CocoDataset',
        data_root=str(tmp_path),
        ann_file='people.json',
        data_prefix=dict(img=''),
        pipeline=[],
    )


# --- what is in it ----------------------------------------------------------


@pytest.mark.parametrize('layout', ['coco', 'mpii'])
def test_everybody_is_in_it(tmp_path, layout):
    joints = dict(left_wrist=(4.5, 6.25), right_hip=(7, 8))
    people = data_list(
        tmp_path,
        [(photo(20, 30), [joints, {}]), (photo(40, 50), [joints])],
        layout,
    )
    index = DonorIndex(people)
    assert len(index) == 3
    wrist = names(layout).index('left_wrist')
    for row, (path, height) in enumerate(
        [(f'{layout}_0.png', 20), (f'{layout}_0.png', 20),
         (f'{layout}_1.png', 40)]
    ):  # fmt: skip
        donor = index[row]
        assert donor.image_path == str(tmp_path / path)
        assert donor.annotation == 901 + row
        assert donor.height == height
        assert donor.labelled.sum() == (0 if row == 1 else 2)
        if row != 1:
            assert donor.xy[wrist].tolist() == [4.5, 6.25]
    assert index.rows_with([wrist]).tolist() == [0, 2]
    assert index.rows_with([wrist], first_only=True).tolist() == [0, 2]
    assert index.rows_with([]).tolist() == [0, 1, 2]
    assert index.rows_with([], first_only=True).tolist() == [0, 2]
    assert index.rows_with([0, 1, 2]).tolist() == []


def test_the_first_is_the_one_that_the_file_lists_first(tmp_path):
    """Also where the data set leaves that person out."""
    all_joints = names('coco')
    cfg = coco(tmp_path, [
        (7, [], {}),  # no joints: not in the data set
        (7, all_joints, {}),
        (8, ['nose'], {}),
        (8, all_joints, {}),
        (9, [], dict(iscrowd=1)),  # a crowd is no person
        (9, all_joints, {}),
    ])  # fmt: skip
    donors = DonorDataset(cfg).dataset.donors
    assert donors.annotation.tolist() == [2, 3, 4, 6]
    assert donors.rows_with([]).tolist() == [0, 1, 2, 3]
    first = donors.rows_with([], first_only=True)
    assert donors.annotation[first].tolist() == [3, 6]


def test_it_is_made_while_the_annotations_are_loaded(tmp_path, monkeypatch):
    """They are read once, and nothing stays of how that is done."""
    cfg = coco(tmp_path, [(7, ['nose'], {}), (7, ['left_eye'], {})])
    loads = []
    load = CocoDataset._load_annotations
    monkeypatch.setattr(
        CocoDataset, '_load_annotations',
        lambda self: loads.append(self) or load(self),
    )  # fmt: skip
    dataset = DonorDataset(cfg)
    dataset.full_init()
    assert len(loads) == 1
    assert len(dataset) == len(dataset.dataset.donors) == 2
    assert dataset[1]['dataset'].donors is dataset.dataset.donors
    assert dataset.get_data_info(1)['id'] == 2
    assert dataset.metainfo.keys() == dataset.dataset.metainfo.keys()
    assert not {'filter_data', '_get_topdown_data_infos'} & set(
        vars(dataset.dataset)
    )


def test_filtered_people_are_no_donors(tmp_path):
    cfg = coco(tmp_path, [(i, ['nose'], {}) for i in range(4)])

    class Even(CocoDataset):
        def filter_data(self):
            return [d for d in self.data_list if d['img_id'] % 2 == 0]

    donors = DonorDataset(dict(cfg, type=Even)).dataset.donors
    assert donors.annotation.tolist() == [1, 3]


def test_what_is_refused(tmp_path):
    cfg = coco(tmp_path, [(7, ['nose'], {})])
    with pytest.raises(ValueError, match=r'one annotated person.*has many'):
        DonorDataset(dict(cfg, data_mode='bottomup'))
    with pytest.raises(ValueError, match='without bbox_file'):
        DonorDataset(dict(cfg, bbox_file='boxes.json', test_mode=True))
    with pytest.raises(ValueError, match='got a RepeatDataset'):
        DonorDataset(dict(type='RepeatDataset', dataset=cfg, times=2))
    cfg = coco(tmp_path, [(7, [], {})])
    with pytest.raises(ValueError, match='this one has none'):
        DonorDataset(cfg)


# --- what it costs ----------------------------------------------------------

PEOPLE, PICTURES = 150_000, 64_000
"""The people with joints in COCO's training set, and their pictures."""


@pytest.fixture(scope='module')
def many():
    """What MMPose's loading leaves of so many people, in its data types."""
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 640, (PEOPLE, 1, 17, 2)).astype(np.float32)
    seen = (rng.random((PEOPLE, 1, 17)) < 0.7).astype(np.float32)
    boxes = rng.uniform(0, 640, (PEOPLE, 1, 4)).astype(np.float32)
    return [
        dict(
            id=1000 + i,
            img_path=f'data/coco/train2017/{i * PICTURES // PEOPLE:012d}.jpg',
            keypoints=xy[i],
            keypoints_visible=seen[i],
            bbox=boxes[i],
        )
        for i in range(PEOPLE)
    ]


def test_it_is_small_and_quick(many):
    """At most 2 s and 60 MB for COCO's training set. In seconds of this
    process, the better of two runs; it takes 0.3 to 0.9 on an idle core."""
    spent = []
    for _ in range(2):
        start = time.process_time()
        index = DonorIndex(many)
        index.rows_with(())
        spent.append(time.process_time() - start)
    assert len(index) == PEOPLE
    assert len(np.unique(index.image)) == PICTURES
    assert index.first.sum() == PICTURES
    assert memory_of(index) <= 60e6
    assert min(spent) <= 2
    # and drawing from it costs nothing like that
    start = time.process_time()
    for number in range(200):
        rows = index.rows_with(SKELETON.part_indices('left_arm'))
        assert index[rows[number]].labelled[5]
    assert time.process_time() - start < 0.2


def memory_of(index):
    """Bytes of the index, which is made of arrays alone."""
    total = 0
    for name, value in vars(index).items():
        if name == '_rows':
            value = np.concatenate(list(value.values()))
        assert isinstance(value, np.ndarray)
        assert value.dtype != object
        total += value.nbytes
    return total
