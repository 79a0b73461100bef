"""Suites: named lists of attacks, in JSON files.

A suite's file is ``{"attacks": [...]}``, with an optional ``"description"``.
An entry is

- a short form, such as ``"keypoint:nose:black"``;
- a transform's config, such as ``{"type": "PartOcclusion", "fill": "mean"}``;
- or ``{"attack": ..., "name": ..., "details": ...}``, where ``attack`` is one
  of these or a list of them, which act on the same crop in this order.
  ``details`` are plain values for the analysis and the report.

Some details are derived: ``severity``, the diameter of an attack whose size is
a fraction of the bbox height; ``offset``, of discs that are not centred; for
controls ``control``, their place, and ``of``, the short form of the attack
that they are a control of.

The target ``*`` stands for each joint, or each body part, of the data set in
turn; a ``name`` may then contain ``{target}``.

A transform that is not an attack of this package is kept as it is: only
MMPose's pipelines can run it.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import plain
from mmpose_occlusion.occlusion import Attack, parse_attack
from mmpose_occlusion.occlusion.placement import TARGET
from mmpose_occlusion.occlusion.targets import PART
from mmpose_occlusion.skeleton import Skeleton

from .identity import key_of

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
    configs: tuple[dict, ...]  # of its transforms, in order
    details: dict[str, Any] = field(default_factory=dict)  # also derived ones
    checksum: str = ''  # of the suite; empty for the command line's

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
            checksum=self.checksum,
        )


def shipped() -> list[str]:
    """Names of the package's own suites."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


def checksum(name: str, own: Mapping[str, Sequence] | None = None) -> str:
    """What identifies a suite's content, whatever its file's layout: the
    first 16 hexadecimal digits of the SHA-256 of the suite as canonical JSON
    (keys sorted, no blanks, ASCII). Arguments as of :func:`load_suite`."""
    return key_of(_read_suite(name, own or {})[0])


def load_suites(
    suites: Sequence[str],
    specs: Sequence[str],
    skeleton: Skeleton,
    own: Mapping[str, Sequence] | None = None,
) -> list[SuiteAttack]:
    """All attacks of a benchmark; one of several suites belongs to the first.

    Args:
        suites: Names or files, see :func:`load_suite`.
        specs: Short forms of further attacks, wildcards allowed.
        skeleton: The data set's joints and parts.
        own: Suites of a config, name -> entries.

    Raises:
        UsageError: A suite cannot be read or does not fit the data set, two
            different attacks have the same name, or there is no attack.
    """
    found = [a for name in suites for a in load_suite(name, skeleton, own)]
    found += _attacks(specs, COMMAND_LINE, '--attack', skeleton)
    if not found:
        raise UsageError(
            'there is no attack: name a suite '
            f'(--suite {" or ".join(shipped())}), or an attack '
            "(--attack 'keypoint:*:black')"
        )
    return _unique(found)


def load_suite(
    name: str, skeleton: Skeleton, own: Mapping[str, Sequence] | None = None
) -> list[SuiteAttack]:
    """The attacks of one suite, in its order; wildcards in the data set's.

    Args:
        name: Name of a suite in ``own``, of one of the package's own, or the
            path of a suite's ``.json`` file.
        skeleton: The data set's joints and parts, the user's parts included.
        own: Suites of a config, name -> entries.

    Raises:
        UsageError: There is no such suite, it cannot be read, or it names a
            joint or part that the data set lacks.
    """
    content, where = _read_suite(name, own or {})
    is_path = name.endswith('.json') and name not in (own or {})
    suite = Path(name).stem if is_path else name
    found = _attacks(content['attacks'], suite, where, skeleton)
    known = key_of(content)
    return [replace(attack, checksum=known) for attack in found]


def _read_suite(
    name: str, own: Mapping[str, Sequence]
) -> tuple[dict[str, Any], str]:
    """A suite's content, and a name for it in errors."""
    if name in own:
        return dict(attacks=own[name]), f'suite "{name}" of the config'
    path = Path(name if name.endswith('.json') else FOLDER / f'{name}.json')
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
    return suite, where


