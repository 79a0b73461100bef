"""Suites: named lists of attacks, in JSON files (docs/benchmark_suites.md).

A transform that is not an attack of this package is kept as it is: only
MMPose's pipelines can run it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import key_of, plain, read_json
from mmpose_occlusion.occlusion import Attack, parse_attack
from mmpose_occlusion.occlusion.placement import TARGET
from mmpose_occlusion.occlusion.targets import PART
from mmpose_occlusion.skeleton import Skeleton

FOLDER = Path(__file__).parent / 'suites'
"""Folder of the package's own suites."""

DEFAULT = 'occlusion-1.0'  # where neither a suite nor an attack is named
COMMAND_LINE = 'attacks'  # suite of single attacks of the command line
_ENTRY = ('attack', 'name', 'details')
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SuiteAttack:
    """One attack of a suite, on one data set."""

    name: str  # unique in a benchmark: the suite's for it, or its short form
    suite: str
    config: dict[str, Any]  # of its transform
    details: dict[str, Any] = field(default_factory=dict)  # also derived ones
    checksum: str = ''  # of the suite; empty for the command line's

    @property
    def key(self) -> str:
        """Digest of what it does; defaults may be written out or not."""
        attack = Attack.from_config(self.config)
        if attack is None:
            return key_of([self.config])
        # a part has no size; the keys of stored results have this one
        size = '6' if attack.kind == PART else str(attack.size)
        complete = dict(vars(attack), size=size)
        if not attack.offset:
            del complete['offset'], complete['stay_covered']
        return key_of([complete])

    def to_json(self) -> dict[str, Any]:
        """Plain values for the store."""
        out = dict(vars(self), key=self.key, configs=[self.config])
        del out['config']
        return plain(out)


def shipped() -> list[str]:
    """Names of the package's own suites."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


def checksum(name: str) -> str:
    """What identifies a suite's content, whatever its file's layout: the
    first 16 hexadecimal digits of the SHA-256 of the suite as canonical JSON
    (keys sorted, no blanks, ASCII)."""
    return key_of(_read_suite(name)[0])


def load_suites(
    suites: Sequence[str], specs: Sequence[str], skeleton: Skeleton
) -> list[SuiteAttack]:
    """All attacks of a benchmark, of suites (see :func:`load_suite`) and short
    forms, wildcards allowed; one of several suites belongs to the first.

    Raises:
        UsageError: A suite cannot be read or does not fit the data set, two
            different attacks have the same name, or there is no attack.
    """
    found = [a for name in suites for a in load_suite(name, skeleton)]
    found += _attacks(specs, COMMAND_LINE, '', '--attack', skeleton)
    if not found:
        raise UsageError(
            'there is no attack: name a suite '
            f'(--suite {" or ".join(shipped())}), or an attack '
            "(--attack 'keypoint:*:black')"
        )
    return _unique(found)


def load_suite(name: str, skeleton: Skeleton) -> list[SuiteAttack]:
    """The attacks of one of the package's suites or of a ``.json`` file, in
    its order; wildcards in that of the data set's joints and parts.

    Raises:
        UsageError: There is no such suite, it cannot be read, or it names a
            joint or part that the data set lacks.
    """
    content, path = _read_suite(name)
    about = path.stem, key_of(content), f'suite file "{path}"'
    return _attacks(content['attacks'], *about, skeleton)


def _read_suite(name: str) -> tuple[dict[str, Any], Path]:
    """A suite's content, and its file."""
    path = Path(name) if name.endswith('.json') else FOLDER / f'{name}.json'
    if not path.is_file():
        raise UsageError(
            f'suite "{name}" does not exist: the suites are '
            f'{", ".join(shipped())}; give one of these, or a .json file'
        )
    suite = read_json(path, 'suite file')
    entries = suite.get('attacks') if isinstance(suite, dict) else None
    if not isinstance(entries, list):
        raise UsageError(
            f'suite file "{path}" has no list "attacks": write, for example, '
            '{"attacks": ["keypoint:*:black"]}'
        )
    return suite, path


def _attacks(
    entries: Iterable, suite: str, known: str, where: str, skeleton: Skeleton
) -> list[SuiteAttack]:
    """The checked attacks of the entries of a suite with a checksum."""
    try:
        return _unique(
            SuiteAttack(name, suite, config, details, known)
            for entry in entries
            for name, config, details in _expanded(entry, skeleton)
        )
    except ValueError as error:
        raise UsageError(f'{where}: {error}') from error


def _unique(attacks: Iterable[SuiteAttack]) -> list[SuiteAttack]:
    """Without repetition; different ones have different names."""
    out: dict[str, SuiteAttack] = {}
    for attack in attacks:
        first = out.setdefault(attack.name, attack)
        if first.key != attack.key:
            raise UsageError(
                f'two different attacks have the name "{attack.name}", in '
                f'suite "{first.suite}" and in suite "{attack.suite}": give '
                'one of them another name, {"attack": ..., "name": "..."}'
            )
    return list(out.values())


def _expanded(
    entry: Any, skeleton: Skeleton
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, config and details of the attacks of one entry, one for each
    target of its wildcard."""
    if not (isinstance(entry, Mapping) and 'attack' in entry):
        entry = dict(attack=entry)
    for key in entry:
        if key not in _ENTRY:
            raise ValueError(
                f'an entry has the key "{key}": it may have '
                f'{", ".join(_ENTRY)}'
            )
    given, name = entry['attack'], entry.get('name')
    details = entry.get('details') or {}
    if isinstance(given, str):
        attack: Attack | None = parse_attack(given)
    elif isinstance(given, Mapping) and 'type' in given:
        attack = Attack.from_config(given)
    else:
        raise ValueError(
            f'{given!r} is no attack: write a short form such as '
            '"keypoint:nose:black", or a transform with its "type"'
        )
    if attack is None:
        own = getattr(given['type'], '__name__', str(given['type']))
        yield name or own, dict(given), details
        return
    if attack.kind == PART and skeleton.own_parts and not attack.parts:
        attack = replace(attack, parts=skeleton.own_parts)
    every = attack.expand(skeleton)
    if not every:
        _LOG.warning(
            'This data set has no body parts, so its suites have no attacks '
            "on parts: define them in the config's occlusion_parts."
        )
    for one in every:
        one.check(skeleton)
        more: dict[str, Any] = {}
        if one.size.fraction is not None and one.kind != PART:
            more['severity'] = one.size.fraction
        if one.offset:
            more['offset'] = one.offset
        if one.place != TARGET:
            more['control'] = one.place
            more['of'] = str(replace(one, place=TARGET))
        yield name or str(one), one.to_config(), more | details
