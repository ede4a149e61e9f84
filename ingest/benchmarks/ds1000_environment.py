"""Where DS-1000's programs run: a virtual environment of its own with the versions that upstream pins.

Facts of xlang-ai/DS-1000@b39aab7, ``environment.yml``: Python 3.10, numpy 1.26.4, pandas 1.5.3, scipy 1.12.0,
scikit-learn 1.4.0, matplotlib 3.8.4, PyTorch 2.2.0, TensorFlow 2.16.1 for CPUs, xgboost 2.0.3, gensim 4.3.2, seaborn
0.13.2, statsmodels 0.14.1; what these need is left open there and pinned in ``containers/suite-ds1000.txt``. Their
wheels exist for Python 3.10 and 3.11 alike; the references pass under both as far as was measured
(docs/design/ds1000.md).

Fifteen problems load example data that the libraries fetch when they are asked for them (seaborn's in fourteen,
scikit-learn's in one). They lie in the environment's folder ``data``; where they are missing, these cannot pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from .suites import WARM, Environment, Limits, Requirement

_INSTALL = "make suite-ds1000"
_LIBRARIES: Mapping[str, str] = {
    "gensim": "gensim==4.3.2",
    "matplotlib": "matplotlib==3.8.4",
    "numpy": "numpy==1.26.4",
    "pandas": "pandas==1.5.3",
    "PIL": "pillow==12.3.0",
    "scipy": "scipy==1.12.0",
    "seaborn": "seaborn==0.13.2",
    "sklearn": "scikit-learn==1.4.0",
    "statsmodels": "statsmodels==0.14.1",
    "tensorflow": "tensorflow-cpu==2.16.1",
    "torch": "torch==2.2.0",
    "xgboost": "xgboost==2.0.3",
    "yaml": "PyYAML==6.0.3",
}
"""Module that contexts or references import -> the pin that brings it."""
EXAMPLE_DATA = {"exercise": 3, "penguins": 6, "planets": 1, "tips": 4}
"""seaborn's example tables -> how many problems load one."""
_HOUSES = "cal_housing_py3.pkz"
"""scikit-learn's table of Californian houses (``fetch_california_housing``), as it keeps it: DS-1000/819."""

_PRELOAD = (
    "tokenize",
    "copy",
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "PIL.Image",
    "seaborn",
    "scipy.stats",
    "scipy.optimize",
    "scipy.sparse",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "torch",
    "tensorflow",
)
"""What they import, TensorFlow (4.7 CPU seconds) and PyTorch (2.0) too: forked after the import and before the first
tensor, all 113 of their references pass."""

_WARM_UP = """\
import matplotlib.font_manager, PIL.PngImagePlugin
"""
"""The cache of fonts is read once, and not built again in every scratch."""


def _table(name: str) -> Requirement:
    """One of seaborn's tables (mwaskom/seaborn-data): read where it lies, never fetched."""
    probe = ("sh", "-c", f'test -s "$SEABORN_DATA/{name}.csv"')
    install = f"{_INSTALL} where GitHub can be reached, or copy {name}.csv of mwaskom/seaborn-data to data/seaborn"
    return Requirement(f"{name}.csv", install, probe=probe, is_optional=True)


ENVIRONMENT = Environment(
    name="ds1000",
    runner=WARM,
    install=_INSTALL,
    requirements=(
        *(
            Requirement(module, f"{_INSTALL} (pip install {pin})", version=pin.partition("==")[2])
            for module, pin in _LIBRARIES.items()
        ),
        *map(_table, EXAMPLE_DATA),
        Requirement(
            _HOUSES,
            "fetch_california_housing(data_home=…) of scikit-learn, the folder being data/scikit-learn",
            probe=("sh", "-c", f'test -s "$SCIKIT_LEARN_DATA/{_HOUSES}"'),
            is_optional=True,
        ),
    ),
    preload=_PRELOAD,
    warm_up=_WARM_UP,
    variables={
        "CUDA_VISIBLE_DEVICES": "-1",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "SCIKIT_LEARN_DATA": "{PLACE}/data/scikit-learn",
        "SEABORN_DATA": "{PLACE}/data/seaborn",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    },
    limits=Limits(resident_bytes=4 << 30, num_files=1024),
)
