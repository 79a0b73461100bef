"""Builds the locked environment with uv and prints its interpreter.

``make env`` runs it. The environment lies in the user's cache folder, under a
name made of the lock file, the Python and the variables TORCH and TORCH_INDEX.
An interrupted build starts again, from what uv's cache holds.
"""

import ast
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

LOCK = Path(__file__).with_name('requirements.lock').read_text()
TORCH = os.environ.get('TORCH', '').split()
TORCH_INDEX = os.environ.get('TORCH_INDEX', '')

ABI = sys.implementation.cache_tag
_KEY = repr([LOCK, sys.version, sysconfig.get_platform(), TORCH, TORCH_INDEX])
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
CACHE = CACHE.absolute() / 'mmpose_occlusion'
ROOT = CACHE / f'env-{ABI}-{hashlib.sha256(_KEY.encode()).hexdigest()[:12]}'
READY = ROOT / 'ready'
PYTHON = ROOT / 'bin' / 'python'

CHECK = """
import mmdet.datasets, mmpose.apis, mmpose.datasets, mmpose.evaluation
import mmpose.models, mmpose.visualization, torchvision
"""
CHECK_MMCV = """
import mmcv.ops, torch
mmcv.ops.nms(torch.ones(2, 4), torch.ones(2), 0.5)
"""
DESCRIBE_TORCH = 'import torch; print(torch.__version__, torch.version.cuda)'
MMCV_PAGE = (
    'https://mmwheels.onedl.ai/{}-torch{}{}0/simple/onedl-mmcv/index.html'
)
UV_NAMES = {
    'cert': 'SSL_CERT_FILE',
    'index-url': 'UV_DEFAULT_INDEX',
    'extra-index-url': 'UV_INDEX',
    'trusted-host': 'UV_INSECURE_HOST',
    'no-index': 'UV_NO_INDEX',
}
COMPILER = """#!/bin/sh
# mmcv's setup.py asks for C++17, the headers of torch 2.14 for C++20.
for argument do
    shift
    [ "$argument" != -std=c++17 ] || argument=-std=c++20
    set -- "$@" "$argument"
done
exec {} "$@"
"""


def main() -> None:
    try:
        if not READY.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            with (CACHE / 'lock').open('w') as lock:
                say(f'Building {ROOT} (once, and one build at a time).')
                fcntl.flock(lock, fcntl.LOCK_EX)
                # The commands inherit the lock: it outlives a killed build
                # until the last of them has ended.
                os.set_inheritable(lock.fileno(), True)
                if not READY.exists():
                    build()
    except KeyboardInterrupt:
        sys.exit('Interrupted: the same command builds the environment.')
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f'The environment was not built: {error}')
    print(PYTHON)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def build() -> None:
    """Build the environment in its folder, which is emptied first."""
    compilers = find_compilers()
    os.environ['PYTHONNOUSERSITE'] = '1'
    os.environ.pop('PYTHONPATH', None)
    # CHECK, at the end, then compiles what it imports: uv does not
    os.environ.pop('PYTHONDONTWRITEBYTECODE', None)
    parts = re.split(r'(?m)^# \[(\w+)\].*$', LOCK)
    lock = dict(zip(parts[1::2], parts[2::2], strict=True))
    shutil.rmtree(ROOT, ignore_errors=True)
    run(sys.executable, '-m', 'venv', ROOT)
    run(PYTHON, '-m', 'pip', 'install', '-q', *re.findall('uv==.*', LOCK))
    for name, value in uv_variables(output('-m', 'pip', 'config', 'list')):
        os.environ.setdefault(name, value)
    install(lock['tools'], '--no-deps')
    install(lock['packages'], '--no-deps')
    if TORCH or TORCH_INDEX:
        locked = re.findall(r'(?m)^torch(?:vision)?==.*', LOCK)
        index = ['--index', TORCH_INDEX] if TORCH_INDEX else []
        install('\n'.join(TORCH or locked), *index)
    else:
        install(lock['torch'], '--no-deps')
    options = ('--no-deps', '--no-build-isolation', '--no-binary=xtcocotools')
    # In uv's cache, builds for different NumPy have the same name.
    install(lock['source'], '--no-cache', *options)
    install_mmcv(lock['mmcv'].strip(), compilers)
    run(PYTHON, '-c', CHECK)
    READY.touch()


