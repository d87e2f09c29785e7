"""Draw the pictures of the README; `make pictures` runs this."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl

HERE = Path(__file__).parent


def main() -> None:
    """Run the README's example and save what it draws."""
    mpl.use("Agg")
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, flags=re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    for name in ("segmentation", "scorecard", "gaps"):
        drawn = names[name].plot()  # type: ignore[attr-defined]
        figure = getattr(drawn, "figure", None) or drawn
        figure.savefig(HERE / f"{name}.png", dpi=80, bbox_inches="tight")


if __name__ == "__main__":
    main()
