"""Suites: named lists of attacks, in config files.

A suite's file sets ``attacks``, a list. An entry is

- a short form, such as ``keypoint:nose:black``;
- a transform's config, such as ``dict(type='PartOcclusion', target='head')``;
- or ``dict(attack=..., name=..., details=...)`` around one of these, or around
  a list of them that act on the same crop in this order. ``details`` are
  plain values that the analysis and the report get to see.

Some details are there without being said: ``severity``, the ``diameter`` of an
attack that has one, and for controls ``control``, their ``place``, and ``of``,
the short form of the attack that they are a control of.

``*`` as a target is each joint, or each body part, of the data set; a
``name`` then holds ``{target}``.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmpose_occlusion.engine.pipelines import (
    KINDS,
    PLACES,
    as_attacks,
    attack_name,
    check_buildable,
    check_targets,
    with_defaults,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.skeleton import Skeleton

WILDCARD = '*'

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'occlusion_suites'
"""Where the project's own suites are."""

COMMAND_LINE = 'attacks'
"""Name of the suite of the attacks that were named one by one."""

ALSO_IN = 'also_in'
"""Key in the details of an attack that other suites have, too: their names."""

_ENTRY = ('attack', 'name', 'details')


@dataclass(frozen=True)
class SuiteAttack:
    """One attack of a suite, on one data set.

    Args:
        name: Unique among all attacks of a benchmark; that which the suite
            gives, or :func:`mmpose_occlusion.engine.pipelines.attack_name`.
        suite: Name of the suite.
        configs: Configs of the transforms that make it, in their order.
        details: What the suite says of it, and what is derived.
    """

    name: str
    suite: str
    configs: tuple[dict, ...]
    details: dict[str, Any] = field(default_factory=dict)


def shipped() -> list[str]:
    """Names of the project's own suites."""
    return sorted(path.stem for path in FOLDER.glob('*.py'))


def load_suites(
    suites: Sequence[str],
    specs: Sequence[str],
    skeleton: Skeleton,
    own: Mapping[str, Sequence] | None = None,
) -> list[SuiteAttack]:
    """All attacks of a benchmark, each once.

    An attack that several suites have belongs to the first; its details name
    the others under :data:`ALSO_IN`.

    Args:
        suites: Names or files, see :func:`load_suite`.
        specs: Short forms of more attacks, with wildcards.
        skeleton: The data set's joints and parts.
        own: The config's suites.

    Raises:
        UsageError: One cannot be read or does not fit the data set, two
            different attacks have the same name, or there is none at all.
    """
    entries = [
        attack for name in suites for attack in load_suite(name, skeleton, own)
    ]
    entries += _attacks(specs, COMMAND_LINE, '--attack', skeleton)
    found: dict[str, SuiteAttack] = {}
    for attack in entries:
        first = found.setdefault(attack.name, attack)
        if not _same(first, attack):
            raise UsageError(
                f'two attacks have the name "{attack.name}": one of suite '
                f'"{first.suite}" and one of suite "{attack.suite}"; give '
                'one of them a name of its own, '
                "dict(attack=..., name='...')"
            )
        if first is not attack:
            found[attack.name] = _merged(first, attack)
    if not found:
        raise UsageError(
            'there is no attack: name a suite '
            f'(--suite {" or ".join(shipped())}), or an attack '
            '(--attack keypoint:*:black)'
        )
    return list(found.values())


def load_suite(
    name: str,
    skeleton: Skeleton,
    own: Mapping[str, Sequence] | None = None,
) -> list[SuiteAttack]:
    """The attacks of one suite.

    Args:
        name: Of a suite in ``own``, of one of the project's own, or the path
            of a suite's file, which ends in ``.py``.
        skeleton: The data set's joints and parts, the user's own included.
        own: Suites that a config defines, name -> entries.

    Returns:
        In the suite's order, wildcards in that of the data set.

    Raises:
        UsageError: There is no such suite, it cannot be read, or it names
            what the data set lacks.
    """
    own = own or {}
    if name in own:
        where = f'suite "{name}" of the config'
        return _attacks(own[name], name, where, skeleton)
    path = Path(name) if name.endswith('.py') else FOLDER / f'{name}.py'
    if not path.is_file():
        known = ', '.join([*own, *shipped()])
        raise UsageError(
            f'suite "{name}" does not exist: the suites are {known}; '
            "your own is a file that ends in .py, or an entry of the config's "
            'occlusion_suites'
        )
    try:
        entries = Config.fromfile(path).get('attacks')
    except Exception as error:
        reason = ' '.join(str(error).split())
        raise UsageError(
            f'suite file "{path}" cannot be read: {reason}'
        ) from error
    if isinstance(entries, str) or not isinstance(entries, Sequence):
        raise UsageError(
            f'suite file "{path}" has no list "attacks": write, for example, '
            "attacks = ['keypoint:*:black']"
        )
    return _attacks(entries, path.stem, f'suite file "{path}"', skeleton)


