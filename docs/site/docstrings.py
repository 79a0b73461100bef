"""Griffe extension: docstrings as Markdown for the page of the API."""

import re

from griffe import Extension, Object


class DocstringsAsMarkdown(Extension):
    """Sphinx roles become code, and doctests become code blocks."""

    def on_object(self, *, obj: Object, **_) -> None:
        if obj.docstring:
            text = re.sub(r':\w+:`[~.]*', '`', obj.docstring.value)
            obj.docstring.value = re.sub(
                r'(?m)^( *)>>> [^\n]*(\n\1?\S[^\n]*)*',
                lambda match: f'```pycon\n{match[0]}\n```',
                text,
            )
