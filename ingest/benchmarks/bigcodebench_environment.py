"""Where BigCodeBench's programs run: an interpreter of its own, with the libraries of the official evaluation image.

Versions are those of bigcode-project/bigcodebench@47eff25 (``Requirements/requirements-eval.txt``, made for Python
3.10): ``containers/suite-bigcodebench.txt`` holds every one, with what they need, and installs them in the image and
without one alike. Two of the 71 official pins differ: scikit-image 0.18.0 has no wheel for Python 3.10 (0.19.0 stands
in), and python-Levenshtein-wheels has none for 3.9 or later (Levenshtein is the same module, and is listed too).
"""

from __future__ import annotations

from collections.abc import Mapping

from .suites import WARM, Environment, Limits, Requirement

NAME = "bigcodebench"
_INSTALL = "make suite-bigcodebench"

_LIBRARIES: Mapping[str, str] = {
    "bs4": "beautifulsoup4==4.8.2",
    "chardet": "chardet==5.2.0",
    "cryptography": "cryptography==38.0.0",
    "Crypto": "pycryptodome==3.14.1",
    "cv2": "opencv-python-headless==4.9.0.80",
    "dateutil": "python-dateutil==2.9.0",
    "django": "Django==4.2.7",
    "docx": "python-docx==1.1.0",
    "faker": "Faker==20.1.0",
    "flask": "Flask==3.0.3",
    "flask_login": "Flask-Login==0.6.3",
    "flask_mail": "Flask-Mail==0.9.1",
    "flask_restful": "Flask-RESTful==0.3.10",
    "flask_wtf": "Flask-WTF==1.2.1",
    "folium": "folium==0.16.0",
    "gensim": "gensim==4.3.2",
    "geopandas": "geopandas==0.13.2",
    "geopy": "geopy==2.4.1",
    "holidays": "holidays==0.29",
    "keras": "keras==2.11.0",
    "Levenshtein": "Levenshtein==0.25.0",
    "librosa": "librosa==0.10.1",
    "lxml": "lxml==4.9.3",
    "matplotlib": "matplotlib==3.7.0",
    "mechanize": "mechanize==0.4.9",
    "natsort": "natsort==7.1.1",
    "nltk": "nltk==3.8",
    "numpy": "numpy==1.21.2",
    "openpyxl": "openpyxl==3.1.2",
    "pandas": "pandas==2.0.3",
    "PIL": "pillow==10.3.0",
    "prettytable": "prettytable==3.10.0",
    "psutil": "psutil==5.9.5",
    "pyfakefs": "pyfakefs==5.4.1",
    "pyquery": "pyquery==1.4.3",
    "pytesseract": "pytesseract==0.3.10",
    "python_http_client": "python-http-client==3.3.7",
    "pytz": "pytz==2023.3.post1",
    "regex": "regex==2026.9.29",
    "requests": "requests==2.31.0",
    "requests_mock": "requests-mock==1.11.0",
    "rsa": "rsa==4.9",
    "scipy": "scipy==1.7.2",
    "seaborn": "seaborn==0.13.2",
    "sendgrid": "sendgrid==6.11.0",
    "shapely": "shapely==2.0.4",
    "skimage": "scikit-image==0.19.0",
    "sklearn": "scikit-learn==1.3.1",
    "soundfile": "soundfile==0.12.1",
    "statsmodels": "statsmodels==0.14.0",
    "sympy": "sympy==1.12",
    "tensorflow": "tensorflow==2.11.0",
    "textblob": "TextBlob==0.18.0",
    "texttable": "texttable==1.7.0",
    "werkzeug": "Werkzeug==3.0.1",
    "wikipedia": "wikipedia==1.4.0",
    "wordcloud": "wordcloud==1.9.3",
    "wordninja": "wordninja==2.0.0",
    "wtforms": "WTForms==3.1.2",
    "xlwt": "xlwt==1.3.0",
    "xmltodict": "xmltodict==0.13.0",
    "yaml": "PyYAML==6.0.1",
}
"""Module that tasks or their tests import -> the pin that brings it."""

_PRELOAD = (
    "unittest.mock",
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "mpl_toolkits.mplot3d",
    "scipy.fft",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.datasets",
    "sklearn.decomposition",
    "sklearn.ensemble",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.preprocessing",
    "seaborn",
    "statsmodels.api",
    "bs4",
    "faker",
    "nltk",
    "PIL.Image",
    "requests",
)
"""What most tasks import, and what costs most to import; the rest is imported by those that need it (tensorflow starts
threads, and no fork keeps a thread)."""

_NLTK_DATA: Mapping[str, str] = {
    "stopwords": "corpora/stopwords",
    "words": "corpora/words",
    "vader_lexicon": "sentiment/vader_lexicon",
    "averaged_perceptron_tagger": "taggers/averaged_perceptron_tagger",
    "punkt": "tokenizers/punkt",
}
"""What problems fetch while they run (upstream grades on a machine with a network) -> where NLTK looks for it. Of
punkt no copy could be pinned from where the list of data was made: its problems are errata where it is missing."""

_WARM_UP = """\
import builtins, time
time.tzset()
builtins.exit = builtins.quit = None
"""


def _data(name: str, resource: str) -> Requirement:
    fetch = f"python -m nltk.downloader -d nltk_data {name}, with the environment's python, in its folder"
    find = f"nltk.data.find({resource + '.zip'!r})"
    tried = f"import nltk, sys\ntry:\n    {find}\nexcept LookupError:\n    sys.exit('missing')"
    probe = ("python", "-c", tried)
    return Requirement(f"NLTK {name}", f"{_INSTALL}, or {fetch}", probe=probe, is_optional=True)


ENVIRONMENT = Environment(
    name=NAME,
    runner=WARM,
    install=_INSTALL,
    requirements=(
        *(
            Requirement(module, f"{_INSTALL} (pip install {pin})", version=pin.partition("==")[2])
            for module, pin in _LIBRARIES.items()
        ),
        *(_data(name, resource) for name, resource in _NLTK_DATA.items()),
    ),
    preload=_PRELOAD,
    warm_up=_WARM_UP,
    variables={
        "TZ": "UTC",
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "NLTK_DATA": "{PLACE}/nltk_data",
    },
    has_loopback=True,
    limits=Limits(memory_bytes=30 << 30, resident_bytes=4 << 30, stack_bytes=10 << 20),
)
