"""Attacks in MMPose's pipelines.

Everything here works on plain configs: nothing is built and nothing that is
passed in is changed.
"""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mmpose_occlusion.occlusion import Attack, parse_attack
from mmpose_occlusion.occlusion.attack import TRANSFORMS as TYPES
from mmpose_occlusion.skeleton import Skeleton

from .config import type_name

T = TypeVar('T')

CROP = 'TopdownAffine'
"""The transform that makes the crop: attacks come right after it."""

RECORD_KEY = 'occlusions'
"""Key of the records in ``results`` and in a data sample's metainfo."""


def as_attacks(value: Any) -> list[dict]:
    """Attacks from a config's ``attack``: one or several, either form.

    Args:
        value: A transform's config, a short form, or a list of these.

    Raises:
        ValueError: An entry is neither.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [parse_attack(value).to_config()]
    if isinstance(value, Mapping):
        if 'type' not in value:
            raise ValueError(
                'the config key "attack" has no "type": set attack.type, for '
                'example attack.type=KeypointOcclusion'
            )
        return [_plain(value)]
    if isinstance(value, Sequence):
        return [attack for entry in value for attack in as_attacks(entry)]
    raise ValueError(
        f'the config key "attack" is {value!r}: write a transform such as '
        'dict(type="KeypointOcclusion", target="nose"), or a list of them'
    )


def attack_name(config: Mapping) -> str:
    """The short form of an attack's config; the type of other transforms.

    >>> attack_name(dict(type='PartOcclusion', target='head', fill='mean'))
    'part:head:mean'
    """
    attack = Attack.from_config(config)
    if attack is not None:
        return str(attack)
    target = config.get('target', 'random')
    if not isinstance(target, str):
        target = ','.join(map(str, target))
    fill = config.get('fill', 'blur')
    return f'{type_name(config)}:{target}:{fill}'


def check_buildable(attack: Mapping, name: str) -> None:
    """Check that the transform of an attack can be built.

    Args:
        attack: The transform's config.
        name: Name in the message.

    Raises:
        ValueError: The type is unknown, or an argument is wrong.
    """
    from mmpose.registry import TRANSFORMS

    type_ = attack['type']
    if isinstance(type_, str) and not TRANSFORMS.get(type_):
        raise ValueError(
            f'attack "{name}": there is no transform "{type_}"; '
            f'occlusions are {" and ".join(TYPES.values())}'
        )
    try:
        TRANSFORMS.build(dict(attack))
    except (TypeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'attack "{name}": {reason}') from error


def check_targets(configs: Sequence[Mapping], skeleton: Skeleton) -> None:
    """Check that the data set has the targets of attacks.

    Other transforms are not checked.

    Raises:
        ValueError: It lacks a joint or part; the sentence lists those it has.
    """
    for config in configs:
        attack = Attack.from_config(config)
        if attack is not None:
            attack.check(skeleton)


def insert_attacks(
    pipeline: Sequence[Mapping],
    attacks: Sequence[Mapping],
    seed: int | None = 0,
) -> list[dict]:
    """Insert attacks into a pipeline, in order, with their records.

    They come right after ``TopdownAffine``, also where it is inside a wrapper
    with ``transforms``; a pipeline that makes no crop (bottom-up)
    gets them right after the image is loaded.

    Args:
        pipeline: Configs of a test pipeline.
        attacks: Configs of the attacks; one that takes a ``seed`` and has
            none gets ``seed``.
        seed: Seed of random draws; None for training, where each epoch draws
            anew.

    Returns:
        A new pipeline. Its packing transform carries the records into the
        data samples (:func:`with_occlusion_record`).

    Raises:
        ValueError: The pipeline neither makes a crop nor loads an image.
    """
    new = [_plain(step) for step in pipeline]
    steps, index = _place(new)
    inserted = []
    for attack in attacks:
        step = _plain(attack)
        unseeded = step.get('seed') is None and 'seed' in _parameters(step)
        if unseeded and seed is not None:
            step['seed'] = int(seed)
        inserted.append(step)
    steps[index + 1 : index + 1] = inserted
    return with_occlusion_record(new)


def makes_crop(pipeline: Sequence[Mapping]) -> bool:
    """Whether the pipeline has ``TopdownAffine``, at any depth."""
    return _find(list(pipeline), _is_crop) is not None


def has_place(pipeline: Sequence[Mapping]) -> bool:
    """Whether :func:`insert_attacks` can insert attacks."""
    steps = list(pipeline)
    return makes_crop(steps) or _find(steps, _is_load) is not None


def with_place(
    given: Sequence[T], pipeline_of: Callable[[T], Sequence[Mapping]]
) -> list[T]:
    """Those of some owners of pipelines that take attacks: the ones that make
    a crop, or where none does, the ones that load an image."""
    crops = [one for one in given if makes_crop(pipeline_of(one))]
    return crops or [one for one in given if has_place(pipeline_of(one))]


def needs_donors(step: Mapping) -> bool:
    """Whether a step, or one inside it, pastes pixels of donors."""
    return any(
        type_name(inner) == 'PartMix'
        or inner.get('fill') == 'donor'
        or 'donor' in (inner.get('fills') or ())
        for steps in _levels([dict(step)])
        for inner in steps
    )


def is_occlusion(step: Mapping) -> bool:
    """Whether a step hides something or depends on what was hidden.

    True for the occlusions of this package and ``EmptyRemovedHeatmaps``, and
    for a wrapper with one of them inside.
    """
    from mmpose_occlusion.transforms import EmptyRemovedHeatmaps
    from mmpose_occlusion.transforms.occlusion_transform import (
        OcclusionTransform,
    )

    return any(
        issubclass(cls, (OcclusionTransform, EmptyRemovedHeatmaps))
        for steps in _levels([dict(step)])
        for inner in steps
        if isinstance(cls := _resolve(inner), type)
    )


def split_pipeline(
    pipeline: Sequence[Mapping],
) -> tuple[list[dict], list[dict]]:
    """Cut a pipeline at the place of attacks.

    Returns:
        Copies of the steps up to and including the one that makes the crop
        (or, where there is none, loads the image), and of those after it.

    Raises:
        ValueError: There is no such step, or it is inside a wrapper.
    """
    new = [_plain(step) for step in pipeline]
    steps, index = _place(new)
    if steps is not new:
        raise ValueError(
            f'the pipeline has "{type_name(steps[index])}" inside another '
            'transform, where it cannot be cut: move it to the top level'
        )
    return new[: index + 1], new[index + 1 :]


def with_occlusion_record(pipeline: Sequence[Mapping]) -> list[dict]:
    """Make the packing transforms pack the records into the data samples.

    Args:
        pipeline: Configs of a pipeline.

    Returns:
        A new pipeline, in which each transform that has ``meta_keys`` (in
        MMPose: ``PackPoseInputs``) names ``occlusions`` among them.
    """
    return with_meta_keys(pipeline, [RECORD_KEY])


def with_meta_keys(
    pipeline: Sequence[Mapping], wanted: Sequence[str]
) -> list[dict]:
    """Make the packing transforms pack more keys into the data samples."""
    new = [_plain(step) for step in pipeline]
    for steps in _levels(new):
        for step in steps:
            keys = step.get('meta_keys')
            if keys is None and 'Pack' in type_name(step):
                keys = _default_meta_keys(step)
            missing = [key for key in wanted if key not in (keys or ())]
            if keys is not None and missing:
                step['meta_keys'] = (*keys, *missing)
    return new


def with_transformed_joints(pipeline: Sequence[Mapping]) -> list[dict]:
    """Make the packing transforms pack the joints in the crop, too."""
    new = [_plain(step) for step in pipeline]
    for steps in _levels(new):
        for step in steps:
            if 'pack_transformed' in _parameters(step):
                step['pack_transformed'] = True
    return new


def with_defaults(step: Mapping) -> dict:
    """A step's config in which its transform's defaults are written out."""
    defaults = {
        name: parameter.default
        for name, parameter in _parameters(step).items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {**defaults, **step}


def _default_meta_keys(step: Mapping) -> tuple | None:
    parameter = _parameters(step).get('meta_keys')
    return tuple(parameter.default) if parameter else None


def _parameters(step: Mapping) -> Mapping[str, inspect.Parameter]:
    """Parameters of a registered transform; empty if it is unknown."""
    cls = _resolve(step)
    return inspect.signature(cls).parameters if cls else {}


def _resolve(step: Mapping) -> type | None:
    """A step's class."""
    from mmpose.registry import TRANSFORMS

    type_ = step.get('type', '')
    return TRANSFORMS.get(type_) if isinstance(type_, str) else type_


