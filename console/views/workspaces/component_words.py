"""What the boxes of the builder offer and explain, in words."""

LOOKS = {
    "plain": "Plain", "panel": "Shaded pane", "bar": "Inputs in a row", "figures": "Figures in a row", "table": "Table",
    "list": "List for a narrow pane",
}  # fmt: skip
MEASURES = {
    "count": "How many", "sum": "Sum of a field", "average": "Average of a field", "lowest": "Lowest of a field",
    "highest": "Highest of a field", "distinct": "How many different values",
}  # fmt: skip
CHARTS = {"time": "Time line", "share": "Shares", "leaders": "Leaders", "cohort": "Cohorts", "funnel": "Funnel"}
GOOD = {"none": "Neither", "up": "More is better", "down": "Less is better"}

WHERE_HELP = 'One condition a line, all must hold: record.status == "open". One over an empty input is left out.'

PART_HELP = 'One condition a line: record.status == "paid" shows how many per cent of the records above are paid. Empty: the figure itself.'