def _attacks(
    entries: Iterable, suite: str, where: str, skeleton: Skeleton
) -> list[SuiteAttack]:
    """The checked attacks of a suite's entries."""
    try:
        return _unique(
            attack
            for entry in entries
            for attack in _expanded(entry, suite, skeleton)
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
    attacks = _read(entry['attack'], skeleton)
    for target, steps in _steps(attacks, skeleton):
        name = entry.get('name') or '+'.join(map(_label, steps))
        if target is not None:
            name = name.replace('{target}', target)
        details = {**_derived(steps), **(entry.get('details') or {})}
        configs = [
            s.to_config() if isinstance(s, Attack) else s for s in steps
        ]
        yield SuiteAttack(name, suite, tuple(configs), details)


def _label(step: Attack | dict) -> str:
    """Short form of an attack, or of a transform of others."""
    if isinstance(step, Attack):
        return str(step)
    name = getattr(step['type'], '__name__', str(step['type']))
    target = step.get('target', '')
    if isinstance(target, list | tuple):
        target = ','.join(map(str, target))
    fields = [name.rpartition('.')[2], target, step.get('fill', '')]
    return ':'.join(str(part) for part in fields if part)


def _read(entry: Any, skeleton: Skeleton) -> list[Attack | dict]:
    """The attacks of an entry, with the user's own parts."""
    if isinstance(entry, Sequence) and entry and not isinstance(entry, str):
        return [one for part in entry for one in _read(part, skeleton)]
    if isinstance(entry, str):
        attack = parse_attack(entry)
    elif not isinstance(entry, Mapping):
        raise ValueError(
            f'{entry!r} is no attack: write a short form such as '
            '"keypoint:nose:black", or a transform'
        )
    elif 'type' not in entry:
        raise ValueError(
            'an attack has no "type": write, for example, '
            '{"type": "KeypointOcclusion", "target": "nose"}'
        )
    else:
        found = Attack.from_config(entry)
        if found is None:
            return [dict(entry)]
        attack = found
    if attack.kind == PART and skeleton.own_parts and not attack.parts:
        attack = replace(attack, parts=skeleton.own_parts)
    return [attack]


def _steps(
    attacks: Sequence[Attack | dict], skeleton: Skeleton
) -> Iterator[tuple[str | None, list[Attack | dict]]]:
    """The attacks for each target of their wildcard; its name, or None."""
    wild = [a for a in attacks if isinstance(a, Attack) and a.is_wild]
    if len({attack.kind for attack in wild}) > 1:
        raise ValueError(
            'an attack has "*" for joints and for parts at once: write two '
            'attacks'
        )
    names: list[str | None] = [None]
    if wild:
        names = [one.names[0] for one in wild[0].expand(skeleton)]
    if not names:
        _LOG.warning(
            'This data set has no body parts, so its suites have no attacks '
            "on parts: define them in the config's occlusion_parts."
        )
    for name in names:
        steps = [
            replace(a, names=(name,)) if name and a in wild else a
            for a in attacks
        ]
        for step in steps:
            if isinstance(step, Attack):
                step.check(skeleton)
        yield name, steps


def _derived(attacks: Sequence[Attack | dict]) -> dict[str, Any]:
    """Details that follow from an attack."""
    if len(attacks) != 1 or not isinstance(attacks[0], Attack):
        return {}
    attack = attacks[0]
    details: dict[str, Any] = {}
    if attack.size.fraction is not None and attack.kind != PART:
        details['severity'] = attack.size.fraction
    if attack.offset:
        details['offset'] = attack.offset
    if attack.place != TARGET:
        centred = replace(attack, place=TARGET)
        details.update(control=attack.place, of=str(centred))
    return details


def _complete(config: Mapping) -> dict[str, Any]:
    """An attack's config with its defaults written out."""
    attack = Attack.from_config(config)
    if attack is None:
        return dict(config)
    complete: dict[str, Any] = dict(
        kind=attack.kind,
        names=attack.names,
        fill=attack.fill,
        # a part has no size; the keys of stored results have this one
        size='6' if attack.kind == PART else str(attack.size),
        place=attack.place,
        parts=attack.parts,
        options=attack.options,
    )
    if attack.offset:
        complete.update(offset=attack.offset, stay_covered=attack.stay_covered)
    return complete
