"""Suites: named lists of attacks, in JSON files (docs/benchmark_suites.md).

A transform that is not an attack of this package is kept as it is: only
MMPose's pipelines can run it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

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


class _Suite(NamedTuple):
    """A list of attacks, unchecked."""

    name: str
    where: str  # it is written, for messages
    checksum: str
    entries: Iterable[Any]


def shipped() -> list[str]:
    """Names of the package's own suites."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


def checksum(name: str) -> str:
    """What identifies a suite's content, whatever its file's layout: the
    first 16 hexadecimal digits of the SHA-256 of the suite as canonical JSON
    (keys sorted, no blanks, ASCII)."""
    return _read_suite(name).checksum


def load_suites(
    suites: Sequence[str], specs: Sequence[str], skeleton: Skeleton
) -> list[SuiteAttack]:
    """All attacks of a benchmark: of suites, each the name of one of the
    package's or a ``.json`` file, then of short forms.

    A wildcard is each joint or part of the data set, in its order. Of equal
    attacks the first is kept.

    Raises:
        UsageError: There is no such suite, it cannot be read or does not fit
            the data set, two different attacks have the same name, or there
            is no attack.
    """
    given = _Suite(COMMAND_LINE, '--attack', '', specs)
    found: dict[str, SuiteAttack] = {}
    for suite in (*map(_read_suite, suites), given):
        try:
            for entry in suite.entries:
                for name, config, details in _expanded(entry, skeleton):
                    about = suite.name, config, details, suite.checksum
                    _add(found, SuiteAttack(name, *about))
        except ValueError as error:
            raise UsageError(f'{suite.where}: {error}') from error
    if not found:
        raise UsageError(
            'there is no attack: name a suite '
            f'(--suite {" or ".join(shipped())}), or an attack '
            "(--attack 'keypoint:*:black')"
        )
    return list(found.values())


def _read_suite(name: str) -> _Suite:
    path = Path(name) if name.endswith('.json') else FOLDER / f'{name}.json'
    if not path.is_file():
        raise UsageError(
            f'suite "{name}" does not exist: the suites are '
            f'{", ".join(shipped())}; give one of these, or a .json file'
        )
    suite, where = read_json(path, 'suite file'), f'suite file "{path}"'
    entries = suite.get('attacks') if isinstance(suite, dict) else None
    if not isinstance(entries, list):
        raise UsageError(
            f'{where} has no list "attacks": write, for example, '
            '{"attacks": ["keypoint:*:black"]}'
        )
    return _Suite(path.stem, where, key_of(suite), entries)


def _add(found: dict[str, SuiteAttack], attack: SuiteAttack) -> None:
    """Unless it is there; a ValueError if another one has its name."""
    first = found.setdefault(attack.name, attack)
    if first.key != attack.key:
        raise ValueError(
            f'two different attacks have the name "{attack.name}", in suite '
            f'"{first.suite}" and in suite "{attack.suite}": give one of them '
            'another name, {"attack": ..., "name": "..."}'
        )


def _expanded(
    entry: Any, skeleton: Skeleton
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, config and details of the attacks of an entry, one for each target
    of its wildcard."""
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
        yield name or str(one), one.to_config(), _derived(one) | details


def _derived(attack: Attack) -> dict[str, Any]:
    """What figures and tables ask of an attack."""
    out: dict[str, Any] = {}
    if attack.size.fraction is not None and attack.kind != PART:
        out['severity'] = attack.size.fraction
    if attack.offset:
        out['offset'] = attack.offset
    if attack.place != TARGET:
        out['control'] = attack.place
        out['of'] = str(replace(attack, place=TARGET))
    return out
