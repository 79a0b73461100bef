"""The variants of MMPose's training pipeline that pipeline.py measures, and
the people that they run on."""

import contextlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

REAL_DATA = 'OCCLUSION_REAL_DATA'
CONFIG = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
PROB = 0.5

PICTURE = (640, 480)
"""Of synthetic people: what most of COCO's pictures have."""

IN_MEMORY = 'PartMix, donors in memory'
PROFILED = 'keypoint blur'
FAST_STEPS = 'all fast steps'
WITH = ' with '


class Case(NamedTuple):
    """A row: a variant of the pipeline."""

    name: str
    run: Callable[[dict], dict]
    steps: list


# --- people -----------------------------------------------------------------


def load_people(folder: str, most: int) -> tuple[Any, list[int], str]:
    """A data set with donors, the rows to take, and what they are."""
    from mmpose.datasets import CocoDataset

    from mmpose_occlusion.datasets import DonorDataset
    from mmpose_occlusion.errors import UsageError

    if real := os.environ.get(REAL_DATA):
        kind, images = 'real', Path(real) / 'coco'
        file = images / 'test_coco.json'
        if not file.is_file():
            raise UsageError(
                f'{REAL_DATA}={real} has no coco/test_coco.json: name the '
                'folder of photographs, or unset it for synthetic people'
            )
    else:
        kind, (file, images) = 'synthetic', synthetic_people(Path(folder))
    dataset = CocoDataset(
        ann_file=str(file), data_prefix=dict(img=str(images)), lazy_init=True
    )
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools' progress
        DonorDataset(dataset)
    rows = list(range(len(dataset)))[:most]
    paths = sorted({dataset.get_data_info(i)['img_path'] for i in rows})
    shapes = [cv2.imread(path).shape for path in paths]
    sizes = ', '.join(sorted({f'{w}×{h}' for h, w, _ in shapes}))
    what = f'{len(rows)} {kind} people in {len(paths)} JPEGs of {sizes}'
    return dataset, rows, what


def synthetic_people(folder: Path) -> tuple[Path, Path]:
    """Synthetic people in pictures of 640×480: annotations and pictures."""
    from mmpose_occlusion.datasets.synthetic_people import generate

    root = generate(folder / 'people', train=0, val=8, workers=0)
    file, images = root / 'annotations/person_keypoints_val.json', root / 'val'
    content = json.loads(file.read_text())
    scales = {}
    for entry in content['images']:
        path = str(images / entry['file_name'])
        scales[entry['id']] = (
            PICTURE[0] / entry['width'],
            PICTURE[1] / entry['height'],
        )
        entry['width'], entry['height'] = PICTURE
        resized = cv2.resize(cv2.imread(path), PICTURE)
        cv2.imwrite(path, resized, [cv2.IMWRITE_JPEG_QUALITY, 95])
    for person in content['annotations']:
        x, y = scales[person['image_id']]
        person['area'] *= x * y
        person['bbox'] = (person['bbox'] * np.array([x, y, x, y])).tolist()
        joints = np.reshape(person['keypoints'], (-1, 3)) * (x, y, 1)
        person['keypoints'] = joints.ravel().tolist()
        person['segmentation'] = []
    file.write_text(json.dumps(content))
    return file, images


# --- the variants -----------------------------------------------------------


def train_pipeline() -> list[dict]:
    """MMPose's."""
    from mmpose_occlusion.engine.config import load_config

    return load_config(CONFIG).to_dict()['train_pipeline']


def make_case(name: str, pipeline: list) -> Case:
    """Build a pipeline."""
    from mmengine.dataset import Compose
    from mmpose.registry import TRANSFORMS

    steps = [
        TRANSFORMS.build(step) if isinstance(step, dict) else step
        for step in pipeline
    ]
    return Case(name, Compose(steps), steps)


