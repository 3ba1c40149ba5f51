"""SemanticPrompt: what a foundation model sees joins the tokens and refines them."""

from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.nn.embed import joint_xavier_, scale_
from ppvd.nn.grid import TokenGrid


class SemanticPrompt(nn.Module):
    """Fuse features into the tokens and split each token into finer ones (Eq. 6-7, III-F).

    ``z' = h(z ++ B(e / |e|))`` with a three-layer SiLU MLP ``h`` whose output of
    ``factor**2 * D`` channels is read as ``factor * factor`` tokens. Without features the MLP
    sees the tokens alone. There is no residual connection around it.

    The first layer is kept in two halves: the features' half does not change from step to
    step, so `prompt` computes it once. The released code never interpolates features, since
    it resizes the encoder's image until the grids agree; ours follows Eq. 7 where they do not.

    Args:
        width: Channels ``D`` of a token.
        semantic_width: Channels ``D'`` of the features, 0 for none.
        factor: Finer tokens along one side of a token; 1 keeps the grid.
        hidden: Channels between the layers.
        prompt_gain: Factor on the initial weights of the features' half.
    """

    def __init__(
        self,
        width: int,
        semantic_width: int,
        *,
        factor: int,
        hidden: int,
        prompt_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.prompt_gain = prompt_gain
        self.factor = factor
        self.tokens = nn.Linear(width, hidden)
        self.features = nn.Linear(semantic_width, hidden, bias=False) if semantic_width else None
        self.middle = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, factor**2 * width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw matrices Xavier-uniformly, the first layer's halves as one, then the gain."""
        halves = (self.tokens,) if self.features is None else (self.tokens, self.features)
        fan_in = sum(half.in_features for half in halves)
        joint_xavier_(halves, fan_in=fan_in, fan_out=self.tokens.out_features)
        if self.features is not None:
            scale_(self.features, self.prompt_gain)
        for layer in (self.middle, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def prompt(self, features: Tensor, grid: TokenGrid) -> Tensor:
        """Return the features' half of the first layer.

        Args:
            features: Output of the encoder, of any magnitude, ``(..., D', h', w')``.
            grid: Grid of the tokens it will join.

        Returns:
            ``(..., N, hidden)``.
        """
        assert self.features is not None, "a prompt needs semantic_width above 0"
        unit = F.normalize(features.float(), dim=-3).flatten(0, -4)  # Eq. 6
        if features.shape[-2:] != (grid.height, grid.width):
            size = (grid.height, grid.width)
            unit = F.interpolate(unit, size, mode="bilinear", align_corners=False)
        rows = unit.flatten(2).transpose(1, 2).to(self.features.weight.dtype)
        prompt: Tensor = self.features(rows)
        return prompt.view(*features.shape[:-3], *prompt.shape[1:])

    def forward(self, tokens: Tensor, prompt: Tensor | None) -> Tensor:
        """Fuse and split tokens ``(..., N, D)`` into ``(..., factor**2 * N, D)``, cell by cell."""
        hidden = self.tokens(tokens)
        if prompt is not None:
            hidden = hidden + prompt
        split: Tensor = self.out(F.silu(self.middle(F.silu(hidden))))  # Eq. 7
        return split.view(*tokens.shape[:-2], -1, tokens.shape[-1])