def _place(pipeline: list[dict]) -> tuple[list[dict], int]:
    """The list and the index of the step that attacks come after."""
    place = _find(pipeline, _is_crop) or _find(pipeline, _is_load)
    if place is None:
        types = ', '.join(type_name(step) for step in pipeline)
        raise ValueError(
            f'the pipeline ({types or "empty"}) has neither "{CROP}" nor a '
            'step that loads an image, after which an attack could be inserted'
        )
    return place


def _find(
    pipeline: list[dict], wanted: Callable[[Mapping], bool]
) -> tuple[list[dict], int] | None:
    for steps in _levels(pipeline):
        for index, step in enumerate(steps):
            if wanted(step):
                return steps, index
    return None


def _levels(steps: list[dict]) -> Iterator[list[dict]]:
    """The pipeline and the lists of transforms inside its wrappers."""
    yield steps
    for step in steps:
        inner = step.get('transforms')
        if isinstance(inner, list):
            # RandomChoice has a list of pipelines, the others have one
            for level in inner if _is_nested(inner) else [inner]:
                if all(isinstance(entry, dict) for entry in level):
                    yield from _levels(level)


def _is_nested(inner: list) -> bool:
    return bool(inner) and all(isinstance(entry, list) for entry in inner)


def _is_crop(step: Mapping) -> bool:
    return type_name(step) == CROP


def _is_load(step: Mapping) -> bool:
    return type_name(step).startswith('LoadImage')


def _plain(value: Any) -> Any:
    """A deep copy in which MMEngine's config objects are plain ones."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, tuple):
        return tuple(_plain(entry) for entry in value)
    return copy.deepcopy(value)
