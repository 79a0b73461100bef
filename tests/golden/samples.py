"""Results dicts as MMPose's datasets and transforms make them.

Annotations pass through MMPose's dataset classes and ``TopdownAffine``; then
the crop and its labelled joints are replaced by the test's, so that every
coordinate is exact. Missing joints remain as MMPose warps them.
"""

import math
from copy import deepcopy
from functools import cache
from itertools import groupby
from operator import itemgetter

import mmpose.datasets  # noqa: F401 (fills the registries)
import numpy as np
from mmengine.dataset import Compose
from mmpose.datasets import CocoDataset, MpiiDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import replay
from tests.golden import naive_reference as reference

# A joint at ZOOM * p + SHIFT in the whole image is at p in the crop.
ZOOM, SHIFT = 2, 40
SHARED_KEYS = (
    'dataset_name',
    'upper_body_ids',
    'lower_body_ids',
    'flip_pairs',
    'dataset_keypoint_weights',
    'flip_indices',
    'skeleton_links',
)


@cache
def metainfo(layout):
    """MMPose's own metainfo of a data set, parsed."""
    return parse_pose_metainfo(
        dict(from_file=f'configs/_base_/datasets/{layout}.py')
    )


@cache
def dataset(layout):
    """A data set without files, as ``results['dataset']`` holds one."""
    if layout == 'mpii':
        return MpiiDataset(lazy_init=True)
    return CocoDataset(
        lazy_init=True,
        metainfo=dict(from_file=f'configs/_base_/datasets/{layout}.py'),
    )


def names(layout):
    """Joint names in the order of the data set."""
    id2name = metainfo(layout)['keypoint_id2name']
    return [id2name[i] for i in range(len(id2name))]


