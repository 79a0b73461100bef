"""The files of a set, read by those who will read them."""

import pytest
from mmpose.datasets import CocoDataset, MpiiDataset


@pytest.mark.parametrize('split', ['train', 'val'])
def test_coco_dataset_reads_it(synthetic_people, split):
    dataset = CocoDataset(
        data_root=str(synthetic_people),
        ann_file=f'annotations/person_keypoints_{split}.json',
        data_prefix=dict(img=f'{split}/'),
    )
    assert len(dataset) >= {'train': 16, 'val': 8}[split]
    assert dataset[0]['keypoints'].shape == (1, 17, 2)


def test_mpii_dataset_reads_it(synthetic_people):
    dataset = MpiiDataset(
        data_root=str(synthetic_people),
        ann_file='annotations/mpii_val.json',
        headbox_file=str(synthetic_people / 'annotations/mpii_gt_val.mat'),
        data_prefix=dict(img='val/'),
        test_mode=True,
    )
    assert len(dataset) >= 8
    assert dataset[0]['keypoints'].shape == (1, 16, 2)
    assert dataset[0]['head_size'] > 3
