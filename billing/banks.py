"""The banks of Vietnam that VietQR knows, by BIN.

From the State Bank of Vietnam's list of BINs (to 31/12/2023) and the banks' own names since: one
that was renamed or taken over keeps its BIN and is here once, under today's name, with its former
names to be found by. Codes and short names differ between sources: nothing but the BIN is a key.
"""

from dataclasses import dataclass
from types import MappingProxyType

from billing.memos import fold

# BIN | code | short name | name | former names and codes, by commas. A star: takes VietQR transfers.
_LIST = """
