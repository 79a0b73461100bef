"""Attacks: occlusions named in advance and put into a test pipeline.

An attack is the config of an occlusion transform, such as
``dict(type='KeypointOcclusion', target='nose', fill='black')``; its short
form, for the command line, is ``keypoint:nose:black``. Everything here works
on plain configs: nothing is built and nothing that is passed in is changed.
"""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .skeleton import Skeleton

KINDS = {'keypoint': 'KeypointOcclusion', 'part': 'PartOcclusion'}
"""First word of a short form -> transform."""

DRAWN = {'keypoint': ('random',), 'part': ('random', 'random_all')}
"""Targets that are drawn from those a person has, by kind."""

_KIND_OF = {name: kind for kind, name in KINDS.items()}
_LOOK_UP: dict[str, Callable] = {
    'keypoint': Skeleton.joint_index,
    'part': Skeleton.part_indices,
}

_TRANSFORMS = 'mmpose_occlusion.transforms'

CROP = 'TopdownAffine'
"""The transform that makes the crop: attacks come right after it."""

RECORD_KEY = 'occlusions'
"""Key of the records in ``results`` and in a data sample's metainfo."""

PLACES = ('on_person', 'off_person')
"""Last word of the short form of a control."""

FORM = (
    '"keypoint:NAME:FILL", "part:NAME:FILL" or "keypoint:NAME:FILL:RADIUS", '
    'for example "keypoint:left_wrist:black" (several names: "a,b")'
)


def parse_attack(spec: str) -> dict:
    """Read the short form of an attack.

    Args:
        spec: ``KIND:NAME[,NAME...][:FILL[:SIZE][:PLACE]]`` with the kinds of
            :data:`KINDS`. The size belongs to keypoints alone: a radius in
            pixels of a crop that is 256 pixels high, or ``20%``, a diameter
            as a part of the height of the person's box. The place, one of
            :data:`PLACES`, makes it a control.

    Returns:
        The transform's config: ``type``, ``target`` (one name, or a list of
        several) and, where they were given, ``fill``, ``radius`` or
        ``diameter``, and ``place``.

    Raises:
        ValueError: The text is not of that form. Names and fills are not
            judged here (see :func:`check_targets`).
    """
    fields = [field.strip() for field in str(spec).split(':')]
    if not 2 <= len(fields) <= 5 or not all(fields):
        raise ValueError(f'attack "{spec}" must look like {FORM}')
    kind = fields[0]
    if kind not in KINDS:
        raise ValueError(
            f'attack "{spec}" is of unknown kind "{kind}": write '
            f'{" or ".join(KINDS)}, as in {FORM}'
        )
    names = [name.strip() for name in fields[1].split(',')]
    if not all(names):
        raise ValueError(f'attack "{spec}" has an empty name in its list')
    attack: dict = dict(
        type=KINDS[kind], target=names[0] if len(names) == 1 else names
    )
    if len(fields) > 2:
        attack['fill'] = fields[2]
    rest = fields[3:]
    if rest and rest[-1] in PLACES:
        attack['place'] = rest.pop()
    if len(rest) > 1:
        raise ValueError(f'attack "{spec}" must look like {FORM}')
    if rest:
        if kind != 'keypoint':
            raise ValueError(
                f'attack "{spec}" has a radius, which only keypoints have: '
                f'write "{":".join(fields[:3])}"'
            )
        attack.update(_size(spec, rest[0]))
    return attack


def _size(spec: str, text: str) -> dict:
    number = text.removesuffix('%')
    try:
        size = float(number)
    except ValueError:
        size = float('nan')
    if not 0 < size < float('inf'):
        raise ValueError(
            f'attack "{spec}" has the radius "{text}": write a number of '
            'pixels above 0, at a crop height of 256, or a diameter such as '
            "20% of the height of the person's box"
        )
    if number != text:
        return dict(diameter=size / 100)
    return dict(radius=int(size) if size.is_integer() else size)


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
        return [parse_attack(value)]
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


def attack_name(attack: Mapping) -> str:
    """The short form of an attack, the inverse of :func:`parse_attack`.

    A transform that has no short form is named by its type.

    >>> attack_name(dict(type='PartOcclusion', target='head', fill='mean'))
    'part:head:mean'
    """
    type_name = _type_name(attack)
    fields = [_KIND_OF.get(type_name, type_name)]
    target = attack.get('target', 'random')
    if isinstance(target, str):
        # `part:head` says its kind twice in the short form
        fields.append(target.removeprefix(f'{fields[0]}:'))
    else:
        fields.append(
            ','.join(str(t).removeprefix(f'{fields[0]}:') for t in target)
        )
    fields.append(attack.get('fill', 'blur'))
    if attack.get('diameter') is not None:
        fields.append(f'{100 * attack["diameter"]:.6g}%')
    elif attack.get('radius', 6) != 6:
        fields.append(str(attack['radius']))
    if attack.get('place') in PLACES:
        fields.append(attack['place'])
    return ':'.join(fields)


