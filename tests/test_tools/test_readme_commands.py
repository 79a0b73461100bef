"""The attacks that README.md says to type."""

import re
import shlex
from pathlib import Path

import pytest

from mmpose_occlusion.engine import attacked_config
from mmpose_occlusion.engine.config import load_config

README = Path(__file__).resolve().parents[2] / 'README.md'


def commands():
    """Those of tools/test.py and occlusion-browse with an attack, as lists of
    words; $NAME is replaced by what its block says."""
    found = []
    for block in re.findall(r'```bash\n(.*?)```', README.read_text(), re.S):
        block = block.replace('\\\n', ' ')
        values = dict(re.findall(r'^(\w+)=(\S+)$', block, re.M))
        for line in block.splitlines():
            for name, value in values.items():
                line = line.replace(f'${name}', value)
            words = shlex.split(line, comments=True)
            if words[:1] == ['occlusion-browse']:
                name, words = 'browse', words[1:]
            elif words[:2] == ['python', 'tools/test.py']:
                name, words = 'test', words[2:]
            else:
                continue
            if 'attack' in line:
                found.append((name, words))
    return found


def test_there_are_some():
    assert {name for name, _ in commands()} == {'test', 'browse'}


@pytest.mark.parametrize(('name', 'argv'), commands())
def test_attacks_of_the_readme_are_understood(name, argv, tool):
    """In the reference, the README's own is a usage error."""
    args = tool(name).parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    attacks = attacked_config.read_attacks(cfg, args.attack)
    split = getattr(args, 'split', 'test')
    if args.gt_boxes or name == 'browse':
        attacked_config.use_gt_boxes(cfg, split)
    assert attacked_config.attack_config(cfg, attacks, split=split)
