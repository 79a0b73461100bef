"""Attacks in MMPose's pipelines; nothing that is passed in is changed."""

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.registry import Registry
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Attack, parse_attack
from mmpose_occlusion.occlusion.attack import TRANSFORMS as TYPES
from mmpose_occlusion.skeleton import Skeleton
from mmpose_occlusion.transforms import EmptyRemovedHeatmaps
from mmpose_occlusion.transforms.occlusion_transform import OcclusionTransform

from .config import class_of, type_name, walk

CROP = 'TopdownAffine'
"""The transform that makes the crop: attacks come right after it."""

LOAD = 'LoadImage'
"""Beginning of the names of transforms that load the image."""

RECORD_KEY = 'occlusions'
"""Key of the records in ``results`` and in a data sample's metainfo."""


def as_attacks(value: Any) -> list[dict]:
    """Attacks from a config's ``attack``: a transform's config, a short form,
    or a list of these; a UsageError for anything else."""
    if isinstance(value, str):
        return [parse_attack(value).to_config()]
    if isinstance(value, Mapping) and 'type' in value:
        return [copy.deepcopy(dict(value))]
    if isinstance(value, Sequence):
        return [attack for entry in value for attack in as_attacks(entry)]
    raise UsageError(
        f'the config key "attack" is {value!r}, which has no "type": set '
        'attack.type, for example dict(type="KeypointOcclusion", '
        'target="nose"), or write a list of them'
    )


def attack_name(config: Mapping) -> str:
    """The short form of an attack's config; the type of other transforms.

    >>> attack_name(dict(type='PartOcclusion', target='head', fill='mean'))
    'part:head:mean'
    """
    if attack := Attack.from_config(config):
        return str(attack)
    target = config.get('target', 'random')
    if not isinstance(target, str):
        target = ','.join(map(str, target))
    return f'{type_name(config)}:{target}:{config.get("fill", "blur")}'


def check_buildable(attack: Mapping, name: str) -> None:
    """Raise a UsageError if the transform of an attack cannot be built."""
    if class_of(attack, TRANSFORMS) is None:
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
    """Names of attacks, or a UsageError if one cannot be built, or is an
    occlusion whose joint or part the data set lacks."""
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
    """A pipeline with attacks, in order, at their place (see
    :func:`find_place`), that carries their records into the data samples.

    Args:
        pipeline: Configs of a pipeline.
        attacks: Configs of transforms; one that takes a ``seed`` and has
            none gets ``seed``.
        seed: None for training, where each epoch draws anew.
    """
    new, inserted = copy.deepcopy((list(pipeline), list(attacks)))
    for step in inserted if seed is not None else ():
        if step.get('seed') is None and 'seed' in with_defaults(step):
            step['seed'] = int(seed)
    place = find_place(pipeline) + 1
    new[place:place] = inserted
    return with_meta_keys(new)


def find_place(
    pipeline: Sequence[Mapping], names: Sequence[str] = (CROP, LOAD)
) -> int | None:
    """Index of the step that attacks come after: ``TopdownAffine``, or, in a
    pipeline that makes no crop (bottom-up), what loads the image."""
    for name in names:
        for index, step in enumerate(pipeline):
            if type_name(step).startswith(name):
                return index
    return None


def needs_donors(step: Mapping) -> bool:
    """Whether a step, or one inside it, pastes pixels of donors."""
    return any(
        type_name(inner) == 'PartMix'
        or 'donor' in (inner.get('fill'), *(inner.get('fills') or ()))
        for inner in _steps(step)
    )


def is_occlusion(step: Mapping) -> bool:
    """Whether a step, or one inside it, is an occlusion of this package or
    ``EmptyRemovedHeatmaps``, which depends on what was hidden."""
    classes = (class_of(inner, TRANSFORMS) for inner in _steps(step))
    wanted = OcclusionTransform, EmptyRemovedHeatmaps
    return any(isinstance(c, type) and issubclass(c, wanted) for c in classes)


def with_meta_keys(
    pipeline: Sequence[Mapping],
    wanted: Sequence[str] = (RECORD_KEY,),
    joints: bool = False,
) -> list[dict]:
    """A pipeline whose packing transforms (``PackPoseInputs`` and the like)
    pack further ``meta_keys`` and, if ``joints``, the joints in the crop."""
    new = copy.deepcopy(list(pipeline))
    for step in _steps(new):
        keys = step.get('meta_keys')
        if keys is None and 'Pack' in type_name(step):
            keys = with_defaults(step).get('meta_keys')
        missing = [key for key in wanted if key not in (keys or ())]
        if keys is not None and missing:
            step['meta_keys'] = (*keys, *missing)
        if joints and 'pack_transformed' in with_defaults(step):
            step['pack_transformed'] = True
    return new


def with_defaults(step: Mapping, registry: Registry = TRANSFORMS) -> dict:
    """A config in which the defaults of its transform, or of another class
    of a registry, are written out."""
    cls = class_of(step, registry)
    parameters = inspect.signature(cls).parameters if cls else {}
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return {**defaults, **step}


def _steps(pipeline: Any) -> Iterator[Any]:
    """All steps, also those inside wrappers."""
    return (node for _, node in walk(pipeline) if 'type' in node)
