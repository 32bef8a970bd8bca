"""From a folder, a zip or a built-in set to pixels, labels and what went wrong on the way."""