def photo(height, width, seed=0):
    """Random grey levels 1 to 254: no pixel is black."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 255, (height, width, 3), dtype=np.uint8)


def white(height, width):
    return np.full((height, width, 3), 255, np.uint8)


def coco_instance(layout, joints, bbox, img_id, ann_id, unlabelled=()):
    """One person as the COCO-style data sets of MMPose load it."""
    keypoints = []
    for name in names(layout):
        if name in joints:
            keypoints += [*joints[name], 2]
        elif name in unlabelled:
            keypoints += [*unlabelled[name], 0]
        else:
            keypoints += [0, 0, 0]
    x1, y1, x2, y2 = bbox
    ann = dict(
        id=ann_id,
        image_id=img_id,
        category_id=1,
        iscrowd=0,
        bbox=[x1, y1, x2 - x1, y2 - y1],
        area=(x2 - x1) * (y2 - y1),
        num_keypoints=len(joints),
        keypoints=keypoints,
    )
    img = dict(id=img_id, img_path=None, height=4096, width=4096)
    return dataset(layout).parse_data_info(
        dict(raw_ann_info=ann, raw_img_info=img)
    )


def mpii_instance(joints, bbox, img_id, ann_id):
    """One person as ``MpiiDataset`` loads it: missing joints are (-1, -1)."""
    bbox = np.array([bbox], np.float32)
    labelled = [name in joints for name in names('mpii')]
    xy = [joints.get(name, (-1, -1)) for name in names('mpii')]
    return dict(
        id=ann_id,
        img_id=img_id,
        img_path=None,
        bbox_center=(bbox[:, :2] + bbox[:, 2:]) / 2,
        bbox_scale=bbox[:, 2:] - bbox[:, :2],
        bbox=bbox,
        bbox_score=np.ones(1, np.float32),
        keypoints=np.array([xy], np.float32),
        keypoints_visible=np.array([labelled], int),
        area=np.array([1.0], np.float32),
        category_id=[1],
    )


def instance(layout, joints, bbox, img_id=1, ann_id=1, unlabelled=()):
    if layout == 'mpii':
        return mpii_instance(joints, bbox, img_id, ann_id)
    return coco_instance(layout, joints, bbox, img_id, ann_id, unlabelled)


def with_metainfo(results, layout):
    """What ``BaseCocoStyleDataset`` adds before the pipeline starts."""
    results.update(
        {key: deepcopy(metainfo(layout)[key]) for key in SHARED_KEYS}
    )
    results['dataset'] = dataset(layout)
    return results


@cache
def pipeline(*types, **kwargs):
    return Compose([TRANSFORMS.build(dict(type=t, **kwargs)) for t in types])


@cache
def affine(width, height):
    return TRANSFORMS.build(
        dict(type='TopdownAffine', input_size=(width, height))
    )


def crop(
    joints,
    image,
    layout='coco',
    flipped=False,
    img_id=1,
    ann_id=1,
    two_channels=False,
    unlabelled=(),
):
    """One person's results after ``TopdownAffine``.

    Args:
        joints (dict): Labelled joints, ``{name: (x, y)}`` in crop pixels.
        image (np.ndarray): The crop. Not copied.
        layout (str): Name of MMPose's metainfo file.
        flipped (bool): As if ``RandomFlip`` had flipped the image.
        two_channels (bool): Visibility in shape (1, K, 2), as codecs with
            own weights get it.
        unlabelled (dict): Joints to which the file of a COCO-style data set
            gives coordinates, ``{name: (x, y)}`` in the pixels of the whole
            image, but no label (v = 0).
    """
    height, width = image.shape[:2]
    original = {
        name: (ZOOM * x + SHIFT, ZOOM * y + SHIFT)
        for name, (x, y) in joints.items()
    }
    bbox = (SHIFT, SHIFT, ZOOM * width + SHIFT, ZOOM * height + SHIFT)
    results = instance(layout, original, bbox, img_id, ann_id, unlabelled)
    results = with_metainfo(results, layout)
    results['img'] = np.zeros((8, 8, 3), np.uint8)
    results = pipeline('LoadImage', 'GetBBoxCenterScale')(results)
    results.update(flip=flipped, flip_direction='horizontal' * flipped or None)
    results = affine(width, height)(results)
    results['img'] = image
    results['ori_shape'] = (4096, 4096)
    for index, name in enumerate(names(layout)):
        if name in joints:
            results['transformed_keypoints'][0, index] = joints[name]
    if two_channels:
        widen_visibility(results)
    return results


def crowd(people, image, layout='coco', img_id=1, warped=True):
    """Results with several people in one image.

    Args:
        people (list): One ``{name: (x, y)}`` each. The annotation id of the
            n-th is ``10 + n`` unless it is given by a key ``'id'``; its box is
            the image unless a key ``'bbox'`` gives it (xyxy).
        image (np.ndarray): The image.
        warped (bool): As after ``TopdownAffine`` (joints of the crop), or as
            before it (joints and boxes of the whole image).
    """
    height, width = image.shape[:2]
    infos = []
    for number, person in enumerate(people):
        person = dict(person)
        ann_id = person.pop('id', 10 + number)
        bbox = person.pop('bbox', (0, 0, width, height))
        infos.append(coco_instance(layout, person, bbox, img_id, ann_id))
    if infos:
        # the data set gathers the people of one image
        results = dataset(layout)._get_bottomup_data_infos(infos, [])[0]
    else:
        count = len(names(layout))
        results = dict(
            id=[],
            img_id=img_id,
            img_path=None,
            bbox=np.zeros((0, 4), np.float32),
            keypoints=np.zeros((0, count, 2), np.float32),
            keypoints_visible=np.zeros((0, count), np.float32),
        )
    results = with_metainfo(results, layout)
    results['img'] = image
    results = pipeline('LoadImage')(results)
    if warped:
        results['transformed_keypoints'] = results['keypoints'].copy()
        results['input_size'] = (width, height)
        results['input_center'] = np.array([width, height], np.float32) / 2
        results['input_scale'] = np.array([width, height], np.float32)
    return results


def detected(image, layout='coco', warped=True):
    """A person from a detector's box: joints all zero, all "visible"."""
    height, width = image.shape[:2]
    count = len(names(layout))
    results = dict(
        img_id=1,
        img_path=None,
        img_shape=(height, width),
        bbox=np.array([[10, 20, 10 + width, 20 + height]], np.float32),
        bbox_score=np.array([0.9], np.float32),
        keypoints=np.zeros((1, count, 2), np.float32),
        keypoints_visible=np.ones((1, count), np.float32),
        id=0,
    )
    results = with_metainfo(results, layout)
    results['img'] = image
    results = pipeline('LoadImage', 'GetBBoxCenterScale')(results)
    return affine(width, height)(results) if warped else results


