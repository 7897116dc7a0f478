"""What the boxes of the builder offer and explain, in words."""

LOOKS = {
    "plain": "Plain",
    "panel": "Shaded pane",
    "bar": "Inputs in a row",
    "figures": "Figures in a row",
    "table": "Table",
    "list": "List for a narrow pane",
}
MEASURES = {
    "count": "How many",
    "sum": "Sum of a field",
    "average": "Average of a field",
    "lowest": "Lowest of a field",
    "highest": "Highest of a field",
    "distinct": "How many different values",
}
CHARTS = {
    "time": "Time line",
    "share": "Shares",
    "leaders": "Leaders",
    "cohort": "Cohorts",
    "funnel": "Funnel",
}
GOOD = {"none": "Neither", "up": "More is better", "down": "Less is better"}

WHERE_HELP = "All of them must hold. One that is compared with an empty input is left out."

PART_HELP = "How many per cent of the records above meet all of these. None: the figure itself."
