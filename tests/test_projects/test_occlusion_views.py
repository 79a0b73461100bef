"""Views of one crop: what is shared between them, and what is not."""

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.datasets.transforms import LoadImage, TopdownAffine
from mmpose.registry import DATASETS

from mmpose_occlusion.transforms import (
    KeypointOcclusion,
    PartOcclusion,
)
from projects.tilting_at_windmills.contrastive_views import (
    OcclusionViewsDataset,
)

CODEC = dict(
    type='MSRAHeatmap', input_size=(96, 128), heatmap_size=(24, 32), sigma=2
)
CROP = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=CODEC['input_size']),
]
TARGETS = [
    dict(type='GenerateTarget', encoder=CODEC),
    dict(type='PackPoseInputs'),
]
ARM = dict(
    type='PartOcclusion',
    target='right_arm',
    fill='black',
    remove_keypoints=True,
)
VIEWS = dict(
    keypoint_view=[dict(type='KeypointOcclusion', target='nose', fill='mean')],
    part_view=[ARM],
)


@pytest.fixture(autouse=True)
def _mmpose_scope():
    init_default_scope('mmpose')


def people(root, pipeline=(*CROP, *TARGETS)):
    """Config of the synthetic people to train on."""
    return dict(
        type='CocoDataset',
        data_root=str(root),
        data_mode='topdown',
        ann_file='annotations/person_keypoints_train.json',
        data_prefix=dict(img='train/'),
        pipeline=list(pipeline),
    )


def of_view(item, name):
    """Input and sample of a view."""
    for inputs, sample in zip(*item.values(), strict=True):
        if sample.metainfo['view'] == name:
            return inputs, sample
    raise AssertionError(f'no view {name}')


def targets(sample):
    return (
        sample.gt_fields.heatmaps,
        sample.gt_instance_labels.keypoint_weights,
    )


def test_each_view_is_the_crop_after_its_own_transforms(synthetic_people):
    views = OcclusionViewsDataset(people(synthetic_people), VIEWS)
    plain = DATASETS.build(people(synthetic_people))
    crops = DATASETS.build(people(synthetic_people, CROP))
    nose = KeypointOcclusion(target='nose', fill='mean')
    arm = PartOcclusion(
        target='right_arm', fill='black', remove_keypoints=True
    )
    assert len(views) == len(plain) > 12
    names = views.metainfo['keypoint_id2name']
    assert names == plain.metainfo['keypoint_id2name']
    assert views.get_data_info(3)['id'] == plain.get_data_info(3)['id']
    changed = 0
    for index in range(12):
        item = views[index]
        names = [sample.metainfo['view'] for sample in item['data_samples']]
        assert names == ['plain', 'keypoint_view', 'part_view']
        inputs, sample = of_view(item, 'plain')
        expected = plain[index]
        assert torch.equal(inputs, expected['inputs'])
        for ours, theirs in zip(
            targets(sample), targets(expected['data_samples']), strict=True
        ):
            assert torch.equal(ours, theirs)
        assert 'occlusions' not in sample.metainfo
        for name, occlude in (('keypoint_view', nose), ('part_view', arm)):
            inputs, sample = of_view(item, name)
            results = occlude(crops[index])
            picture = torch.from_numpy(results['img']).permute(2, 0, 1)
            assert torch.equal(inputs, picture)
            records = sample.metainfo['occlusions']
            assert records == results['occlusions']
            changed += any(record['pixels'] for record in records)
    assert changed > 10


def test_targets_are_made_from_each_views_own_labels(synthetic_people):
    dataset = OcclusionViewsDataset(people(synthetic_people), VIEWS)
    names = dataset.metainfo['keypoint_id2name']
    removed_at_all = 0
    for index in range(12):
        item = dataset[index]
        _, plain = of_view(item, 'plain')
        _, keypoint = of_view(item, 'keypoint_view')
        _, part = of_view(item, 'part_view')
        before, after = targets(plain)[1], targets(part)[1]
        assert torch.equal(before, targets(keypoint)[1])
        gone = {
            names[k]
            for k in torch.nonzero((before > 0) & (after == 0))[:, 1].tolist()
        }
        (record,) = part.metainfo['occlusions']
        listed = {
            joint
            for _, joint in record['removed']
            if before[0, {v: k for k, v in names.items()}[joint]] > 0
        }
        assert gone == listed
        removed_at_all += len(gone)
    assert removed_at_all > 10


