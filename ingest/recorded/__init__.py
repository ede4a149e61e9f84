"""What others recorded enters here: a file is read, reconciled with its benchmark, and only then written."""

from .import_plan import Wanted
from .means import ImportedMeans, import_means
from .settled import AUTO, settled
from .tables import ImportedTable, import_table
from .transaction import Imported, import_file

__all__ = [
    "AUTO",
    "Imported",
    "ImportedMeans",
    "ImportedTable",
    "Wanted",
    "import_file",
    "import_means",
    "import_table",
    "settled",
]
