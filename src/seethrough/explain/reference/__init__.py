"""A whole convolutional network in NumPy: forwards, backwards, one step of learning. To be read."""

from .activation import (
    ELU,
    GELU,
    Activation,
    Clamp,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    TanhGELU,
)
from .branch import Branches, Concat, Joint, Product, Sum
from .convolution import Convolution
from .dense import Dense, Flatten
from .dropout import Dropout
from .layer import Array, Layer, Learner
from .learning import learn
from .loss import CrossEntropy, Softmax
from .network import Network
from .normalisation import KeptNorm, Norm, batch_norm, cell_norm, instance_norm, layer_norm
from .photo import Normalise
from .pooling import AdaptiveAveragePool, AdaptiveMaxPool, AveragePool, MaxPool
from .update import AdamW, Momentum, Muon, Update, newton_schulz
from .window import Axis, Window, window

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "AdamW",
    "AdaptiveAveragePool",
    "AdaptiveMaxPool",
    "Array",
    "AveragePool",
    "Axis",
    "Branches",
    "Clamp",
    "Concat",
    "Convolution",
    "CrossEntropy",
    "Dense",
    "Dropout",
    "Flatten",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Joint",
    "KeptNorm",
    "Layer",
    "LeakyReLU",
    "Learner",
    "MaxPool",
    "Mish",
    "Momentum",
    "Muon",
    "Network",
    "Norm",
    "Normalise",
    "Product",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Sum",
    "Tanh",
    "TanhGELU",
    "Update",
    "Window",
    "batch_norm",
    "cell_norm",
    "instance_norm",
    "layer_norm",
    "learn",
    "newton_schulz",
    "window",
]
