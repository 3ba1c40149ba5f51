"""How tokens lie on the image: patches, cells of patches, and the order they are stored in."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class TokenGrid:
    """Tokens of an image, stored cell by cell and row by row within each cell.

    With ``cell = 1`` that is plain row-major order. Splitting every token into ``cell * cell``
    finer ones leaves them side by side, so the split copies nothing: attention does not care
    for order, and only positions and painting need to know it.

    Args:
        rows: Rows of cells.
        cols: Columns of cells.
        cell: Tokens along one side of a cell.
    """

    rows: int
    cols: int
    cell: int = 1

    @property
    def height(self) -> int:
        """Rows of tokens."""
        return self.rows * self.cell

    @property
    def width(self) -> int:
        """Columns of tokens."""
        return self.cols * self.cell

    @property
    def num_tokens(self) -> int:
        """Tokens ``N`` of one image."""
        return self.height * self.width

    def split(self, factor: int) -> "TokenGrid":
        """Return the grid whose cells are this grid's tokens, ``factor * factor`` in each."""
        assert self.cell == 1, "only whole tokens are split"
        return TokenGrid(self.rows, self.cols, factor)

    def coordinates(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the row and the column of every token, float32, each ``(N,)``."""
        rows = torch.arange(self.height, dtype=torch.float32, device=device)
        cols = torch.arange(self.width, dtype=torch.float32, device=device)
        row, col = torch.meshgrid(rows, cols, indexing="ij")
        return self._by_cell(row), self._by_cell(col)

    def to_map(self, tokens: Tensor) -> Tensor:
        """Lay tokens ``(..., N, D)`` out as a map ``(..., D, height, width)``."""
        *batch, _, channels = tokens.shape
        cells = tokens.reshape(-1, self.rows, self.cols, self.cell, self.cell, channels)
        lines = cells.transpose(2, 3).reshape(*batch, self.height, self.width, channels)
        return lines.movedim(-1, -3)  # channels stay last in memory, as the tokens had them

    def pool(self, tokens: Tensor, size: int) -> Tensor:
        """Average windows of ``size * size`` tokens ``(..., N, D)``, row by row, ``(..., M, D)``.

        Windows at the last row and column hold what is left of the grid.
        """
        pooled = F.avg_pool2d(self.to_map(tokens).flatten(0, -4), size, ceil_mode=True)
        rows = pooled.flatten(2).transpose(1, 2)
        return rows.reshape(*tokens.shape[:-2], *rows.shape[1:])

    def pooled_coordinates(self, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the row and the column of every window's centre, each ``(M,)``."""
        places = torch.stack(self.coordinates(device), -1)
        row, col = self.pool(places[None], size)[0].unbind(-1)
        return row, col

    def paint(self, patches: Tensor, patch: int) -> Tensor:
        """Lay patches ``(..., N, patch * patch)`` out as an image ``(..., 1, H, W)``."""
        batch, cell = patches.shape[:-2], self.cell
        pixels = patches.reshape(-1, self.rows, self.cols, cell, cell, patch, patch)
        image = pixels.permute(0, 1, 3, 5, 2, 4, 6)  # (B, rows, cell, patch, cols, cell, patch)
        return image.reshape(*batch, 1, self.height * patch, self.width * patch)

    def _by_cell(self, values: Tensor) -> Tensor:
        """Store a map ``(height, width)`` in token order, ``(N,)``."""
        cells = values.view(self.rows, self.cell, self.cols, self.cell)
        return cells.transpose(1, 2).reshape(-1)


def patchify(image: Tensor, patch: int) -> Tensor:
    """Cut ``(..., C, H, W)`` into row-major patches ``(..., N, C * patch * patch)``."""
    *batch, channels, height, width = image.shape
    rows, cols = height // patch, width // patch
    cells = image.reshape(-1, channels, rows, patch, cols, patch)
    patches = cells.permute(0, 2, 4, 1, 3, 5)  # (B, rows, cols, C, patch, patch)
    return patches.reshape(*batch, rows * cols, channels * patch**2)
