"""A trace in a notebook: a picture that needs nothing, or a page to click in, an extra."""
