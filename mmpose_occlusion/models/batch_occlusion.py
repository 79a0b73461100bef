"""Occlusions of a training batch, on the model's device."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import mmpose
import numpy as np
import torch
from mmengine.config import Config
from mmpose.registry import MODELS, TRANSFORMS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmpose_occlusion.attacks import RECORD_KEY
from mmpose_occlusion.batched import Levels, Patches, paint, settle_means
from mmpose_occlusion.batched.targets import LEVELS, Targets
from mmpose_occlusion.datasets.transforms import (
    KeypointOcclusion,
    PartOcclusion,
    RandomOcclusion,
)
from mmpose_occlusion.datasets.transforms.scene import as_number
from mmpose_occlusion.occluders import Patch, labelled_joints, make_record
from mmpose_occlusion.occluders.elsewhere import TARGET
from mmpose_occlusion.occluders.patch import inside_picture
from mmpose_occlusion.skeleton import Skeleton

BATCHED = (KeypointOcclusion, PartOcclusion, RandomOcclusion)


@MODELS.register_module()
class BatchOcclusion(nn.Module):
    """Hide joints and parts of a whole batch of crops at once.

    For ``batch_augments`` of a top-down model's data preprocessor. It hides
    what the transform of the same config hides crop by crop (the same pixels
    and, with a ``seed``, the same draws), on the model's device.

    Needs data samples packed by ``PackPoseInputs(pack_transformed=True)``,
    one person each. Paints into the batch in place: the preprocessor has
    made it. Joints that are removed lose their ``keypoint_weights``; as
    targets exist already, the loss has to go by these
    (``use_target_weight``).

    Args:
        occlusion: Config of ``KeypointOcclusion``, ``PartOcclusion`` or
            ``RandomOcclusion``, with fill 'blur', 'mean', 'black' or 'grey'.
            Without a ``seed`` it draws from torch's generator of the CPU,
            which MMEngine seeds.
        mean: The preprocessor's own: what it has subtracted; None if it does
            not normalise.
        std: What it has divided by.
        bgr_to_rgb: Whether it has swapped the channels; colours in the
            records are in the order of the picture as it was read.
        metainfo: Of the data set, for the joints' names, as MMPose's data
            sets take it (``dict(from_file=...)``) or as a file's name; None
            takes MMPose's of the name that the samples carry.
        record: Whether to write the records into the samples' metainfo, as
            ``occlusions``. They cost more than the painting.

    Raises:
        ValueError: For what cannot be done to a batch; for samples without
            joints, or with several people; for a joint or part that the
            data set lacks.
    """

    def __init__(
        self,
        occlusion: Mapping,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        bgr_to_rgb: bool = False,
        metainfo: Mapping | str | None = None,
        record: bool = False,
    ) -> None:
        super().__init__()
        self.occlusion = TRANSFORMS.build(dict(occlusion))
        self._check()
        if (mean is None) != (std is None):
            raise ValueError(
                'BatchOcclusion: give mean and std as the data preprocessor '
                'has them, or neither of them.'
            )
        self.levels = Levels(mean or (0.0,), std or (1.0,))
        self.bgr_to_rgb = bgr_to_rgb
        self.metainfo = metainfo
        self.record = record
        self._targets: Targets | None = None

    def _check(self) -> None:
        it = self.occlusion
        if type(it) not in BATCHED:
            known = ', '.join(cls.__name__ for cls in BATCHED)
            raise ValueError(
                f'BatchOcclusion cannot do {type(it).__name__} to a batch, '
                f'but {known}: put it into the pipeline instead.'
            )
        for name, value, allowed in (
            ('fill', it.fill, tuple(LEVELS)),
            ('place', it.place, (TARGET,)),
            ('paper_exact', it.paper_exact, (False,)),
            ('diameter', getattr(it, 'diameter', None), (None,)),
        ):
            if value not in allowed:
                raise ValueError(
                    f'BatchOcclusion: {name}={value!r} is not for batches, '
                    f'which take {", ".join(map(str, allowed))}: put this '
                    f'{type(it).__name__} into the pipeline instead.'
                )

    def forward(
        self, inputs: Tensor, data_samples: list[PoseDataSample]
    ) -> tuple[Tensor, list[PoseDataSample]]:
        """Occlude a batch.

        Args:
            inputs: ``(B, C, H, W)``, painted in place.
            data_samples: B samples.

        Returns:
            The arguments.
        """
        targets = self._targets_of(self._skeleton(data_samples))
        xy, labelled = _joints(data_samples, len(targets.skeleton.names))
        shape = (inputs.shape[2], inputs.shape[3])
        available = labelled & inside_picture(xy, shape)
        numbers = self._draw(data_samples)
        crop, target = targets.choose(available, numbers, self.occlusion.prob)
        patches = targets.patches(
            crop, target, xy, available, shape, inputs.shape[1]
        )
        if self.record:
            patches = settle_means(patches, inputs, self.levels)
        paint(inputs, patches, self.levels)
        hidden = patches.covers(xy[crop], shape) & available[crop]
        removed = hidden & targets.removes[target][:, None]
        if removed.any():
            _remove(data_samples, crop, removed)
        if self.record:
            self._write(
                data_samples, targets, target, patches, hidden, removed
            )
        return inputs, data_samples

    def _targets_of(self, skeleton: Skeleton) -> Targets:
        if self._targets is None or self._targets.skeleton is not skeleton:
            self._targets = Targets(self.occlusion, skeleton)
        return self._targets

    def _skeleton(self, samples: Sequence[PoseDataSample]) -> Skeleton:
        metainfo = self.metainfo
        if metainfo is None:
            name = getattr(samples[0], 'dataset_name', None)
            if name is None:
                raise ValueError(
                    'BatchOcclusion does not know the names of the joints: '
                    'say metainfo=dict(from_file=...) as your data set does, '
                    'or add dataset_name to the meta_keys of PackPoseInputs.'
                )
            metainfo = f'configs/_base_/datasets/{name}.py'
        if not isinstance(metainfo, str) and 'from_file' in metainfo:
            metainfo = metainfo['from_file']
        names = (
            _names_in(metainfo)
            if isinstance(metainfo, str)
            else Skeleton.from_metainfo(metainfo).names
        )
        return Skeleton.from_names(names, self.occlusion.parts)

    def _draw(self, samples: Sequence[PoseDataSample]) -> np.ndarray:
        """Numbers in [0, 1) for each crop: (B, num_draws)."""
        it = self.occlusion
        if it.seed is None:
            shape = (len(samples), it.num_draws)
            return torch.rand(shape, dtype=torch.float64).numpy()
        return it._draw([_key(sample) for sample in samples], 0)

    def _write(
        self,
        samples: Sequence[PoseDataSample],
        targets: Targets,
        target: np.ndarray,
        patches: Patches,
        hidden: np.ndarray,
        removed: np.ndarray,
    ) -> None:
        """The records, which are plain data and so made one by one."""
        joints = targets.skeleton.names
        regions = patches.regions()
        paints = patches.paints(self.bgr_to_rgb)
        made: list[list[dict]] = [[] for _ in samples]
        for i, crop in enumerate(patches.crop):
            box = tuple(patches.box[i].tolist())
            record = self._record(
                targets.names[target[i]],
                region=regions[i],
                paint=paints[i],
                patch=Patch(box, np.zeros(0), regions[i].mask(box)),
                hidden=[[0, joints[k]] for k in np.flatnonzero(hidden[i])],
                removed=[[0, joints[k]] for k in np.flatnonzero(removed[i])],
            )
            made[crop].append(record)
        nothing = self._record(
            f'{self.occlusion.kind}:{self.occlusion.target}',
            reason=f'not drawn (prob={self.occlusion.prob}), or no target '
            'is available',
        )
        for sample, records in zip(samples, made, strict=True):
            earlier = getattr(sample, RECORD_KEY, [])
            call = earlier[-1]['call'] + 1 if earlier else 0
            new = [dict(r, call=call) for r in records or [nothing]]
            sample.set_metainfo({RECORD_KEY: [*earlier, *new]})

    def _record(self, name: str, **what: Any) -> dict:
        return make_record(
            transform=type(self).__name__,
            call=0,
            instance=0,
            name=name,
            fill=self.occlusion.fill,
            **what,
        )


def _joints(
    samples: Sequence[PoseDataSample], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Joints of a batch: (B, K, 2) float64 crop pixels, (B, K) bool."""
    people = [sample.gt_instances for sample in samples]
    if any('transformed_keypoints' not in person for person in people):
        raise ValueError(
            'BatchOcclusion finds no joints of the crops in the data '
            'samples: end the training pipeline with dict(type='
            "'PackPoseInputs', pack_transformed=True)."
        )
    xy = [person.transformed_keypoints for person in people]
    visible = [person.keypoints_visible for person in people]
    if any(len(each) != 1 for each in xy):
        raise ValueError(
            'BatchOcclusion is for top-down models, whose crops have one '
            'person each; on whole images put the occlusion into the '
            'pipeline.'
        )
    joints = np.concatenate(xy)[..., :2].astype(np.float64)
    if joints.shape[1] != count:
        raise ValueError(
            f'BatchOcclusion: the samples have {joints.shape[1]} joints, '
            f'but the metainfo names {count}: say metainfo=dict(from_file='
            '...) as your data set does.'
        )
    return joints, labelled_joints(np.concatenate(visible))


