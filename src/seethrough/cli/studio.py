"""`seethrough studio`: all runs in the browser."""

from pathlib import Path

import click

from seethrough.cli import options


@click.command("studio", short_help="All runs in the browser.")
@click.argument("run", metavar="[RUN]", required=False)
@options.port
@options.no_open
@options.runs_dir
def command(run: str | None, port: int | None, runs_dir: Path | None, *, no_open: bool) -> None:
    """Open the studio in the browser, at RUN if one is named. Ctrl-C ends it.

    It answers on 127.0.0.1 only, to whoever has the address with the token in it.
    """
    from seethrough.cli.terminal import print_text, say
    from seethrough.runs.folder import open_run
    from seethrough.serve.server import Address, serve

    folder = options.runs_folder(runs_dir)
    page = "/runs" if run is None else f"/look/{open_run(run, folder).id}"

    def ready(address: Address) -> None:
        print_text(address.link(page))
        say("Ctrl-C ends it.")

    serve(folder, port=port, page=page, opens_browser=not no_open, ready=ready)
