"""The solver inside torch's autograd.

`opalux.torch.signals` is a differentiable function of the density: use it in a loss of your
own, with an optimiser of your own. Here a disc is found from the signals of one source.
"""

import matplotlib.pyplot as plt
import torch

import opalux
import opalux.torch

CELLS = 16
STEPS = 60

problem = opalux.Problem(
    scheme="staggered",
    grid={"nx": CELLS, "ny": CELLS},
    time={"final": 0.008},
    edges={"left": {"kind": "source"}},
    signals={"at": "edge"},
)
centres = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS
distance = torch.hypot(centres[None, :] - 0.55, centres[:, None] - 0.5)
truth = 1 + 2 * torch.sigmoid((0.2 - distance) * 40)
measured = opalux.torch.signals(problem, truth)

logarithm = torch.zeros_like(truth, requires_grad=True)  # of ρ, which stays positive
optimiser = torch.optim.Adam([logarithm], lr=0.05)
losses = []
for _ in range(STEPS):
    optimiser.zero_grad()
    found = opalux.torch.signals(problem, logarithm.exp())
    loss = sum(((found[edge] - measured[edge]) ** 2).mean() for edge in found)
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
print(f"loss: {losses[0]:.3g} at first, {losses[-1]:.3g} at last")

figure, axes = plt.subplots(1, 3, figsize=(11, 3.3), layout="constrained")
for axis, values, title in (
    (axes[0], truth.numpy(), "truth"),
    (axes[1], logarithm.exp().detach().numpy(), f"after {STEPS} steps"),
):
    image = axis.imshow(
        values, origin="lower", extent=(0, 1, 0, 1), cmap="cividis", vmin=0.5, vmax=3
    )
    axis.set(title=title, xlabel="x [cm]", ylabel="y [cm]")
figure.colorbar(image, ax=axes[1], label="ρ [g/cm³]")
axes[2].semilogy(losses)
axes[2].set(title="loss", xlabel="step")
figure.savefig("09_differentiable.png", dpi=110)
