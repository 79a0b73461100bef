"""Suites: named lists of attacks, in JSON files.

A suite's file is ``{"attacks": [...]}``, with an optional ``"description"``.
An entry is

- a short form, such as ``"keypoint:nose:black"``;
- a transform's config, such as ``{"type": "PartOcclusion", "fill": "mean"}``;
- or ``{"attack": ..., "name": ..., "details": ...}``, where ``attack`` is one
  of these or a list of them, which act on the same crop in this order.
  ``details`` are plain values for the analysis and the report.

Some details are derived: ``severity``, the diameter of an attack whose size is
a fraction of the bbox height; for controls ``control``, their place, and
``of``, the short form of the attack that they are a control of.

The target ``*`` stands for each joint, or each body part, of the data set in
turn; a ``name`` may then contain ``{target}``.

A transform that is not an attack of this package is kept as it is: only
MMPose's pipelines can run it.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmpose_occlusion.attacks import (
    KINDS,
    PLACES,
    as_attacks,
    attack_name,
    check_targets,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

from .identity import key_of, plain

FOLDER = Path(__file__).parent / 'suites'
"""Folder of the package's own suites."""

COMMAND_LINE = 'attacks'
"""Name of the suite of single attacks of the command line."""

ALSO_IN = 'also_in'
"""Key in an attack's details: names of the other suites that contain it."""

WILDCARD = '*'
_ENTRY = ('attack', 'name', 'details')
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SuiteAttack:
    """One attack of a suite, on one data set.

    Args:
        name: Unique in a benchmark: the suite's name for it, or its short
            form.
        suite: Name of the suite.
        configs: Configs of its transforms, in order.
        details: From the suite, and derived.
    """

    name: str
    suite: str
    configs: tuple[dict, ...]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Digest of what it does; defaults may be written out or not."""
        return key_of([_complete(config) for config in self.configs])

    def to_json(self) -> dict[str, Any]:
        """Plain values for the store."""
        return dict(
            key=self.key,
            name=self.name,
            suite=self.suite,
            configs=plain(self.configs),
            details=plain(self.details),
        )


def shipped() -> list[str]:
    """Names of the package's own suites."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


def load_suites(
    suites: Sequence[str],
    specs: Sequence[str],
    skeleton: Skeleton,
    own: Mapping[str, Sequence] | None = None,
) -> list[SuiteAttack]:
    """All attacks of a benchmark, without repetition.

    An attack of several suites belongs to the first; its details name the
    others under :data:`ALSO_IN`.

    Args:
        suites: Names or files, see :func:`load_suite`.
        specs: Short forms of further attacks, wildcards allowed.
        skeleton: The data set's joints and parts.
        own: Suites of a config, name -> entries.

    Raises:
        UsageError: A suite cannot be read or does not fit the data set, two
            different attacks have the same name, or there is no attack.
    """
    entries = [
        attack for name in suites for attack in load_suite(name, skeleton, own)
    ]
    entries += _attacks(specs, COMMAND_LINE, '--attack', skeleton)
    found: dict[str, SuiteAttack] = {}
    for attack in entries:
        first = found.setdefault(attack.name, attack)
        if first.key != attack.key:
            raise UsageError(
                f'two attacks have the name "{attack.name}": one of suite '
                f'"{first.suite}" and one of suite "{attack.suite}"; give '
                'one of them another name, '
                '{"attack": ..., "name": "..."}'
            )
        if first is not attack:
            found[attack.name] = _merged(first, attack)
    if not found:
        raise UsageError(
            'there is no attack: name a suite '
            f'(--suite {" or ".join(shipped())}), or an attack '
            "(--attack 'keypoint:*:black')"
        )
    return list(found.values())


def load_suite(
    name: str,
    skeleton: Skeleton,
    own: Mapping[str, Sequence] | None = None,
) -> list[SuiteAttack]:
    """The attacks of one suite.

    Args:
        name: Name of a suite in ``own``, of one of the package's own, or the
            path of a suite's ``.json`` file.
        skeleton: The data set's joints and parts, the user's parts included.
        own: Suites of a config, name -> entries.

    Returns:
        In the suite's order, wildcards in the data set's order.

    Raises:
        UsageError: There is no such suite, it cannot be read, or it names a
            joint or part that the data set lacks.
    """
    own = own or {}
    if name in own:
        where = f'suite "{name}" of the config'
        return _attacks(own[name], name, where, skeleton)
    is_path = name.endswith('.json')
    path = Path(name) if is_path else FOLDER / f'{name}.json'
    if not path.is_file():
        raise UsageError(
            f'suite "{name}" does not exist: the suites are '
            f'{", ".join([*own, *shipped()])}; give one of these, a .json '
            "file, or an entry of the config's occlusion_suites"
        )
    where = f'suite file "{path}"'
    try:
        suite = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise UsageError(f'{where} cannot be read: {error}') from error
    entries = suite.get('attacks') if isinstance(suite, dict) else None
    if not isinstance(entries, list):
        raise UsageError(
            f'{where} has no list "attacks": write, for example, '
            '{"attacks": ["keypoint:*:black"]}'
        )
    return _attacks(entries, path.stem, where, skeleton)


