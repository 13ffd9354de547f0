"""The filtered set of a list as a file: CSV as it is read, XLSX once it is whole."""

from kitehub.backoffice.exports.columns import Column, amount, instance_column
from kitehub.backoffice.exports.views import Exported

__all__ = ["Column", "Exported", "amount", "instance_column"]
