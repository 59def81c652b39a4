"""Write the table of analysis variables into the documentation."""

from pathlib import Path

from na64ml.selection.variables import describe

PAGE = Path(__file__).parent / "selection.md"
BEGIN, END = "<!-- variables -->", "<!-- end of variables -->"


def variable_table() -> str:
    """Return a Markdown table of all analysis variables."""
    rows = [f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, text in describe().items()]
    return "\n".join(["| variable | meaning |", "|---|---|", *rows])


def with_table(page: str) -> str:
    """Return the text of a page with the table between its two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{variable_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
