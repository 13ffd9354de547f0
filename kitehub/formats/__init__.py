"""Dates, times and numbers as an office in Vietnam writes them, in either language.

Django reads `vi/formats.py` or `en/formats.py` (FORMAT_MODULE_PATH); what the two share is here.
The input formats must be the global settings too: code that does not ask for the language's own
reads `settings.DATE_INPUT_FORMATS`, whose default takes 03/04/2025 for 4 March. unfold's date
filters are such code.

Numbers are grouped only where it is asked for. USE_THOUSAND_SEPARATOR stays off, because it would
also group ids and years. In a template `{{ value|floatformat:"0g" }}`, in Python
`django.utils.formats.number_format(value, force_grouping=True)`; NUMBER_GROUPING is what makes
them group by thousands.
"""

# In the order in which they are tried; the first is also what a form's field shows.
DATE_INPUT_FORMATS = [
    "%d/%m/%Y",  # 25/10/2025
    "%d-%m-%Y",  # 25-10-2025
    "%d.%m.%Y",  # 25.10.2025
    "%Y-%m-%d",  # 2025-10-25
    "%d/%m/%y",  # 25/10/25
]
TIME_INPUT_FORMATS = [
    # With its seconds first: a form that showed 14:30 for 14:30:59 would save 14:30:00.
    "%H:%M:%S",  # 14:30:59
    "%H:%M:%S.%f",  # 14:30:59.000200
    "%H:%M",  # 14:30
    "%Hh%M",  # 14h30
    "%Hh",  # 14h
]
DATETIME_INPUT_FORMATS = [
    *[f"{date} {time}" for date in DATE_INPUT_FORMATS for time in TIME_INPUT_FORMATS],
    *[f"{time} {date}" for date in DATE_INPUT_FORMATS for time in TIME_INPUT_FORMATS],
]

TIME_FORMAT = "H:i"
DATE_FORMAT = SHORT_DATE_FORMAT = "d/m/Y"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "d/m/Y H:i"
# 0 is Sunday.
FIRST_DAY_OF_WEEK = 1
NUMBER_GROUPING = 3
