"""``na64ml export-matrix``: all networks and layers with all exporters."""

import argparse
import logging
from pathlib import Path

from na64ml.cli.options import event_progress
from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path
from na64ml.events.reader import EventReader

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, default=Path("export_matrix.md"), help="Markdown page to write")
    parser.add_argument("--networks", nargs="+", metavar="CLASS", help="only these network classes (default: all)")
    parser.add_argument("--exporters", nargs="+", metavar="NAME", help="only these exporters (default: all)")
    parser.add_argument("--opsets", nargs="+", type=int, metavar="N", help="these opsets (default: 18 20 22 23)")
    parser.add_argument("--events", type=int, default=1000, help="ordinary events to compare (default: 1000)")


def run(arguments: argparse.Namespace) -> None:
    """Try the networks and write the page."""
    from na64ml.export.attention_trap import attention_outcomes
    from na64ml.export.matrix import Matrix, candidates, network_classes, variants
    from na64ml.export.matrix_page import is_right, render

    kinds = {kind.__name__: kind for kind in network_classes()}
    names = arguments.networks or list(kinds)
    if unknown := sorted(set(names) - set(kinds)):
        raise ConfigError(f"--networks {', '.join(unknown)}: no such network; there are {', '.join(kinds)}")
    matrix = Matrix(EventReader("na64e_reference"), ["shipped:na64e_reference.root"], arguments.events)
    tried, these = candidates([kinds[name] for name in names]), variants(arguments.exporters, arguments.opsets)
    attention = attention_outcomes(dict.fromkeys(opset for _, opset in these))
    rows = []
    with event_progress("exporting", len(tried) * len(these), "exports") as progress:
        for candidate in tried:
            for row in matrix.rows(candidate, these):
                rows.append(row)
                outcome = row.fault or ("right" if is_right(row) else "wrong for some events")
                logger.info("%s, %s, opset %d: %s", row.network, row.exporter, row.opset, outcome)
                progress(1)
    with atomic_path(arguments.out) as part:
        part.write_text(render(rows, len(matrix.events), attention))
    logger.info("wrote %s", arguments.out)
