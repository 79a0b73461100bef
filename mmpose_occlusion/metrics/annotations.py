"""Annotated people in COCO's format, and as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

AREA_RATIO = 0.53
"""Area of a person over that of the bbox, where none is annotated (MMPose)."""

WHOLE_BODY = ('foot_kpts', 'face_kpts', 'lefthand_kpts', 'righthand_kpts')
"""Where COCO-WholeBody keeps the joints after its first 17."""

ANY_AREA = (0.0, 1e10)


def make_person(
    ann: Mapping[str, Any], num_joints: int, use_area: bool = True
) -> dict:
    """An annotation of COCO's with all entries that the evaluation needs.

    Args:
        ann: Annotation of a person. Where it has no ``area``, this is
            :data:`AREA_RATIO` of its bbox, as in MMPose.
        num_joints: K.
        use_area: False always takes the area from the bbox.

    Raises:
        ValueError: The annotation does not have K joints.
    """
    joints = list(ann['keypoints'])
    if len(joints) < 3 * num_joints:
        for key in WHOLE_BODY:
            joints += ann.get(key, [])
    if len(joints) != 3 * num_joints:
        raise ValueError(
            f'annotation {ann["id"]} of image {ann["image_id"]} has '
            f'{len(joints) / 3:g} joints, but the data set has {num_joints}; '
            'give the annotation file of this data set (ann_file)'
        )
    area = ann.get('area') if use_area else None
    if area is None:
        area = ann['bbox'][2] * ann['bbox'][3] * AREA_RATIO
    return dict(
        id=ann['id'],
        image_id=ann['image_id'],
        category_id=int(ann.get('category_id', 1)),
        bbox=[float(x) for x in ann['bbox']],
        area=float(area),
        iscrowd=int(ann.get('iscrowd', 0)),
        keypoints=[float(x) for x in joints],
    )


@dataclass(frozen=True)
class People:
    """P annotated people of I images as arrays.

    Args:
        ids: ``(P,)`` annotation ids.
        images: ``(I,)`` sorted ids of the images.
        image: ``(P,)`` index into the images.
        categories: ``(C,)`` sorted ids of the categories.
        category: ``(P,)`` index into the categories.
        keypoints: ``(P, K, 2)`` pixels.
        labelled: ``(P, K)`` bool.
        boxes: ``(P, 4)`` xywh.
        areas: ``(P,)`` square pixels.
        crowd: ``(P,)`` bool, annotations of several people together.
    """

    ids: np.ndarray
    images: np.ndarray
    image: np.ndarray
    categories: np.ndarray
    category: np.ndarray
    keypoints: np.ndarray
    labelled: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray

    @classmethod
    def from_dicts(
        cls, people: Sequence[Mapping[str, Any]], images: Sequence, joints: int
    ) -> 'People':
        """Collect people.

        Args:
            people: See :func:`make_person`.
            images: Ids of further images, those of the poses.
            joints: K.
        """
        categories = np.unique([p['category_id'] for p in people] or [1])
        owners = [p['image_id'] for p in people]
        ids = np.unique(np.array([*images, *owners]))
        keypoints = np.array([p['keypoints'] for p in people], np.float64)
        keypoints = keypoints.reshape(len(people), joints, 3)
        return cls(
            ids=np.array([p['id'] for p in people]),
            images=ids,
            image=np.searchsorted(ids, np.array(owners, ids.dtype)),
            categories=categories,
            category=np.searchsorted(
                categories, [p['category_id'] for p in people]
            ),
            keypoints=keypoints[..., :2],
            labelled=keypoints[..., 2] > 0,
            boxes=np.array([p['bbox'] for p in people]).reshape(-1, 4),
            areas=np.array([p['area'] for p in people], np.float64),
            crowd=np.array([p['iscrowd'] for p in people], bool),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def counting(
        self,
        labelled: np.ndarray,
        area_range: tuple[float, float] = ANY_AREA,
    ) -> np.ndarray:
        """People who count; COCO ignores all others: crowds, people without
        a label and those whose area is out of range.

        Args:
            labelled: ``(P, K)`` bool, the joints that are compared.
            area_range: Least and largest area, square pixels.

        Returns:
            ``(P,)`` bool.
        """
        low, high = area_range
        sized = (self.areas >= low) & (self.areas <= high)
        return labelled.any(axis=1) & ~self.crowd & sized
