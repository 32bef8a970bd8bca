"""A whole convolutional network in NumPy: forwards, backwards, one step of learning. To be read."""

from .activation import Activation, ReLU
from .combination import Flatten
from .convolution import Convolution
from .dense import Dense
from .layer import Array, Layer, Learner
from .loss import CrossEntropy, Softmax
from .network import Network
from .pooling import AdaptiveAveragePool, AdaptiveMaxPool, AveragePool, MaxPool
from .window import Axis, Window, window

__all__ = [
    "Activation",
    "AdaptiveAveragePool",
    "AdaptiveMaxPool",
    "Array",
    "AveragePool",
    "Axis",
    "Convolution",
    "CrossEntropy",
    "Dense",
    "Flatten",
    "Layer",
    "Learner",
    "MaxPool",
    "Network",
    "ReLU",
    "Softmax",
    "Window",
    "window",
]
