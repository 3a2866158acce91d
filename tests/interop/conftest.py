"""Pages that the peers send and receive."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture(scope="session")
def pages() -> list[npt.NDArray[np.bool_]]:
    """Three pages of 1728 pels, (height, width) of true = black: text, a rule, noise, white rows."""
    made = []
    for number, height in enumerate((600, 431, 250)):
        random = np.random.default_rng(number)
        pels = np.zeros((height, 1728), np.bool_)
        for top in range(20, height - 60, 40):
            glyphs = np.repeat(random.random((6, 200)) < 0.4, 7, axis=1)
            pels[top : top + 24, 100:1500] = np.repeat(glyphs, 4, axis=0)
        pels[height - 50] = True
        pels[height - 40 : height - 20, 300:900] = random.random((20, 600)) < 0.2
        made.append(pels)
    return made
