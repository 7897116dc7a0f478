"""The commands of the console, one file per noun; `console.cli` finds them."""
