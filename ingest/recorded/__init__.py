"""What others recorded enters here: a file is read, reconciled with its benchmark, and only then written."""

from .import_plan import Wanted
from .transaction import Imported, import_file

__all__ = ["Imported", "Wanted", "import_file"]
