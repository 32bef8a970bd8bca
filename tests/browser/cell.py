"""A notebook's cell that shows a trace: the page in Chromium, its messages answered by Python.

What a notebook does for anywidget: it carries the state there as it is, bytes as a DataView, and
messages both ways. See https://anywidget.dev/en/afm.
"""

import base64
import json
from typing import Any

from playwright.sync_api import BrowserContext, Page
from tests.explain.notebook.kernel import Wire, running

from seethrough.explain import Trace

ADDRESS = "http://notebook.test/"
# Its own buttons have a style that must not reach into the page.
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A notebook</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { margin: 0; padding: 8px; font: 16px serif; line-height: 2 }
body[data-jp-theme-light=false] { background: #111; color: #eee }
button { padding: 20px; border: 3px solid red }
</style>
<link rel="stylesheet" href="widget.css"></head><body><main><div id="cell"></div></main></body>"""
SHOW = """async (state) => {
  const view = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const listeners = new Set();
  window.questions = [];
  const model = {
    get: (name) => (name === 'sheet' ? state.sheet : view(state[name])),
    on: (event, listen) => event === 'msg:custom' && listeners.add(listen),
    off: (event, listen) => listeners.delete(listen),
    send: async (content) => {
      window.questions.push(content);
      const { said, buffers } = await window.python(content);
      for (const listen of listeners) listen(said, buffers.map(view));
    }
  };
  const { default: widget } = await import('/widget.js');
  const el = document.getElementById('cell');
  const around = el.parentElement;
  el.remove(); // as Notebook 7: it stands in the document only after it was rendered
  window.close_cell = widget.render({ model, el });
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  around.append(el);
  window.listeners = listeners;
}"""


class Cell:
    """The page of one trace at work; `complaints` are what a browser would tell a developer."""

    def __init__(self, context: BrowserContext, trace: Trace, *, is_dark: bool = False) -> None:
        self.complaints: list[str] = []
        with running():
            self.widget: Any = trace.widget()
        assert isinstance(self.widget.comm, Wire)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type in {"error", "warning"} else 0
            ),
        )
        self.page.route(f"{ADDRESS}**", self._serve)
        self.page.expose_function("python", self._answer)
        self.page.goto(ADDRESS)
        if is_dark:
            self.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        state = {name: _text(getattr(self.widget, name)) for name in ("pixels", "maps")}
        self.page.evaluate(SHOW, {"sheet": self.widget.sheet, **state})

    def _serve(self, route: Any) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        bodies = {
            "": ("text/html", HOST),
            "widget.js": ("text/javascript", self.widget._esm),
            "widget.css": ("text/css", self.widget._css),
        }
        kind, body = bodies.get(name, ("text/plain", ""))
        route.fulfill(status=200 if name in bodies else 204, content_type=kind, body=body)

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        said, buffers = self.widget.comm.asks(question)
        return {
            "said": json.loads(json.dumps(said, allow_nan=False)),
            "buffers": [*map(_text, buffers)],
        }


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
