"""The steps from an empty folder to the locked environment.

Each step is marked when it has finished, and done again from its start when
it was interrupted: pip is told to install over what it finds.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import build_mmcv, preconditions
from .layout import Layout
from .lock import SECTIONS, read_lock, version_of
from .pip import QUICK, live_links, pip_environment
from .run_command import CommandError, duration, reason, run, say
from .setup_error import SetupError

CHECK = """
import json, sys
from importlib.metadata import version
for name, wanted in json.loads(sys.argv[1]).items():
    assert version(name) == wanted, (name, version(name), wanted)
import torchvision
import mmdet.datasets
import mmpose.apis, mmpose.datasets, mmpose.evaluation
import mmpose.models, mmpose.visualization
"""

NO_UPDATE_CHECK = """\
import os; os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
"""
"""albumentations asks the network for newer versions when it is imported."""


@dataclass
class Builder:
    """Builds one environment.

    Args:
        layout: its folders.
        lock: the lock file.
        environ: the user's variables.
        keep: the file descriptor that holds the cache's lock.
    """

    layout: Layout
    lock: Path
    environ: Mapping[str, str]
    keep: int
    sections: dict[str, dict[str, str]] = field(init=False)
    compilers: dict[str, str] = field(init=False, default_factory=dict)
    env: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.sections = read_lock(self.lock)

    def build(self) -> None:
        """Do the steps that are left.

        Raises:
            SetupError: one of them cannot be done.
        """
        start = time.monotonic()
        if self.layout.root.exists() and not self.layout.python.exists():
            shutil.rmtree(self.layout.root)  # its Python has gone
        done = self._finished('torch')
        self.compilers = preconditions.check(
            self.layout.cache,
            preconditions.REST_SIZE if done else preconditions.FULL_SIZE,
            self.environ,
        )
        shutil.rmtree(self.layout.temporary, ignore_errors=True)
        self.layout.temporary.mkdir()
        try:
            self._prepare_pip()
            self._do_steps()
        finally:
            shutil.rmtree(self.layout.temporary, ignore_errors=True)
        say(f'Set up in {duration(time.monotonic() - start)}.')
        others = sorted(
            path.name
            for path in self.layout.cache.glob('env-*/')
            if path != self.layout.root
        )
        if others:
            say(
                f'{self.layout.cache} has environments of other locks or '
                f'variables too, which may be removed: {" ".join(others)}'
            )

    def _prepare_pip(self) -> None:
        self.env = pip_environment(self.environ, str(self.layout.temporary))
        links, dead = live_links(self.env.get('PIP_FIND_LINKS', ''))
        for link in dead:
            say(f'{link} in PIP_FIND_LINKS does not answer: left out.')
        if dead:
            self.env['PIP_FIND_LINKS'] = links

    def _do_steps(self) -> None:
        steps: list[tuple[str, str, Callable[[], None]]] = [
            ('venv', 'virtual environment and build tools, 30 s', self._venv),
            ('packages', 'packages, 1 to 3 min', self._packages),
            ('torch', 'torch and torchvision, 2 to 10 min', self._torch),
            ('source', 'extensions for this NumPy, 30 s', self._source),
            ('mmcv', 'mmcv', self._mmcv),
            ('check', 'first import of everything, 30 s', self._check),
        ]
        say(
            f'Setting up the environment in {self.layout.root} (once; it can '
            f'be interrupted and run again). Log: {self.layout.log}'
        )
        for number, (name, title, step) in enumerate(steps, 1):
            label = f'[{number}/{len(steps)}] {title}'
            if self._finished(name):
                say(f'{label}: done before')
                continue
            say(label)
            try:
                step()
            except CommandError as error:
                say('      ' + '      '.join(error.lines[-15:]))
                raise
            self._finish(name)
        self._finish('all')

    def _finished(self, name: str) -> bool:
        return (self.layout.steps / name).exists()

    def _finish(self, name: str) -> None:
        self.layout.steps.mkdir(exist_ok=True)
        (self.layout.steps / name).touch()

    def _run(self, *command: str, **extra: str) -> list[str]:
        return run(
            command,
            log=self.layout.log,
            env={**self.env, **extra},
            keep=self.keep,
            cwd=self.layout.cache,
        )

    def _pip(self, *arguments: str, **extra: str) -> list[str]:
        return self._run(
            str(self.layout.python), '-m', 'pip', *arguments, **extra
        )

    def _install(self, lines: list[str], *options: str, **extra: str) -> None:
        """Install exactly these, over whatever an interruption has left."""
        handle, name = tempfile.mkstemp('.txt', dir=self.layout.temporary)
        with os.fdopen(handle, 'w') as file:
            file.write('\n'.join(lines) + '\n')
        self._pip(
            *('install', '--no-deps', '--ignore-installed'),
            *('--no-build-isolation', '-r', name),
            *options,
            **extra,
        )

    def _venv(self) -> None:
        shutil.rmtree(self.layout.root, ignore_errors=True)
        self._run(sys.executable, '-m', 'venv', str(self.layout.root))
        try:
            self._pip('install', '--no-deps', *self.sections['tools'].values())
        except CommandError as error:
            raise SetupError(
                'The first packages could not be downloaded '
                f'("{reason(error.lines)}"): connect this machine to the '
                'network, or let PIP_INDEX_URL name a mirror or '
                f'PIP_FIND_LINKS a folder of wheels; {error.log} says more.'
            ) from error
        site = next((self.layout.root / 'lib').glob('python*/site-packages'))
        (site / 'no_update_check.pth').write_text(NO_UPDATE_CHECK)

    def _packages(self) -> None:
        self._install(list(self.sections['packages'].values()))

    def _torch(self) -> None:
        asked = self.environ.get('TORCH', '').split()
        index = self.environ.get('TORCH_INDEX', '')
        options = ['--index-url', index] if index else []
        if asked or index:
            names = asked or [
                self.sections['torch'][name]
                for name in ('torch', 'torchvision')
            ]
            lines = self._resolve(names, options)
            say('      ' + ' '.join(lines))
        else:
            lines = list(self.sections['torch'].values())
        self._install(lines, *options)

    def _resolve(self, names: list[str], options: list[str]) -> list[str]:
        """What pip would install for other torch requirements."""
        plan = self.layout.temporary / 'torch.json'
        self._pip(
            *('install', '--dry-run', '--report', str(plan)),
            *(*options, *names),
        )
        return planned(plan.read_text())

    def _source(self) -> None:
        lines = self.sections['source']
        self._install(
            [line for name, line in lines.items() if name != 'onedl-mmcv'],
            *('--no-binary', 'xtcocotools', '--no-cache-dir'),
            CFLAGS=build_mmcv.FLAGS,
        )

    def _mmcv(self) -> None:
        line = self.sections['source']['onedl-mmcv']
        python = str(self.layout.python)
        torch, cuda = self._run(python, '-c', build_mmcv.DESCRIBE_TORCH)[
            -1
        ].split()
        key = f'{self.layout.key.split("-")[0]}-torch{torch}'
        if self.environ.get('FORCE_CUDA') == '1':
            key += '-cuda'
        wheels = self.layout.cache / 'wheels' / key
        version = version_of(line)
        page = build_mmcv.wheel_page(
            torch, None if cuda == 'None' else cuda, self.environ
        )
        for source, options in (
            ('compiled before', ['--no-index', '--find-links', str(wheels)]),
            ('found by pip', QUICK),
            (page, ['--no-index', '--find-links', page, *QUICK]),
        ):
            if source == 'compiled before' and not any(wheels.glob('*.whl')):
                continue
            if self._fitting_wheel(line, source, options):
                return
        self._compile(version, line, wheels)
        self._install([line], '--no-index', '--find-links', str(wheels))
        self._run(python, '-c', build_mmcv.SMOKE_TEST)

    def _fitting_wheel(
        self, line: str, source: str, options: list[str]
    ) -> bool:
        """Install mmcv from a wheel, if there is one and it works."""
        links = {} if '--no-index' not in options else {'PIP_FIND_LINKS': ''}
        folder = tempfile.mkdtemp(dir=self.layout.temporary)
        try:
            self._pip(
                *('download', '--no-deps', '--only-binary', ':all:'),
                *('--dest', folder, *options, line),
                **links,
            )
        except CommandError:
            say(f'      no prebuilt wheel: {source}')
            return False
        try:
            self._install([line], '--no-index', '--find-links', folder)
            self._run(str(self.layout.python), '-c', build_mmcv.SMOKE_TEST)
        except CommandError as error:
            say(
                f'      a wheel ({source}) does not fit this torch: '
                f'{reason(error.lines)}'
            )
            return False
        say(f'      prebuilt wheel: {source}')
        return True

    def _compile(self, version: str, line: str, wheels: Path) -> None:
        build = self.layout.cache / 'build' / wheels.name
        variables = build_mmcv.build_variables(
            build / 'compilers',
            self.compilers,
            self.environ,
            build_mmcv.available_cpus(),
            build_mmcv.available_memory(),
        )
        minutes = 16 / int(variables['MAX_JOBS'])
        say(
            f'      compiling it, {variables["MAX_JOBS"]} files at a time: '
            f'about {max(1, round(minutes))} min (8 on two cores)'
        )
        archive = build / f'onedl_mmcv-{version}.tar.gz'
        if not archive.exists():
            folder = tempfile.mkdtemp(dir=self.layout.temporary)
            self._pip(
                *('download', '--no-deps', '--no-build-isolation'),
                *('--no-binary', ':all:', '--dest', folder, line),
                **variables,
            )
            (Path(folder) / archive.name).replace(archive)
        try:
            self._pip(
                *('wheel', '-v', '--no-deps', '--no-build-isolation'),
                *('--no-cache-dir', '--wheel-dir', str(wheels)),
                str(build_mmcv.unpack(archive, build)),
                **variables,
            )
        except CommandError as error:
            if any('Killed signal' in text for text in error.lines):
                raise SetupError(
                    'The compiler was killed, as the system does when memory '
                    'runs out: run the same command again with MAX_JOBS=1 to '
                    'go on with one file at a time.'
                ) from error
            raise
        shutil.rmtree(build)

    def _check(self) -> None:
        self._run(
            str(self.layout.python), '-c', CHECK, self._expected_versions()
        )

    def _expected_versions(self) -> str:
        other = bool(
            self.environ.get('TORCH') or self.environ.get('TORCH_INDEX')
        )
        return expected_versions(self.sections, other_torch=other)


def planned(report: str) -> list[str]:
    """The exact pins in one of pip's installation reports (JSON)."""
    return sorted(
        f'{item["metadata"]["name"]}=={item["metadata"]["version"]}'
        for item in json.loads(report)['install']
    )


def expected_versions(
    sections: Mapping[str, Mapping[str, str]], *, other_torch: bool
) -> str:
    """JSON of the versions to find, without torch's where another is used."""
    return json.dumps(
        {
            name: version_of(line)
            for section in SECTIONS
            if not (section == 'torch' and other_torch)
            for name, line in sections[section].items()
            if ';' not in line
        }
    )
