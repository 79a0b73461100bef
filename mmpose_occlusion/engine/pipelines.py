"""Attacks in MMPose's pipelines; nothing that is passed in is changed."""

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Attack, parse_attack
from mmpose_occlusion.occlusion.attack import TRANSFORMS as TYPES
from mmpose_occlusion.skeleton import Skeleton

from .config import class_of, type_name

CROP = 'TopdownAffine'
"""The transform that makes the crop: attacks come right after it."""

RECORD_KEY = 'occlusions'
"""Key of the records in ``results`` and in a data sample's metainfo."""


def as_attacks(value: Any) -> list[dict]:
    """Attacks from a config's ``attack``: a transform's config, a short form,
    or a list of these.

    Raises:
        UsageError: An entry is neither.
    """
    if value is None:
        return []
    if isinstance(value, str):
        try:
            return [parse_attack(value).to_config()]
        except ValueError as error:
            raise UsageError(str(error)) from error
    if isinstance(value, Mapping):
        if 'type' not in value:
            raise UsageError(
                'the config key "attack" has no "type": set attack.type, for '
                'example attack.type=KeypointOcclusion'
            )
        return [_plain(value)]
    if isinstance(value, Sequence):
        return [attack for entry in value for attack in as_attacks(entry)]
    raise UsageError(
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

    Raises:
        UsageError: The type is unknown, or an argument is wrong.
    """
    from mmpose.registry import TRANSFORMS

    if _class_of(attack) is None:
        raise UsageError(
            f'attack "{name}": there is no transform "{attack["type"]}"; '
            f'occlusions are {" and ".join(TYPES.values())}'
        )
    try:
        TRANSFORMS.build(dict(attack))
    except (TypeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise UsageError(f'attack "{name}": {reason}') from error


def check_attacks(attacks: Sequence[Mapping], skeleton: Skeleton) -> list[str]:
    """Check that transforms can be built and that the data set has their
    targets; of other transforms than occlusions targets are not checked.

    Returns:
        The attacks' names.

    Raises:
        UsageError: One cannot be built, or the data set lacks a joint or
            part; the sentence lists those it has.
    """
    names = []
    try:
        for config in attacks:
            names.append(attack_name(config))
            check_buildable(config, names[-1])
            if attack := Attack.from_config(config):
                attack.check(skeleton)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return names


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
        A new pipeline, which carries the records into the data samples.

    Raises:
        ValueError: The pipeline neither makes a crop nor loads an image.
    """
    new = _plain(list(pipeline))
    steps, index = _place(new)
    inserted = _plain(list(attacks))
    for step in inserted if seed is not None else ():
        if step.get('seed') is None and 'seed' in _parameters(step):
            step['seed'] = int(seed)
    steps[index + 1 : index + 1] = inserted
    return with_meta_keys(new)


def makes_crop(pipeline: Sequence[Mapping]) -> bool:
    """Whether the pipeline has ``TopdownAffine``, at any depth."""
    return any(type_name(s[i]) == CROP for s, i in _walk(list(pipeline)))


def has_place(pipeline: Sequence[Mapping]) -> bool:
    """Whether :func:`insert_attacks` can insert attacks."""
    return _find(list(pipeline)) is not None


def needs_donors(step: Mapping) -> bool:
    """Whether a step, or one inside it, pastes pixels of donors."""
    return any(
        type_name(steps[i]) == 'PartMix'
        or steps[i].get('fill') == 'donor'
        or 'donor' in (steps[i].get('fills') or ())
        for steps, i in _walk([dict(step)])
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
        isinstance(cls := _class_of(steps[i]), type)
        and issubclass(cls, (OcclusionTransform, EmptyRemovedHeatmaps))
        for steps, i in _walk([dict(step)])
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
    new = _plain(list(pipeline))
    steps, index = _place(new)
    if steps is not new:
        raise ValueError(
            f'the pipeline has "{type_name(steps[index])}" inside another '
            'transform, where it cannot be cut: move it to the top level'
        )
    return new[: index + 1], new[index + 1 :]


def with_meta_keys(
    pipeline: Sequence[Mapping],
    wanted: Sequence[str] = (RECORD_KEY,),
    joints: bool = False,
) -> list[dict]:
    """Make the packing transforms pack more into the data samples.

    Args:
        pipeline: Configs of a pipeline.
        wanted: Keys for the ``meta_keys`` of ``PackPoseInputs`` and the like.
        joints: Whether the joints in the crop are packed, too.
    """
    new = _plain(list(pipeline))
    for steps, index in _walk(new):
        step = steps[index]
        keys = step.get('meta_keys')
        if keys is None and 'Pack' in type_name(step):
            keys = with_defaults(step).get('meta_keys')
        missing = [key for key in wanted if key not in (keys or ())]
        if keys is not None and missing:
            step['meta_keys'] = (*keys, *missing)
        if joints and 'pack_transformed' in _parameters(step):
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


def _parameters(step: Mapping) -> Mapping[str, inspect.Parameter]:
    """Parameters of a registered transform; empty if it is unknown."""
    cls = _class_of(step)
    return inspect.signature(cls).parameters if cls else {}


def _class_of(step: Mapping) -> type | None:
    from mmpose.registry import TRANSFORMS

    return class_of(step, TRANSFORMS)


def _place(pipeline: list[dict]) -> tuple[list[dict], int]:
    """The list and the index of the step that attacks come after."""
    place = _find(pipeline)
    if place is None:
        types = ', '.join(type_name(step) for step in pipeline)
        raise ValueError(
            f'the pipeline ({types or "empty"}) has neither "{CROP}" nor a '
            'step that loads an image, after which an attack could be inserted'
        )
    return place


def _find(pipeline: list[dict]) -> tuple[list[dict], int] | None:
    for wanted in (CROP.__eq__, lambda name: name.startswith('LoadImage')):
        for steps, index in _walk(pipeline):
            if wanted(type_name(steps[index])):
                return steps, index
    return None


def _walk(steps: list[dict]) -> Iterator[tuple[list[dict], int]]:
    """Each step as its list and index, then those inside wrappers."""
    for index in range(len(steps)):
        yield steps, index
    for step in steps:
        inner = step.get('transforms')
        if isinstance(inner, list) and inner:
            # RandomChoice has a list of pipelines, the others have one
            nested = all(isinstance(entry, list) for entry in inner)
            for level in inner if nested else [inner]:
                if all(isinstance(entry, dict) for entry in level):
                    yield from _walk(level)


def _plain(value: Any) -> Any:
    """A deep copy in which MMEngine's config objects are plain ones."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return copy.deepcopy(value)
