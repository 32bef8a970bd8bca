"""From a network, images and a recipe to a stream of events; writes no file, opens no socket."""