def test_one_decode_and_one_warp_serve_all_views(
    synthetic_people, monkeypatch
):
    counts = {}
    for cls in (LoadImage, TopdownAffine):
        original = cls.transform

        def counted(self, results, name=cls.__name__, original=original):
            counts[name] = counts.get(name, 0) + 1
            return original(self, results)

        monkeypatch.setattr(cls, 'transform', counted)
    dataset = OcclusionViewsDataset(people(synthetic_people))
    assert [len(dataset[i]['inputs']) for i in range(5)] == [3] * 5
    assert counts == dict(LoadImage=5, TopdownAffine=5)


def test_random_steps_before_the_targets_are_shared(synthetic_people):
    """A view that hides nothing is the plain view, colours and flip too."""
    pipeline = [
        *CROP[:2],
        dict(type='RandomFlip', direction='horizontal'),
        dict(type='RandomBBoxTransform'),
        CROP[2],
        dict(type='PhotometricDistortion'),
        *TARGETS,
    ]
    dataset = OcclusionViewsDataset(
        people(synthetic_people, pipeline),
        dict(same=[dict(type='PartOcclusion', prob=0.0)]),
    )
    for index in range(8):
        (plain, same), (first, second) = dataset[index].values()
        assert torch.equal(plain, same)
        assert plain.shape == (3, 128, 96)
        for ours, theirs in zip(targets(first), targets(second), strict=True):
            assert torch.equal(ours, theirs)


class Vandal(BaseTransform):
    """Overwrites every array that it is given."""

    def transform(self, results):
        for value in results.values():
            if isinstance(value, np.ndarray):
                value[...] = 0
        return results


def test_views_do_not_disturb_each_other(synthetic_people):
    rude = dict(
        painted=[dict(type='PartOcclusion', target='corpus', fill='black')],
        wiped=[dict(type=Vandal)],
        hidden=VIEWS['keypoint_view'],
    )
    alone = dict(hidden=VIEWS['keypoint_view'])
    first = OcclusionViewsDataset(people(synthetic_people), rude)[0]
    second = OcclusionViewsDataset(people(synthetic_people), alone)[0]
    assert not of_view(first, 'wiped')[0].any()
    for name in ('plain', 'hidden'):
        assert torch.equal(of_view(first, name)[0], of_view(second, name)[0])


def test_a_view_can_take_parts_of_other_people(synthetic_people):
    donors = dict(type='DonorDataset', dataset=people(synthetic_people))
    dataset = OcclusionViewsDataset(
        donors, dict(part_view=[dict(type='PartMix', prob=1.0, seed=4)])
    )
    used = [
        record['paint']
        for index in range(len(dataset))
        for record in of_view(dataset[index], 'part_view')[1].metainfo[
            'occlusions'
        ]
        if record['pixels']
    ]
    assert len(used) > 5
    assert {paint['kind'] for paint in used} == {'donor'}


@pytest.mark.parametrize('num_workers', [0, 2])
@pytest.mark.parametrize('collate', ['pseudo_collate', 'default_collate'])
def test_data_loader_gives_a_batch_for_each_view(
    synthetic_people, num_workers, collate
):
    loader = Runner.build_dataloader(
        dict(
            batch_size=4,
            num_workers=num_workers,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type=collate),
            dataset=dict(
                type='OcclusionViewsDataset',
                dataset=people(synthetic_people),
            ),
        )
    )
    batch = next(iter(loader))
    assert len(batch['inputs']) == len(batch['data_samples']) == 3
    ids = []
    for inputs, samples in zip(*batch.values(), strict=True):
        assert [tuple(i.shape) for i in inputs] == [(3, 128, 96)] * 4
        ids.append([sample.metainfo['id'] for sample in samples])
        assert len({sample.metainfo['view'] for sample in samples}) == 1
    assert ids[0] == ids[1] == ids[2]


@pytest.mark.parametrize('wrapped', [False, True])
def test_a_pipeline_without_targets_is_refused(tmp_path, wrapped):
    config = people(tmp_path, [*CROP, TARGETS[1]])
    if wrapped:
        config = dict(type='DonorDataset', dataset=config)
    with pytest.raises(ValueError, match='CocoDataset has no GenerateTarget'):
        OcclusionViewsDataset(config)


def test_the_config_that_came_is_left_as_it_was(synthetic_people):
    config = people(synthetic_people)
    OcclusionViewsDataset(config)
    assert config == people(synthetic_people)
