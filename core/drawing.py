"""How templates put values into a page: escaped as ever, at less cost.

A page puts in some two thousand values. `markupsafe.escape` makes an object of each,
which the page at once joins to plain text; what has nothing to escape can stay so.
"""

import re
from typing import Any

from flask.templating import Environment
from jinja2 import Template
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.nodes import Expr
from jinja2.runtime import Context
from markupsafe import Markup, escape

# What `markupsafe.escape` replaces.
_special = re.compile("[&<>'\"]").search


def put(value: Any) -> str:
    """Give `value` as text that is safe in HTML, as `markupsafe.escape` does."""
    kind = type(value)
    if kind is Markup or (kind is str and _special(value) is None):
        # The kinds are exact, so this is text.
        return value  # type: ignore[no-any-return]
    return escape(value)


class _PageCode(CodeGenerator):
    def _output_child_pre(
        self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        # Only where it is known that this template escapes; others stay as they are.
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.put(")


class _PageTemplate(Template):
    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        # Jinja compares the globals of both templates for each import, some fifty times
        # a page. All of ours are those of the environment, so they cannot differ.
        return super()._get_default_module()


class PageEnvironment(Environment):
    """Flask's environment of templates, whose pages are put together by `put`."""

    code_generator_class = _PageCode
    template_class = _PageTemplate
    put = staticmethod(put)
