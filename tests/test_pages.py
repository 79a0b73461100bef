"""Commands, names, links and anchors of README and docs exist."""

# ruff: noqa: F811 (a fixture is imported)

import ast
import importlib
import itertools
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.test_tools.conftest import ENTRY_POINTS, console_command, tool  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ('*.md', 'docs/*.md', 'projects/*/README.md')
    for path in ROOT.glob(pattern)
)
PARSERS = {
    f'occlusion-{name}': console_command(name).parse for name in ENTRY_POINTS
}
SYSTEM = {'pip', 'unzip', 'pre-commit'}
"""Commands that are not of this project."""

FOLDERS = 'configs|docs|mmpose_occlusion|projects|tests|tools'


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding='utf-8')


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf'```{language}\n(.*?)```', read(page), re.S)


def commands(page: str) -> list[list[str]]:
    """The words of each command, variables of its block replaced."""
    found = []
    for block in blocks(page, 'bash'):
        values = {}
        for line in block.replace('\\\n', ' ').splitlines():
            for name, value in values.items():
                line = line.replace(f'${name}', value)
            assignment = re.fullmatch(r'(\w+)=(\S+)', line)
            if assignment:
                values[assignment[1]] = assignment[2]
            elif words := shlex.split(line, comments=True):
                found.append(words)
    return found


EVERY = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(
    ('page', 'words'), EVERY, ids=[f'{p}:{" ".join(w[:3])}' for p, w in EVERY]
)
def test_commands_exist_with_their_options(page, words, tool):
    program, *rest = words
    if program in PARSERS:
        PARSERS[program](rest)
    elif program == 'make':
        targets = [word for word in rest if re.fullmatch('[a-z-]+', word)]
        for target in targets:
            assert re.search(rf'(?m)^{target}:', read('Makefile')), target
    elif program in ('python', 'bash'):
        script, *argv = rest
        assert (ROOT / script).is_file(), script
        name, launched = launched_tool(script)
        if launched:
            config, *argv = argv
            count = 0 if name == 'train' else 1
            assert argv[count].isdigit() or argv[count] == 'N', argv
            argv = [config, *argv[:count], *argv[count + 1 :]]
        if name == 'benchmark':
            PARSERS['occlusion-benchmark'](argv)
        elif name in ('train', 'test'):
            tool(name).parse_args(argv)
        else:
            folder = (ROOT / script).parent
            source = ''.join(path.read_text() for path in folder.glob('*.py'))
            for option in re.findall(r'(?:^| )(--[\w-]+)', ' '.join(argv)):
                assert option in options_of(source), option
    else:
        assert program in SYSTEM or program.startswith('$('), program


def options_of(source: str) -> set[str]:
    """The options that a source names, as text or as fields."""
    fields = re.findall(r'(?m)^    (\w+): .* = option\(', source)
    named = {f'--{name.replace("_", "-")}' for name in fields}
    return named | set(re.findall(r"'(--[\w-]+)'", source))


def launched_tool(script: str) -> tuple[str, bool]:
    """Name of the tool behind a script, and whether it is a launcher."""
    launcher = re.fullmatch(r'tools/(?:dist|slurm)_(\w+)\.sh', script)
    if launcher:
        return launcher[1], True
    name = Path(script).stem
    return (name if Path(script).parent.name == 'tools' else ''), False


@pytest.mark.parametrize('page', PAGES)
def test_links_resolve(page):
    missing = []
    for link in re.findall(r'\]\((?!http)([^)\s]+)\)', read(page)):
        path, _, anchor = link.partition('#')
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


def anchors(path: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r'(?m)^#+ (.*)', path.read_text(encoding='utf-8'))
    kept = (re.sub(r'[^\w\- ]', '', h.lower()) for h in headings)
    return {heading.replace(' ', '-') for heading in kept}


@pytest.mark.parametrize('page', PAGES)
def test_named_files_and_modules_exist(page):
    text = read(page)
    if page == 'CHANGELOG.md':  # its history names what is gone
        text = text.split('### Moved')[0]
    paths = re.findall(rf'(?<![\w/.-])(?:{FOLDERS})/[\w./-]*\w', text)
    paths += re.findall(r'`([\w-]+\.(?:cfg|toml|lock|py))`', text)
    known = {path.name for path in ROOT.rglob('*.py')} | {'setup.cfg'}
    missing = [
        path
        for path in paths
        if not (ROOT / path).exists()
        and not ((ROOT / page).parent / path).exists()
        and path not in known | CREATED
    ]
    for name in re.findall(r'\bmmpose_occlusion(?:\.\w+)+', text):
        if not resolves(name):
            missing.append(name)
    assert missing == []


