"""The server on the user's own machine: HTTP doors to the same functions the terminal uses."""
