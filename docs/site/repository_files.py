"""MkDocs hook: pages link to files of the repository as GitHub shows them.

A link from a page to a file outside ``docs/`` is a relative path, which works
in a checkout. The site gets a copy of each such file under ``repository/``;
a folder stands for its README.
"""

import os
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

DOCS = Path(__file__).resolve().parents[1]
LINK = re.compile(r'(?<=\]\()(?!\w+:|#)[^)#\s]+(?=[)#])')
"""The path of a relative link: ``](PATH)`` or ``](PATH#ANCHOR)``."""


def on_files(files: Files, *, config) -> Files:
    """Add the files that pages link to, and those that these link to."""
    waiting = [Path(f.abs_src_path) for f in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for link in LINK.findall(page.read_text(encoding='utf-8')):
            target, uri = _target(page, link)
            if target.is_file() and not files.get_file_from_path(uri):
                added = File.generated(config, uri, abs_src_path=str(target))
                files.append(added)
                waiting += [target] if target.suffix == '.md' else []
    return files


def on_page_markdown(markdown: str, *, page, **_) -> str:
    """Rewrite a page's relative links to the site's paths."""
    here = Path(page.file.abs_src_path)
    folder = os.path.dirname(page.file.src_uri) or '.'

    def rewrite(match: re.Match) -> str:
        target, uri = _target(here, match[0])
        known = target.is_file()  # else MkDocs reports it
        return os.path.relpath(uri, folder) if known else match[0]

    return LINK.sub(rewrite, markdown)


def _target(page: Path, link: str) -> tuple[Path, str]:
    """The file that a link of a page names, and its path in the site."""
    target = Path(os.path.normpath(page.parent / link))
    target = target / 'README.md' if target.is_dir() else target
    if target.is_relative_to(DOCS):
        return target, target.relative_to(DOCS).as_posix()
    return target, f'repository/{os.path.relpath(target, DOCS.parent)}'