def find_compilers() -> dict[str, str]:
    """The commands CC and CXX; exits where they or the headers lack."""
    if not Path(sysconfig.get_path('include'), 'Python.h').exists():
        sys.exit(
            "Python's headers are needed to compile mmcv and xtcocotools: "
            'install them (Debian/Ubuntu: apt-get install python3-dev).'
        )
    compilers = {'CC': 'cc', 'CXX': 'c++'}
    for name, command in compilers.items():
        compilers[name] = command = os.environ.get(name) or command
        if not shutil.which(command.split()[0]):
            sys.exit(
                f'A C++ compiler is needed and {name}={command} is not on '
                'the PATH: install one (Debian/Ubuntu: apt-get install g++).'
            )
    return compilers


def uv_variables(pip_config: str) -> list[tuple[str, str]]:
    """pip's settings as variables of uv, which does not read them, from the
    output of ``pip config list``, in which pip's variables are, too."""
    pip: dict[str, list[str]] = {}
    settings = [line.partition('=') for line in pip_config.splitlines()]
    for section in ('global.', 'install.', ':env:.'):  # the last one wins
        for key, _, value in settings:
            if key.startswith(section):
                name = key.removeprefix(section)
                pip[name] = ast.literal_eval(value).split()
    links = [
        x for x in pip.pop('find-links', []) if '://' in x or Path(x).exists()
    ]
    found = {uv: ' '.join(pip.get(name, [])) for name, uv in UV_NAMES.items()}
    found['UV_FIND_LINKS'] = ','.join(links)
    found['UV_INDEX_STRATEGY'] = 'unsafe-best-match'  # as pip chooses
    return [(name, value) for name, value in found.items() if value]


def install_mmcv(requirement: str, compilers: dict[str, str]) -> None:
    """mmcv from a wheel that works with this torch, else compiled."""
    torch, cuda = output('-c', DESCRIBE_TORCH).split()
    device = 'cpu' if cuda == 'None' else f'cu{cuda.replace(".", "")}'
    page = MMCV_PAGE.format(device, *torch.split('.')[:2])
    wheels = CACHE / 'wheels' / f'{ABI}-torch{torch}'
    wheels.mkdir(parents=True, exist_ok=True)
    compiled = ('--no-index', '--find-links', wheels)
    options = ('--no-deps', '--only-binary=:all:', '--reinstall')
    quick = {'UV_HTTP_TIMEOUT': '5', 'UV_HTTP_RETRIES': '0'}
    for source in (compiled, (), ('--find-links', page)):
        try:
            install(requirement, *options, '-qq', *source, **quick)
            run(PYTHON, '-c', CHECK_MMCV)
            return
        except subprocess.CalledProcessError:
            continue
    compile_mmcv(requirement, wheels, compilers)
    install(requirement, *options, *compiled)
    run(PYTHON, '-c', CHECK_MMCV)


def compile_mmcv(requirement: str, wheels: Path, compilers: dict) -> None:
    """Compile mmcv's operators for the CPU into a wheel in a folder."""
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    jobs = min(os.cpu_count() or 1, memory // 1_500_000_000)
    jobs = int(os.environ.get('MAX_JOBS') or max(1, jobs))
    say(f'No wheel of mmcv fits: compiling it, {max(1, 16 // jobs)} minutes.')
    variables = {'MAX_JOBS': str(jobs), 'MMCV_WITH_OPS': '1'}
    variables['CFLAGS'] = '-O2 -DNDEBUG -g0'  # debug symbols double the time
    variables['CUDA_VISIBLE_DEVICES'] = ''  # with a GPU, setup.py runs nvcc
    for name, command in compilers.items():
        wrapper = ROOT / 'bin' / f'c++20-{name}'
        wrapper.write_text(COMPILER.format(command))
        wrapper.chmod(0o755)
        variables[name] = str(wrapper)
    pip = (PYTHON, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation')
    run(*pip, '--no-binary=:all:', '-w', wheels, requirement, **variables)


def install(requirements: str, *options: str | Path, **env: str) -> None:
    """Install the lines of a requirements file with uv."""
    uv = (ROOT / 'bin' / 'uv', 'pip', 'install', '--python', PYTHON)
    run(*uv, *options, '-r', '-', stdin=requirements, **env)


def run(*command: str | Path, stdin: str = '', **env: str) -> None:
    """Run a command; its output goes to stderr."""
    subprocess.run(
        [str(part) for part in command],
        check=True,
        close_fds=False,
        env={**os.environ, **env},
        input=stdin,
        stdout=sys.stderr,
        text=True,
    )


def output(*arguments: str) -> str:
    """What the environment's interpreter prints."""
    return subprocess.check_output([PYTHON, *arguments], text=True)


if __name__ == '__main__':
    main()
