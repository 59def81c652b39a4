"""How well a score rejects backgrounds: intervals, working points, figures and reports."""
