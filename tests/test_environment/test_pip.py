"""Which settings of the user reach pip."""

import functools
import http.server
import os
import subprocess
import sys
import threading

from environment.pip import live_links, pip_environment


class TestPip:
    def test_constraints_and_targets_do_not_reach_pip(self, tmp_path):
        """Nor do those of a configuration file, which are a default."""
        constraint = tmp_path / 'constraint.txt'
        constraint.write_text('numpy<1\n')
        config = tmp_path / 'pip.conf'
        config.write_text(f'[global]\nconstraint = {constraint}\n')
        environ = {
            **os.environ,
            'PIP_CONFIG_FILE': str(config),
            'PIP_CONSTRAINT': str(constraint),
            'PIP_TARGET': str(tmp_path / 'elsewhere'),
            'PIP_USER': '1',
            'PYTHONPATH': str(tmp_path),
        }
        wheels = tmp_path / 'wheels'
        wheels.mkdir()
        command = [
            *(sys.executable, '-m', 'pip', 'download', '--no-index'),
            *('--no-deps', '--find-links', str(wheels), 'numpy==2.4.6'),
        ]
        run_pip = functools.partial(
            subprocess.run, command, capture_output=True, text=True, cwd=wheels
        )
        refused = run_pip(env=environ)
        assert 'conflicting dependencies' in refused.stderr
        env = pip_environment(environ, str(tmp_path))
        assert 'No matching distribution' in run_pip(env=env).stderr
        assert not {'PIP_TARGET', 'PYTHONPATH'} & set(env)
        assert env['PIP_USER'] == '0'
        assert env['TMPDIR'] == str(tmp_path)

    def test_indexes_and_certificates_do(self):
        kept = {
            'PIP_INDEX_URL': 'https://mirror.example/simple',
            'PIP_CERT': '/etc/ca.pem',
            'PIP_FIND_LINKS': '/wheels',
            'HTTPS_PROXY': 'http://proxy.example',
        }
        assert kept.items() <= pip_environment(kept, '/tmp').items()

    def test_pages_that_do_not_answer_are_left_out(self):
        """A server that answers with an error is there."""
        server = http.server.HTTPServer(
            ('127.0.0.1', 0), http.server.BaseHTTPRequestHandler
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        live = f'http://127.0.0.1:{server.server_port}/wheels'
        closed = http.server.HTTPServer(
            ('127.0.0.1', 0), http.server.BaseHTTPRequestHandler
        )
        closed.server_close()
        dead = f'http://127.0.0.1:{closed.server_port}/wheels'
        try:
            links, left_out = live_links(f'/a/b {dead}\n{live} file:///c')
        finally:
            server.shutdown()
            server.server_close()
        assert links == f'/a/b {live} file:///c'
        assert left_out == [dead]
