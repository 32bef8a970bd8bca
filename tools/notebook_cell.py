"""A notebook's cell without a notebook: the page of a trace, its messages answered by Python."""

import base64
import json
from typing import Any

from playwright.sync_api import Page, Route, expect

from seethrough.explain import Trace
from seethrough.explain.notebook.widget import Widget, answer

ADDRESS = "http://notebook.invalid/"
HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>notebook</title>
<link rel="stylesheet" href="widget.css"><body style="margin:16px"><div id="cell"></div>"""
SHOW = """async (state) => {
  const view = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const listeners = [];
  const { default: widget } = await import('/widget.js');
  widget.render({ el: document.getElementById('cell'), model: {
    get: (name) => (name === 'sheet' ? state.sheet : view(state[name])),
    on: (event, listen) => listeners.push(listen),
    off: () => {},
    send: async (question) => {
      const [said, buffers] = await window.python(question);
      listeners.forEach((listen) => listen(said, buffers.map(view)));
    }
  } });
}"""


def show(page: Page, trace: Trace) -> None:
    """Until its first equation is there."""
    widget = Widget(trace)
    bodies = {
        "": ("text/html", HOST),
        "widget.js": ("text/javascript", str(widget._esm)),
        "widget.css": ("text/css", str(widget._css)),
    }

    def serve(route: Route) -> None:
        kind, body = bodies.get(route.request.url.removeprefix(ADDRESS), ("text/plain", ""))
        route.fulfill(content_type=kind, body=body)

    def answered(question: Any) -> list[Any]:
        said, buffers = answer(trace, question)
        return [json.loads(json.dumps(said)), [base64.b64encode(each).decode() for each in buffers]]

    page.route(f"{ADDRESS}**", serve)
    page.expose_function("python", answered)
    page.goto(ADDRESS)
    state = {name: base64.b64encode(getattr(widget, name)).decode() for name in ("pixels", "maps")}
    page.evaluate(SHOW, {"sheet": widget.sheet, **state})
    expect(page.get_by_role("region", name="The sum")).to_be_visible()
