"""From a folder of photos to a network that one can ask.

    python examples/photos_to_network.py photos/ cup.jpg

The folder has one sub-folder a class. Prints what could not be used, how good the network is on
photos that it never saw, and what it says of one more photo, down to the sum behind its answer.
"""

import sys

import seethrough as see


def main(folder: str, photo: str) -> None:
    """Load, train, report, predict, explain."""
    photos = see.load(folder)
    for problem in photos.problems:
        print(f"{problem.path}: {problem.what} {problem.why}")
    run = see.train(photos)
    print(run.report, end="\n\n")
    classifier = run.classifier
    answer = classifier.predict(photo)
    print(answer, end="\n\n")
    best = classifier.classes.index(answer.label)
    trace = classifier.trace(photo)
    last = [layer.name for layer in trace.layers if layer.kind == "dense"][-1]
    print(trace.equation(last, unit=best))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