def check_buildable(attack: Mapping, name: str) -> None:
    """See to it that an attack is a transform that can be built.

    Args:
        attack: The transform's config.
        name: What the sentence calls it.

    Raises:
        ValueError: There is none of that type, or it refuses its arguments.
    """
    from mmpose.registry import TRANSFORMS

    type_ = attack['type']
    if isinstance(type_, str) and not TRANSFORMS.get(type_):
        raise ValueError(
            f'attack "{name}": there is no transform "{type_}"; '
            f'occlusions are {" and ".join(KINDS.values())}'
        )
    try:
        TRANSFORMS.build(dict(attack))
    except (TypeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'attack "{name}": {reason}') from error


def check_targets(attacks: Sequence[Mapping], skeleton: Skeleton) -> None:
    """See to it that the data set has what the attacks name.

    Transforms other than those of :data:`KINDS` are not judged.

    Raises:
        ValueError: It lacks a joint or part; the sentence lists those it has.
    """
    for attack in attacks:
        kind = _KIND_OF.get(_type_name(attack))
        if kind is None:
            continue
        own = attack.get('parts')
        known = Skeleton.from_names(skeleton.names, own) if own else skeleton
        target = attack.get('target', 'random')
        for name in [target] if isinstance(target, str) else target:
            name = name.removeprefix(f'{kind}:')
            if name in DRAWN[kind]:
                continue
            try:
                _LOOK_UP[kind](known, name)
            except ValueError as error:
                raise ValueError(
                    f'attack "{attack_name(attack)}": {error}'
                ) from None


def insert_attacks(
    pipeline: Sequence[Mapping], attacks: Sequence[Mapping], seed: int = 0
) -> list[dict]:
    """Put attacks into a pipeline, in order, and have them recorded.

    They come right after ``TopdownAffine``, wherever it stands (also inside
    a wrapper with ``transforms``); a pipeline that makes no crop (bottom-up)
    gets them right after the image is loaded.

    Args:
        pipeline: Configs of a test pipeline.
        attacks: Configs of the attacks; one that takes a ``seed`` and has
            none gets ``seed``.
        seed: Seed of what an attack leaves to chance.

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
        if step.get('seed') is None and 'seed' in _parameters(step):
            step['seed'] = int(seed)
        inserted.append(step)
    steps[index + 1 : index + 1] = inserted
    return with_occlusion_record(new)


def makes_crop(pipeline: Sequence[Mapping]) -> bool:
    """Whether the pipeline has ``TopdownAffine``, at any depth."""
    return _find(list(pipeline), _is_crop) is not None


def has_place(pipeline: Sequence[Mapping]) -> bool:
    """Whether :func:`insert_attacks` would find its place."""
    steps = list(pipeline)
    return makes_crop(steps) or _find(steps, _is_load) is not None


def needs_donors(step: Mapping) -> bool:
    """Whether a step, or one inside it, pastes what other people have."""
    return any(
        _type_name(inner) == 'PartMix'
        or inner.get('fill') == 'donor'
        or 'donor' in (inner.get('fills') or ())
        for steps in _levels([dict(step)])
        for inner in steps
    )


def is_occlusion(step: Mapping) -> bool:
    """Whether a step is an occlusion of this package, or has one inside."""
    return any(
        getattr(_resolve(inner), '__module__', '').startswith(_TRANSFORMS)
        for steps in _levels([dict(step)])
        for inner in steps
    )


def split_pipeline(
    pipeline: Sequence[Mapping],
) -> tuple[list[dict], list[dict]]:
    """Cut a pipeline where attacks belong.

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
            f'the pipeline has "{_type_name(steps[index])}" inside another '
            'transform, where it cannot be cut: move it to the top level'
        )
    return new[: index + 1], new[index + 1 :]


def with_occlusion_record(pipeline: Sequence[Mapping]) -> list[dict]:
    """Have the packing transforms carry the records into the data samples.

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
    """Have the packing transforms carry more keys into the data samples."""
    new = [_plain(step) for step in pipeline]
    for steps in _levels(new):
        for step in steps:
            keys = step.get('meta_keys')
            if keys is None and 'Pack' in _type_name(step):
                keys = _default_meta_keys(step)
            missing = [key for key in wanted if key not in (keys or ())]
            if keys is not None and missing:
                step['meta_keys'] = (*keys, *missing)
    return new


def with_transformed_joints(pipeline: Sequence[Mapping]) -> list[dict]:
    """Have the packing transforms carry the joints in the crop as well."""
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
    """Of a registered transform; none of one that is not known."""
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
        types = ', '.join(_type_name(step) for step in pipeline)
        raise ValueError(
            f'the pipeline ({types or "empty"}) has neither "{CROP}" nor a '
            'step that loads an image, so there is no place for an attack'
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
    return _type_name(step) == CROP


def _is_load(step: Mapping) -> bool:
    return _type_name(step).startswith('LoadImage')


def _type_name(step: Mapping) -> str:
    """``'mmpose.TopdownAffine'`` or the class itself -> its bare name."""
    type_ = step.get('type', '')
    name = type_ if isinstance(type_, str) else type_.__name__
    return name.rsplit('.', 1)[-1]


def _plain(value: Any) -> Any:
    """A deep copy in which MMEngine's config objects are plain ones."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, tuple):
        return tuple(_plain(entry) for entry in value)
    return copy.deepcopy(value)
