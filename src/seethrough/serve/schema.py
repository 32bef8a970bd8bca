"""The server's OpenAPI document: `python -m seethrough.serve.schema` prints it.

The studio's `api/types.ts` is generated from it. Same code, same bytes.
"""

import json
import sys
from pathlib import Path

from seethrough.serve.app import create_app


def document() -> str:
    """The OpenAPI document as JSON text with sorted keys."""
    app = create_app(Path("runs"), token="none", port=0)  # noqa: S106  only its routes are read
    return json.dumps(app.openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