def occlusions(pipeline: list[dict], folder: str, chosen: str) -> list[Case]:
    """The pipeline with each occlusion."""
    few = ('blur', 'mean', 'black')
    many = (*few, 'grey', 'pixelate', 'noise', 'texture', 'object')
    rows: list[tuple[str, dict]] = [
        (f'{name} {fill}', dict(type=type_, fill=fill))
        for name, type_, fills in (
            ('keypoint', 'KeypointOcclusion', many),
            ('part', 'PartOcclusion', few),
            ('keypoint or part', 'RandomOcclusion', few),
        )
        for fill in fills
    ]
    rows += [
        ('MultiKeypoint', dict(type='MultiKeypointOcclusion')),
        ('PartMix', dict(type='PartMix')),
        (
            'PartMix, donors decoded before',
            dict(type='PartMix', backend_args=decoded(folder)),
        ),
        (IN_MEMORY, dict(type='PartMix')),
    ]
    cases = []
    for name, step in rows:
        if chosen in name:
            hidden = dict(step, prob=PROB)
            cases.append(make_case(name, occluded(pipeline, hidden)))
            if name == IN_MEMORY:
                (mix,) = (s for s in cases[-1].steps if hasattr(s, 'tries'))
                _remember(mix._donation)
    return cases


def occluded(pipeline: list[dict], step: dict) -> list[dict]:
    """The pipeline with an occlusion behind the step that makes the crop,
    recorded as tools/train.py has it."""
    from mmpose_occlusion.attacks import with_occlusion_record

    crop = [each['type'] for each in pipeline].index('TopdownAffine') + 1
    return with_occlusion_record([*pipeline[:crop], step, *pipeline[crop:]])


def changed(pipeline: list[dict], type_: str, **arguments) -> list[dict]:
    """The pipeline with other arguments for one step."""
    return [
        dict(step, **arguments) if step['type'] == type_ else step
        for step in pipeline
    ]


def _remember(donation) -> None:
    """Have donors' pictures read and decoded once."""
    read, pictures = donation._read, {}

    def from_memory(path: str) -> np.ndarray:
        if path not in pictures:
            pictures[path] = read(path)
        return pictures[path]

    donation._read = from_memory


def decoded(folder: str) -> dict:
    """Where pictures are that were decoded before."""
    return dict(backend='decoded', folder=f'{folder}/decoded')


def options(pipeline: list[dict], folder: str, chosen: str) -> list[Case]:
    """Other ways to the same sample, or to nearly the same one."""
    from mmpose_occlusion.transforms.fast_steps import with_fast_steps

    fast = with_fast_steps(pipeline)
    variants: list[tuple[str, list]] = []
    for number, step in enumerate(pipeline):
        if fast[number] != step:
            new = [*pipeline[:number], fast[number], *pipeline[number + 1 :]]
            kind = step.get('encoder', step)['type']
            variants.append((f'fast {kind}', new))
    hide = dict(type='KeypointOcclusion', fill='blur', prob=PROB)
    before = dict(backend_args=decoded(folder))
    variants += [
        (FAST_STEPS, fast),
        (f'{FAST_STEPS}{WITH}{PROFILED}', occluded(fast, hide)),
        ('decoded before', changed(pipeline, 'LoadImage', **before)),
        (
            f'decoded before and {FAST_STEPS}',
            changed(fast, 'LoadImage', **before),
        ),
    ]
    variants += [
        (
            f'decoder {backend}',
            changed(pipeline, 'LoadImage', imdecode_backend=backend),
        )
        for backend in ('pillow', 'turbojpeg')
        if decodes(backend)
    ]
    few = dict(meta_keys=without_annotation())
    half = changed(
        pipeline, 'LoadImage', color_type=cv2.IMREAD_REDUCED_COLOR_2
    )
    variants += [
        (
            'raw_ann_info not packed',
            changed(pipeline, 'PackPoseInputs', **few),
        ),
        ('decoded at half the size', [half[0], halve, *half[1:]]),
    ]
    return [make_case(*each) for each in variants if chosen in each[0]]


def decodes(backend: str) -> bool:
    """Whether mmcv's decoder is installed; this makes it ready."""
    import mmcv

    try:
        mmcv.use_backend(backend)
    except (ImportError, RuntimeError):
        return False
    finally:
        mmcv.use_backend('cv2')
    return True


def without_annotation() -> list[str]:
    """What MMPose packs by default, without the annotation as it was read,
    which only metrics want."""
    from mmpose.datasets.transforms import PackPoseInputs

    keys = PackPoseInputs().meta_keys
    return [key for key in keys if key != 'raw_ann_info']


def halve(results: dict) -> dict:
    """The annotation of a picture that was decoded at half its size."""
    results['bbox'] = results['bbox'] / 2
    results['keypoints'] = results['keypoints'] / 2
    return results
