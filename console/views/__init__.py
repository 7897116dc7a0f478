"""Flask blueprints, one file per page family; thin: parse, call one function, render."""