def _attacks(
    entries: Iterable, suite: str, where: str, skeleton: Skeleton
) -> list[SuiteAttack]:
    """The attacks of a suite's entries, checked."""
    out: dict[str, SuiteAttack] = {}
    for entry in entries:
        try:
            found = list(_expanded(entry, suite, skeleton))
            for attack in found:
                _check(attack, skeleton)
        except ValueError as error:
            raise UsageError(f'{where}: {error}') from error
        for attack in found:
            twin = out.setdefault(attack.name, attack)
            if not _same(twin, attack):
                raise UsageError(
                    f'{where}: two different attacks have the name '
                    f'"{attack.name}"; give one of them a name of its own, '
                    "dict(attack=..., name='...')"
                )
    return list(out.values())


def _expanded(
    entry: Any, suite: str, skeleton: Skeleton
) -> Iterable[SuiteAttack]:
    """The attacks of one entry, one for each of its wildcard's targets."""
    if not (isinstance(entry, Mapping) and 'attack' in entry):
        entry = dict(attack=entry)
    unknown = [key for key in entry if key not in _ENTRY]
    if unknown:
        raise ValueError(
            f'an entry has the key "{unknown[0]}": it may have '
            f'{", ".join(_ENTRY)}'
        )
    configs = [_with_parts(c, skeleton) for c in as_attacks(entry['attack'])]
    for target in _targets(configs, skeleton):
        named = [
            dict(c, target=target) if c.get('target') == WILDCARD else c
            for c in configs
        ]
        name = entry.get('name') or '+'.join(map(attack_name, named))
        if target is not None:
            name = name.replace('{target}', target)
        details = {**_derived(named), **(entry.get('details') or {})}
        yield SuiteAttack(name, suite, tuple(named), details)


def _derived(configs: Sequence[Mapping]) -> dict[str, Any]:
    """The details that an attack has without its suite saying so."""
    if len(configs) != 1:
        return {}
    (config,) = configs
    details: dict[str, Any] = {}
    if config.get('diameter') is not None:
        details['severity'] = config['diameter']
    if config.get('place') in PLACES:
        plain = {k: v for k, v in config.items() if k != 'place'}
        details.update(control=config['place'], of=attack_name(plain))
    return details


def _targets(
    configs: Sequence[Mapping], skeleton: Skeleton
) -> Sequence[str | None]:
    """What a wildcard stands for; a single None where there is none."""
    kinds = {c['type'] for c in configs if c.get('target') == WILDCARD}
    if not kinds:
        return [None]
    if len(kinds) > 1:
        raise ValueError(
            'an attack has "*" for joints and for parts at once: write two '
            'attacks'
        )
    if kinds.pop() == KINDS['keypoint']:
        return list(skeleton.names)
    if not skeleton.parts:
        print_log(
            'This data set has no body parts, so that its suites have no '
            "attacks on them: name its own in the config's occlusion_parts.",
            'current',
            logging.WARNING,
        )
    return list(skeleton.parts)


def _with_parts(config: dict, skeleton: Skeleton) -> dict:
    """An attack on parts knows the user's own."""
    if skeleton.own_parts and config.get('type') == KINDS['part']:
        own = {part: list(names) for part, names in skeleton.own_parts.items()}
        return dict(dict(parts=own), **config)
    return config


def _check(attack: SuiteAttack, skeleton: Skeleton) -> None:
    """Build an attack and look up its targets.

    Raises:
        ValueError: That fails.
    """
    for config in attack.configs:
        check_buildable(config, attack.name)
    check_targets(attack.configs, skeleton)


def _same(one: SuiteAttack, other: SuiteAttack) -> bool:
    """Whether two attacks do the same, defaults written out or not."""

    def complete(attack: SuiteAttack) -> list[dict]:
        return [with_defaults(c) for c in attack.configs]

    return complete(one) == complete(other)


def _merged(first: SuiteAttack, again: SuiteAttack) -> SuiteAttack:
    others = [*first.details.get(ALSO_IN, ()), again.suite]
    others = [name for name in dict.fromkeys(others) if name != first.suite]
    details = {**again.details, **first.details}
    return replace(
        first,
        details={**details, ALSO_IN: others} if others else details,
    )