def widen_visibility(results):
    """Visibility (N, K) to (N, K, 2): the flag and its weight."""
    seen = results['keypoints_visible']
    results['keypoints_visible'] = np.stack([seen, seen], axis=-1)


def weights(results, person=0, layout='coco'):
    """``{name: weight}`` of one person, whatever the visibility's shape."""
    seen = results['keypoints_visible'][person]
    if seen.ndim == 2:
        assert (seen[:, 0] == seen[:, 1]).all()
        seen = seen[:, 0]
    return dict(zip(names(layout), seen.tolist(), strict=True))


def labelled(results, person=0, layout='coco'):
    """Names of the joints with a weight above 0."""
    weight = weights(results, person, layout)
    return {name for name in weight if weight[name]}


def mask(results, clean):
    """(H, W) bool: pixels that differ from the clean image."""
    changed = results['img'] != clean
    return changed.any(-1) if changed.ndim == 3 else changed


def box_of(painted):
    """Tight ``(x1, y1, x2, y2)`` of a mask, ends exclusive; None if empty."""
    if not painted.any():
        return None
    rows, cols = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
    return cols[0], rows[0], cols[-1] + 1, rows[-1] + 1


RECORD_KEYS = {
    'transform',
    'call',
    'turn',
    'instance',
    'kind',
    'target',
    'fill',
    'region',
    'paint',
    'box',
    'pixels',
    'targets',
    'bystanders',
    'removed',
    'reason',
    'place',
    'excluded',
}


def replayed(clean, records):
    """Replay records on the clean image.

    All patches of one call and turn are rendered from the image before them
    and applied in the order of the records.
    """
    image = clean.copy()
    for _, turn in groupby(records, itemgetter('call', 'turn')):
        found = image.copy()
        for record in turn:
            patch = replay(found, record)
            if patch is not None:
                patch.apply(image)
    return image


def pixel_under(point, height, width):
    """(row, col) of the image's pixel that is nearest to a point."""
    x, y = point
    col, row = math.floor(x + 0.5), math.floor(y + 0.5)
    return min(max(row, 0), height - 1), min(max(col, 0), width - 1)


def covered(painted, joints):
    """Names of the joints, all inside, whose nearest pixel is painted."""
    return {
        name
        for name, point in joints.items()
        if painted[pixel_under(point, *painted.shape)]
    }


def random_person(rng, layout, height, width, missing=0.15):
    """Joints on whole, half and arbitrary pixels, some out, some missing."""
    joints = {}
    for name in names(layout):
        if rng.random() < missing:
            continue
        point = rng.uniform(-8, (width + 8, height + 8))
        point = np.round(point * rng.choice([1, 2])) / 2 * rng.choice([1, 2])
        if rng.random() < 0.5:
            point += rng.uniform(-0.5, 0.5, 2)
        joints[name] = tuple(np.float32(point).tolist())
    return joints


def naive_joints(joints, layout, flipped, removed=()):
    """Labelled joints as the naive reference takes them."""
    order = names(layout)
    return reference.reference_joints(
        order,
        [joints.get(name) for name in order],
        [name in joints for name in order],
        layout,
        flipped,
        removed,
    )
