"""What others recorded enters here: a file is read, reconciled with its benchmark, and only then written."""

from .import_plan import Wanted
from .means import ImportedMeans, import_means
from .transaction import Imported, import_file

__all__ = ["Imported", "ImportedMeans", "Wanted", "import_file", "import_means"]
