"""film.py of runs: every picture's numbers are those of the moment."""

import numpy as np
import pytest

from seethrough.errors import LayerError
from seethrough.runs.film import film_of, frames


def test_a_film_holds_every_moment_of_the_photo(finished, photos):
    image, label = np.array(photos.images[3]), photos.classes[photos.labels[3]]
    film = film_of(finished, image, label, frames(finished, image))
    steps = [moment.step for moment in finished.moments]
    assert len(film.captions) == len(steps)
    for number, step in enumerate(steps):
        own = finished.classifier_at(step)
        trace = own.trace(image)
        assert np.array_equal(film.kernels[number], own.module.conv1.weight.detach().numpy())
        assert np.array_equal(film.maps[number], trace.layer("relu1").output)
        assert np.array_equal(film.probabilities[number], trace.probabilities)
        assert film.captions[number].startswith(f"step {step}")
    assert film.titles == ("Kernels of conv1", "Maps of relu1")
    right = film.probabilities.argmax(1) == photos.labels[3]
    lasting = [number for number in range(len(steps)) if right[number:].all()]
    assert film.learned == (lasting[0] if lasting else None)
    assert "test accuracy" in film.captions[-1]


def test_a_layer_without_kernels_is_refused_with_those_that_have_some(finished, photos):
    with pytest.raises(LayerError, match="pool1 has no kernels") as caught:
        next(frames(finished, np.array(photos.images[0]), "pool1"))
    assert "conv1" in caught.value.why
