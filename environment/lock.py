"""Reading ``requirements.lock``: every package, exactly one version.

The file is in pip's own format. Comment lines ``# [section]`` divide it by how
the packages are installed; see ``SECTIONS``.
"""

import re
from pathlib import Path

SECTIONS = ('tools', 'torch', 'packages', 'source')
"""``tools`` build the rest; ``torch`` is what another torch build replaces;
``packages`` come as wheels; ``source`` is compiled against the others."""

_HEADING = re.compile(r'#\s*\[(\w+)\]')
_PIN = re.compile(r'([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)(\s*;.*)?$')


def read_lock(path: Path) -> dict[str, dict[str, str]]:
    """The lock's sections.

    Returns:
        For each section, the line of each package by normalised name.

    Raises:
        ValueError: a line is no exact pin, a package is named twice, or a
            section is unknown or missing.
    """
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] | None = None
    seen: set[str] = set()
    for number, text in enumerate(path.read_text().splitlines(), 1):
        line = text.strip()
        where = f'{path.name}, line {number}'
        heading = _HEADING.match(line)
        if heading:
            if heading[1] not in SECTIONS:
                raise ValueError(
                    f'{where}: unknown section {heading[1]!r}, one of '
                    f'{", ".join(SECTIONS)} is meant.'
                )
            section = sections.setdefault(heading[1], {})
        elif line and not line.startswith('#'):
            pin = _PIN.match(line)
            if pin is None or section is None:
                raise ValueError(
                    f'{where}: {line!r} must read NAME==VERSION, below the '
                    'heading of a section.'
                )
            name = normalise(pin[1])
            if name in seen:
                raise ValueError(f'{where}: {name} is named twice.')
            seen.add(name)
            section[name] = line
    missing = [name for name in SECTIONS if name not in sections]
    if missing:
        raise ValueError(f'{path.name} has no section {missing[0]!r}.')
    return sections


def normalise(name: str) -> str:
    """The canonical form of a distribution's name (PEP 503)."""
    return re.sub(r'[-_.]+', '-', name).lower()


def version_of(line: str) -> str:
    """The version in a line of the lock."""
    pin = _PIN.match(line)
    assert pin is not None
    return pin[2]
