"""The measuring of what it saves to keep freed memory."""

import ctypes
import re

import pytest

ROW = re.compile(
    r'\| training step of a ResNet-18 \| [\d.]+ \| [\d.]+ \| [+-][\d.]+ % '
    r'\| [\d,]+ → [\d,]+ \| \d+ → \d+ \|'
)


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), 'mallopt'),
    reason='the C library is not glibc',
)
def test_a_training_step_with_and_without(tool, monkeypatch, capsys):
    memory = tool('benchmarks/memory')
    monkeypatch.setattr(memory, 'JOBS', (memory.TRAINING,))
    assert memory.main(['--rounds', '1']) == 0
    # two processes answered; how many pages is the allocator's affair
    assert ROW.fullmatch(capsys.readouterr().out.splitlines()[-1])