CREATED = {'config.py', 'my_model.py', 'stripes.py', 'requirements.lock'}
"""Files that a page tells the reader to write, or that a command writes."""


def resolves(name: str) -> bool:
    """Whether a dotted name can be imported."""
    parts = name.split('.')
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module('.'.join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


ATTACKS = sorted(
    {
        attack
        for page in PAGES
        for words in commands(page)
        for option, attack in itertools.pairwise(words)
        if option == '--attack' and attack != 'SPEC'
    }
)


@pytest.mark.parametrize('attack', ATTACKS)
def test_attacks_of_the_pages_are_understood(attack):
    from mmpose_occlusion.occlusion import parse_attack
    from mmpose_occlusion.skeleton import COCO_JOINTS, Skeleton

    # own parts of the projects
    own = ['left_front_leg', 'left_hand', 'mouth', 'thumb', 'wings']
    parts = {key: ['nose'] for key in own}
    (first, *_) = parse_attack(attack).expand(Skeleton(COCO_JOINTS, parts))
    first.check(Skeleton(COCO_JOINTS, parts))


def test_the_suite_of_the_page_can_be_loaded(tmp_path):
    from mmpose_occlusion.benchmark.suite import load_suites, shipped
    from mmpose_occlusion.skeleton import COCO_JOINTS, Skeleton

    page = 'docs/benchmark_suites.md'
    (text,) = blocks(page, 'json')
    (tmp_path / 'mine.json').write_text(text)
    attacks = load_suites(
        [str(tmp_path / 'mine.json')], [], Skeleton(COCO_JOINTS)
    )
    assert len(attacks) == 11 + 2 + 1 + 1
    assert attacks[-1].name == 'head'
    listed = re.findall(r'(?m)^\| `([\w.-]+)` \|', read(page))
    assert sorted(listed) == shipped()


def test_fills_of_the_pages_are_all():
    from mmpose_occlusion.occlusion import FILLS

    (row,) = re.findall(r'(?m)^\| `fill` \|.*', read('docs/training.md'))
    assert set(FILLS) <= set(re.findall(r'`(\w+)`', row))
    assert set(FILLS) <= set(
        re.findall(r'`(\w+)`', read('docs/benchmark_suites.md'))
    )


def test_arguments_of_the_table_are_those_of_the_transforms():
    import inspect

    from mmpose_occlusion import transforms

    names = set()
    for name, cls in vars(transforms).items():
        if name.endswith('Occlusion') or name == 'PartMix':
            names |= set(inspect.signature(cls).parameters)
    table = read('docs/training.md').split('| argument |')[1].split('\n\n')[0]
    listed = set(re.findall(r'(?m)^\| `(\w+)` \|', table))
    assert listed <= names
    assert names - listed == {'max_keypoints', 'keypoint_prob', 'fills'}


def test_options_in_the_text_exist():
    """Options named in `backticks` are those of a command of the project."""
    folders = ('tools', 'projects')
    sources = ''.join(
        path.read_text()
        for folder in folders
        for path in (ROOT / folder).rglob('*.py')
    )
    known = options_of(sources) | PIP
    for name in ENTRY_POINTS:
        known |= set(console_command(name).parser()._option_string_actions)
    known.add('--doctest-modules')
    named = {
        option
        for page in PAGES
        for quoted in re.findall(r'`([^`\n]+)`', read(page))
        for option in re.findall(r'(?<![\w-])--[a-z][\w-]*', quoted)
    }
    assert named - known == set()


def test_make_targets_in_the_text_exist():
    makefile = read('Makefile')
    for page in PAGES:
        for target in re.findall(r'`make (?:-s )?([a-z-]+)', read(page)):
            assert re.search(rf'(?m)^{target}:', makefile), (page, target)


PIP = {'--no-deps', '--no-build-isolation', '--no-binary'}


@pytest.mark.parametrize('page', PAGES)
def test_blocks_parse(page):
    for text in blocks(page, 'python'):
        ast.parse(text)
    for text in blocks(page, 'json'):
        json.loads(text)
