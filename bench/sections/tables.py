"""Markdown."""


def table(columns, rows):
    return ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns),
            *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)]


def number(value, digits=0):
    """Three significant places where digits is not given."""
    if digits == 0 and abs(value) < 100:
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,.{digits}f}"


def why_not(entry):
    return entry.problems[0] if entry.problems else "not measured"