def _key(sample: PoseDataSample) -> tuple[int, int]:
    """Image id and annotation id, as the transforms take them."""
    image = getattr(sample, 'img_id', getattr(sample, 'img_path', None))
    person = getattr(sample, 'id', None)
    return as_number(image), 0 if person is None else as_number(person)


def _remove(
    samples: Sequence[PoseDataSample], crop: np.ndarray, removed: np.ndarray
) -> None:
    """Take the weights of joints away: of crops (P,), joints (P, K)."""
    keep = np.ones((len(samples), removed.shape[1]), np.float32)
    np.minimum.at(keep, crop, np.where(removed, 0, 1).astype(np.float32))
    labels = [sample.gt_instance_labels for sample in samples]
    if any('keypoint_weights' not in label for label in labels):
        raise ValueError(
            'BatchOcclusion: remove_keypoints=True takes the '
            'keypoint_weights away, which these data samples have not: put '
            'the occlusion into the pipeline, before GenerateTarget.'
        )
    weights = [label.keypoint_weights for label in labels]
    kept = torch.as_tensor(keep).to(weights[0])
    torch._foreach_mul_(weights, list(kept.unbind()))


@lru_cache(maxsize=8)
def _names_in(file: str) -> tuple[str, ...]:
    """The joints of a metainfo's file, MMPose's own if there is no other."""
    own = Path(mmpose.__file__).parent / '.mim' / file
    found = next((path for path in (Path(file), own) if path.is_file()), None)
    if found is None:
        raise ValueError(
            f'BatchOcclusion finds no metainfo "{file}": say '
            'metainfo=dict(from_file=...) as your data set does.'
        )
    return Skeleton.from_metainfo(Config.fromfile(found).dataset_info).names
