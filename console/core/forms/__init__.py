"""Fields of a form: what they are, and how submitted values are checked and made canonical.

Values have the same JSON form everywhere (docs, "reference of shapes"): decimals are text, dates and times ISO 8601, lists are lists.
No value is converted from one kind to another: a number is not accepted as text, a text not as a list. Errors are reported for all fields at once.
"""

from console.core.forms.field_values import (
    CLEANERS,
    LONGEST,
    LONGEST_OTHERWISE,
    Wrong,
    bound,
    clean,
    cleaned,
    examine,
    is_empty,
    missing_message,
)
from console.core.forms.form_field import (
    BUTTONS,
    FIELD_TYPES,
    LISTS,
    NEVER_TYPED,
    TEXTS,
    FieldType,
    FormField,
    takes_files,
)
from console.core.forms.refused_form import by_label, field_name, refusal