def _attacks(
    entries: Iterable, suite: str, where: str, skeleton: Skeleton
) -> list[SuiteAttack]:
    """The checked attacks of a suite's entries."""
    out: dict[str, SuiteAttack] = {}
    for entry in entries:
        try:
            found = list(_expanded(entry, suite, skeleton))
        except ValueError as error:
            raise UsageError(f'{where}: {error}') from error
        for attack in found:
            twin = out.setdefault(attack.name, attack)
            if twin.key != attack.key:
                raise UsageError(
                    f'{where}: two different attacks have the name '
                    f'"{attack.name}"; give one of them another name, '
                    '{"attack": ..., "name": "..."}'
                )
    return list(out.values())


def _expanded(
    entry: Any, suite: str, skeleton: Skeleton
) -> Iterable[SuiteAttack]:
    """The attacks of one entry, one for each target of its wildcard."""
    if not (isinstance(entry, Mapping) and 'attack' in entry):
        entry = dict(attack=entry)
    unknown = [key for key in entry if key not in _ENTRY]
    if unknown:
        raise ValueError(
            f'an entry has the key "{unknown[0]}": it may have '
            f'{", ".join(_ENTRY)}'
        )
    configs = _read(entry['attack'], skeleton)
    for target in _targets(configs, skeleton):
        named = tuple(
            dict(c, target=target) if c.get('target') == WILDCARD else c
            for c in configs
        )
        check_targets(named, skeleton)
        name = entry.get('name') or '+'.join(map(attack_name, named))
        if target is not None:
            name = name.replace('{target}', target)
        details = {**_derived(named), **(entry.get('details') or {})}
        yield SuiteAttack(name, suite, named, details)


def _merged(first: SuiteAttack, again: SuiteAttack) -> SuiteAttack:
    others = [*first.details.get(ALSO_IN, ()), again.suite]
    others = [name for name in dict.fromkeys(others) if name != first.suite]
    details = {**again.details, **first.details}
    return replace(
        first, details={**details, ALSO_IN: others} if others else details
    )


# Below: all that knows how an attack's config is written.

_TYPES = {name: kind for kind, name in KINDS.items()}
_DEFAULTS: dict[str, dict[str, Any]] = {
    'keypoint': dict(target='random', fill='blur', radius=6),
    'part': dict(target='random', fill='blur'),
}


def _read(entry: Any, skeleton: Skeleton) -> list[dict]:
    """Configs of an entry's transforms, the user's own parts added."""
    configs = []
    for config in as_attacks(entry):
        kind = _kind(config)
        if kind:
            config = dict(config, type=KINDS[kind])
        if kind == 'part' and skeleton.own_parts:
            own = {k: list(v) for k, v in skeleton.own_parts.items()}
            config = dict(dict(parts=own), **config)
        configs.append(config)
    return configs


def _kind(config: Mapping) -> str | None:
    """``keypoint``, ``part``, or None for any other transform."""
    type_ = config['type']
    if isinstance(type_, str):
        return _TYPES.get(type_.removeprefix('mmpose.'))
    ours = type_.__module__.startswith('mmpose_occlusion.')
    return _TYPES.get(type_.__name__) if ours else None


def _targets(
    configs: Sequence[Mapping], skeleton: Skeleton
) -> Sequence[str | None]:
    """What a wildcard stands for; a single None without a wildcard."""
    kinds = {_kind(c) for c in configs if c.get('target') == WILDCARD}
    if not kinds:
        return [None]
    if len(kinds) > 1:
        raise ValueError(
            'an attack has "*" for joints and for parts at once: write two '
            'attacks'
        )
    if kinds.pop() == 'keypoint':
        return list(skeleton.names)
    if not skeleton.parts:
        _LOG.warning(
            'This data set has no body parts, so its suites have no attacks '
            "on parts: define them in the config's occlusion_parts."
        )
    return list(skeleton.parts)


def _derived(configs: Sequence[Mapping]) -> dict[str, Any]:
    """Details that follow from an attack's config."""
    if len(configs) != 1:
        return {}
    (config,) = configs
    details: dict[str, Any] = {}
    if config.get('diameter') is not None:
        details['severity'] = config['diameter']
    if config.get('place') in PLACES:
        centred = {k: v for k, v in config.items() if k != 'place'}
        details.update(control=config['place'], of=attack_name(centred))
    return details


def _complete(config: Mapping) -> dict[str, Any]:
    """An attack's config with its defaults written out."""
    defaults = _DEFAULTS.get(_kind(config) or '', {})
    return {k: v for k, v in {**defaults, **config}.items() if v is not None}
