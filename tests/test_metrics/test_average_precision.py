"""AP and AR against COCOeval on random sets, to the last digit."""

import contextlib
import copy
import io

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
import pytest
import xtcocotools.coco
import xtcocotools.cocoeval
from hypothesis import given, settings
from hypothesis import strategies as st

from mmpose_occlusion.metrics.annotations import make_person
from tests.test_metrics.coco_cases import by_reference, compared, precision

COCOEVALS = dict(pycocotools=pycocotools, xtcocotools=xtcocotools)


def random_set(seed, joints=3, images=8, categories=2):
    """People and poses of all qualities, with equal scores, copies, crowds,
    people without a label, images without people or poses."""
    rng = np.random.default_rng(seed)
    sigmas = rng.uniform(0.02, 0.1, joints)
    people, found = [], []
    for image in range(1, images + 1):
        for _ in range(rng.integers(0, 4)):
            corner, size = rng.uniform(0, 200, 2), rng.uniform(10, 150, 2)
            points = corner + rng.random((joints, 2)) * size
            seen = rng.integers(0, 3, joints) * (rng.random() < 0.85)
            entry = dict(
                id=len(people) + 1,
                image_id=image,
                category_id=int(rng.integers(1, categories + 1)),
                bbox=[*corner.tolist(), *size.tolist()],
                iscrowd=int(rng.random() < 0.12),
                keypoints=np.column_stack([points, seen]).ravel().tolist(),
            )
            entry['area'] = float(np.prod(size) * rng.uniform(0.2, 1))
            people.append(make_person(entry, joints))
            if rng.random() < 0.2:  # two annotations of one person
                people.append(dict(people[-1], id=len(people) + 1))
            for _ in range(
                rng.choice([0, 1, 2, 22], p=[0.2, 0.5, 0.28, 0.02])
            ):
                noise = rng.choice([0, 2, 6, 40]) * rng.random((joints, 2))
                found.append(
                    dict(
                        image_id=image,
                        category_id=entry['category_id'],
                        keypoints=np.column_stack(
                            [points + noise, np.ones(joints)]
                        )
                        .ravel()
                        .tolist(),
                        score=float(rng.integers(1, 7) / 7),
                    )
                )
    order = rng.permutation(len(found))
    return people, [found[i] for i in order], sigmas


def by_cocoeval(package, people, found, sigmas):
    """AP and AR as COCOeval summarises them."""
    coco = package.coco.COCO()
    coco.dataset = dict(
        images=[
            dict(id=i)
            for i in sorted({p['image_id'] for p in [*people, *found]})
        ],
        categories=[
            dict(id=c) for c in sorted({p['category_id'] for p in people})
        ],
        annotations=[
            dict(
                p,
                num_keypoints=int(np.sum(np.array(p['keypoints'][2::3]) > 0)),
            )
            for p in copy.deepcopy(people)
        ],
    )
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        results = coco.loadRes(copy.deepcopy(found))
        if package is pycocotools:
            run = package.cocoeval.COCOeval(coco, results, 'keypoints')
            run.params.kpt_oks_sigmas = sigmas
        else:
            run = package.cocoeval.COCOeval(coco, results, 'keypoints', sigmas)
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ['all']
        run.evaluate()
        run.accumulate()
    values = [run.eval[name] for name in ('precision', 'recall')]
    known = [v[v > -1] for v in values]
    return tuple(float(np.mean(v)) if v.size else None for v in known)


@pytest.mark.parametrize('package', COCOEVALS)
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_cocoeval_on_random_sets(package, seed):
    people, found, sigmas = random_set(seed)
    if not people or not found:
        return
    ours = precision(people, found, sigmas)
    assert ours == by_cocoeval(COCOEVALS[package], people, found, sigmas)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_one_joint_is_cocoeval_of_people_with_one_joint(seed):
    people, found, sigmas = random_set(seed)
    if not people or not found:
        return
    alone = [
        [dict(e, keypoints=e['keypoints'][3:6]) for e in entries]
        for entries in (people, found)
    ]
    ours = precision(people, found, sigmas, joint=1)
    assert ours == by_cocoeval(xtcocotools, *alone, sigmas[[1]])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_poses_that_are_dropped(seed):
    people, found, sigmas = random_set(seed)
    if not people or not found:
        return
    keep = np.random.default_rng(seed).random(len(found)) < 0.7
    keep[0] = True
    ours = precision(people, found, sigmas, keep=keep)
    poses = [f for f, k in zip(found, keep, strict=True) if k]
    assert ours == by_cocoeval(xtcocotools, people, poses, sigmas)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_an_image_of_weight_two_is_two_images(seed):
    people, found, sigmas = random_set(seed, images=5)
    if not people or not found:
        return
    for i, entry in enumerate(found):
        entry['score'] += i * 1e-6
    poses_of, ranked = compared(people, found, sigmas)
    everyone = poses_of.people
    images = everyone.images
    weights = np.random.default_rng(seed).multinomial(
        len(images), np.full(len(images), 1 / len(images)), size=4
    )
    drawn = zip(
        *poses_of.precision(*ranked, everyone.labelled, weights), strict=True
    )
    for weight, (ap, ar) in zip(weights, drawn, strict=True):
        copies = np.repeat(images, weight).tolist()
        shown, poses = (
            [
                dict(entry, image_id=100 + i)
                for i, image in enumerate(copies)
                for entry in entries
                if entry['image_id'] == image
            ]
            for entries in (people, found)
        )
        shown = [dict(p, id=i + 1) for i, p in enumerate(shown)]
        if not poses or not shown:
            continue
        expected = by_cocoeval(xtcocotools, shown, poses, sigmas)
        if expected == (None, None):
            assert np.isnan([ap, ar]).all()
        else:
            assert (ap, ar) == pytest.approx(expected, abs=1e-12)


def test_the_reference_code_is_cocoeval_with_zeroed_joints():
    """It zeroes the other joints after COCOeval has chosen who is ignored."""

    class Zeroed(xtcocotools.cocoeval.COCOeval):
        def _prepare(self):
            super()._prepare()
            for entries in (self._gts, self._dts):
                for group in entries.values():
                    for entry in group:
                        kept = entry['keypoints'][3:6]
                        rest = [0.0] * (len(entry['keypoints']) - 6)
                        entry['keypoints'] = [0.0] * 3 + kept + rest

    class Package:
        coco = xtcocotools.coco

        class cocoeval:  # noqa: N801
            COCOeval = Zeroed

    for seed in range(25):
        people, found, sigmas = random_set(seed)
        ours = by_reference(people, found, sigmas, 1)
        assert ours == by_cocoeval(Package, people, found, sigmas)
