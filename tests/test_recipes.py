"""The contract of every recipe, in small: what is listed in RECIPES is tested because it is listed."""

import copy
import dataclasses
import subprocess
import sys
from typing import Any

import pytest
import torch

from i2i.batches import Captioned, Domains, Labelled, Pairs
from i2i.engine.schedule import Schedule
from i2i.engine.trainer import Trainer
from i2i.errors import SettingsError
from i2i.experiment import Experiment, change, set_width
from i2i.game import Model, Progress, flatten
from i2i.losses.settings import Vanilla
from i2i.models.distill import Distill
from i2i.models.settings import Distill as Distillation
from i2i.models.settings import ProGAN
from i2i.recipes import RECIPES, recipe

# What can be combined, all at once, is held to the same contract.
EVERYTHING = "pix2pix with everything"
GAMES = RECIPES | {
    EVERYTHING: change(
        RECIPES["pix2pix"],
        {
            "model": {
                "generator": {"upsample": "resize"},
                "discriminator": {
                    "kind": "multi-scale", "scales": 2, "layers": 2, "norm": "none", "spectral_norm": True
                },
                "objective": {"kind": "hinge"},
                "lambda_l1": 5.0,
                "lambda_features": 10.0,
                "lambda_ssim": 1.0,
                "lambda_r1": 1.0,
                "r1_every": 2,
            },
            "training": {"ema": 0.999},
        },
    )
} | {
    "cyclegan, seen adaptively": change(
        RECIPES["cyclegan"],
        {
            "model": {
                "objective": {"smoothing": 0.1},
                "sight": {"augment": "adaptive", "reach": 100, "noise": 0.1, "noise_until": 6},
                "identity_until": 6,
                "lambda_r1": 0.1,
                "r1_every": 2,
            },
            "training": {"lr_discriminator": 4e-4},
        },
    ),
    # A penalty in some rounds alone would draw other looks in them, and no two rounds could be compared.
    "pix2pix, augmented": change(
        RECIPES["pix2pix"],
        {"model": {"sight": {"augment": "always", "noise": 0.01}, "lambda_features": 10.0}},
    ),
    "cut, augmented": change(
        RECIPES["cut"], {"model": {"objective": {"kind": "wgan"}, "sight": {"augment": "always", "noise": 0.05}}}
    ),
    # R3GAN (Huang et al. 2024) plays so, on networks of its own.
    "dcgan, relativistic": change(
        RECIPES["dcgan"],
        {
            "model": {
                "discriminator": {"norm": "instance"},
                "objective": {"kind": "relativistic", "against": "pair"},
                "lambda_r1": 0.1,
                "lambda_r2": 0.1,
                "r1_every": 1,
                "sight": {"augment": "always"},
            }
        },
    ),
}  # fmt: skip
NAMES = sorted(GAMES)


def small(name: str, **training: Any) -> Experiment:
    """The recipe at 32 pixels and a width of 4."""
    experiment = set_width(GAMES[name], 4)
    changes: dict[str, Any] = {
        "data": {"size": "32", "load": 0},
        "training": {"schedule": "constant", "accumulate": 1, "batch_size": 2} | training,
    }
    kind = experiment.model.generator.kind
    teacher = {"teacher": {"architecture": {"width": 4, "blocks": 1}}} if name == "distill" else {}
    tiny = {
        "srresnet": {"blocks": 1},
        "resnet": {"blocks": 1}, "dcgan": {"latent": 4},
        "text": {"latent": 4, "described": 4}, "progan": {"latent": 8}, "stylegan": {"latent": 8, "mapping": 2},
    }  # fmt: skip
    moves = {"critic_steps": 1} if hasattr(experiment.model, "critic_steps") else {}  # both players in every round
    wider = {"discriminator": {"width": 32}} if kind == "mlp" else {}  # of four units dropout leaves next to nothing
    if experiment.model.discriminator.kind == "multi-scale":
        wider = {"discriminator": {"layers": 2}}  # 32 pixels have no patch of three at half the size
    if experiment.needs == "captions":
        changes["data"]["vocabulary"] = ["red", "blue", "circle"]
    changes["model"] = teacher | moves | wider | {"generator": tiny.get(kind, {})}
    return change(experiment, changes)


def build(experiment: Experiment, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    model = experiment.build(3, 3)
    if isinstance(model, Distill) and isinstance(experiment.model, Distillation):
        # A run reads it from its file, however often it is built; one that makes gray alone has nothing to teach.
        torch.manual_seed(0)
        teacher = experiment.model.teacher.architecture.build(3, 3, experiment.data.crop)
        for weight in teacher.parameters():
            torch.nn.init.normal_(weight, std=0.3)
        model.teach_with(teacher)
    return model


def batch_for(experiment: Experiment, seed: int = 0, count: int = 2) -> Any:
    generator = torch.Generator().manual_seed(seed)
    one, two = (torch.randn(count, 3, 32, 32, generator=generator).tanh() for _ in range(2))
    if experiment.needs == "pictures":
        return Labelled(one, torch.zeros(count, dtype=torch.long))
    if experiment.needs == "captions":
        return Captioned(one, *torch.eye(3).roll(seed, 0)[:2].repeat(1, count).view(2, count, 3))
    if (times := 32 // experiment.source_size[0]) > 1:  # what a small picture says nothing of cannot be learnt
        one = one[:, :, ::times, ::times]
        two = -one.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)
    return Pairs(one, two) if experiment.needs == "pairs" else Domains(one, two)


def trainer_of(experiment: Experiment, steps: int = 8, seed: int = 0) -> Trainer:
    # Unfused and in float32 a model that computes with weights of before a step raises instead of learning nonsense.
    return Trainer(
        build(experiment, seed),
        experiment.training,
        steps=steps,
        schedule=Schedule(experiment.training.schedule, steps, 1),
        device=torch.device("cpu"),
        fused=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_term_is_a_finite_float32_scalar(name):
    experiment = small(name)
    model = build(experiment)
    players = []
    for turn in model.step(batch_for(experiment), Progress()):
        players.append(turn.player)
        terms = flatten(turn.terms)
        assert terms
        for term, value in terms.items():
            assert value.shape == (), term
            assert value.dtype is torch.float32, term
            assert value.isfinite(), term
    assert set(players) == set(model.players())


@pytest.mark.parametrize("name", NAMES)
def test_every_player_gets_a_gradient_from_its_own_turn(name):
    experiment = small(name)
    if isinstance(experiment.model, ProGAN):
        experiment = change(experiment, {"model": {"stage_images": 1}})
    model = build(experiment)
    weights = {
        player: [weight for module in modules for weight in module.parameters()]
        for player, modules in model.players().items()
    }
    reached: dict[str, set[int]] = {player: set() for player in weights}
    # Of a game that grows every stage has weights of its own.
    for images in range(8 if isinstance(experiment.model, ProGAN) else 1):
        for turn in model.step(batch_for(experiment), Progress(images=images)):
            loss = torch.stack(list(flatten(turn.terms).values())).sum()
            gradients = torch.autograd.grad(loss, weights[turn.player], allow_unused=True, retain_graph=True)
            reached[turn.player] |= {index for index, gradient in enumerate(gradients) if gradient is not None}
            assert any(gradient.any() for gradient in gradients if gradient is not None)
    assert all(len(reached[player]) == len(weights[player]) for player in weights)


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_belongs_to_one_player(name):
    model = build(small(name))
    owned = [id(weight) for modules in model.players().values() for m in modules for weight in m.parameters()]
    assert sorted(owned) == sorted(id(weight) for weight in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_a_round_moves_every_player(name):
    experiment = small(name)
    trainer = trainer_of(experiment)
    before = copy.deepcopy(dict(trainer.model.players()))
    trainer.round([batch_for(experiment)])
    for player, modules in trainer.model.players().items():
        for module, start in zip(modules, before[player], strict=True):
            pairs = zip(module.parameters(), start.parameters(), strict=True)
            assert any(not torch.equal(now, then) for now, then in pairs), player


@pytest.mark.parametrize("name", NAMES)
def test_a_player_alone_lowers_its_own_loss(name):
    """Each in turn learns one batch while the others stand still, which no game can spoil."""
    experiment = small(name, lr=5e-3)
    model = build(experiment)
    batch = batch_for(experiment)
    for player in model.players():
        trainer = Trainer(
            copy.deepcopy(model), experiment.training, steps=24, schedule=Schedule("constant", 1, 1),
            device=torch.device("cpu"), fused=False,
        )  # fmt: skip
        for other in set(trainer.players) - {player}:
            trainer.players[other].optimizer.step = lambda: None  # pyright: ignore[reportAttributeAccessIssue]
        totals = []
        for _ in range(24):
            torch.manual_seed(0)  # the same noise, dropout and history at every round
            trainer.round([batch])
            totals.append(sum(v for term, v in trainer.fetch_losses().items() if term.startswith(f"{player}/")))
        assert totals[-1] < 0.9 * totals[0], player


@pytest.mark.parametrize("name", NAMES)
def test_going_on_equals_never_stopping(name):
    experiment = small(name, schedule="linear", ema=0.9)
    never = trainer_of(experiment, steps=4)
    batches = [batch_for(experiment, seed) for seed in range(4)]
    for batch in batches[:2]:
        never.round([batch])
    state = copy.deepcopy(never.state_dict())
    for batch in batches[2:]:
        never.round([batch])
    again = trainer_of(experiment, steps=4, seed=1)
    again.load_state_dict(state)
    for batch in batches[2:]:
        again.round([batch])
    mine, other = never.model.state_dict(), again.model.state_dict()
    assert [key for key in mine if not torch.equal(mine[key], other[key])] == []
    for one, two in zip(never.translators().values(), again.translators().values(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_pictures_within_one_made_by_its_translators(name):
    experiment = small(name)
    model = build(experiment).eval()
    with torch.no_grad():
        shown = model.show(batch_for(experiment), model.translators())
    # A translator is shown beside its source; a sampler fills a grid of its own.
    samples = experiment.needs == "pictures"
    assert samples or len(shown) >= 2
    for picture in shown.values():
        assert picture.shape == (64 if samples else 2, 3, 32, 32)
        assert float(picture.abs().max()) <= 1


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_knows_its_name(name):
    assert RECIPES[name].recipe == name
    assert recipe(name) is RECIPES[name]


def test_the_papers_numbers():
    pix2pix, cyclegan, dcgan = (RECIPES[name] for name in ("pix2pix", "cyclegan", "dcgan"))
    for experiment in (pix2pix, cyclegan):
        training = experiment.training
        assert (training.lr, training.beta1, training.beta2, training.batch_size) == (2e-4, 0.5, 0.999, 1)
        assert (training.epochs, training.schedule, training.ema) == (200, "linear", 0)
        assert (experiment.data.crop, experiment.data.loaded) == ((256, 256), (286, 286))
    assert (pix2pix.model.lambda_l1, pix2pix.model.objective.kind) == (100, "vanilla")
    assert (cyclegan.model.lambda_cycle, cyclegan.model.lambda_identity, cyclegan.model.history) == (10, 0.5, 50)
    assert cyclegan.model.objective.kind == "least-squares"
    assert (cyclegan.model.generator.blocks, cyclegan.model.discriminator.norm) == (9, "instance")
    assert (dcgan.training.batch_size, dcgan.data.crop, dcgan.model.generator.latent) == (128, (64, 64), 100)


def test_the_numbers_of_cut_and_fastcut():
    cut, fastcut = (RECIPES[name] for name in ("cut", "fastcut"))
    for experiment, epochs in ((cut, 400), (fastcut, 200)):
        training, model = experiment.training, experiment.model
        assert (training.lr, training.beta1, training.beta2, training.batch_size) == (2e-4, 0.5, 0.999, 1)
        assert (training.epochs, training.schedule, training.ema) == (epochs, "linear", 0)
        assert (experiment.data.crop, experiment.data.loaded) == ((256, 256), (286, 286))
        assert (model.patches, model.head_width, model.temperature) == (256, 256, 0.07)
        assert (model.objective.kind, model.discriminator.norm) == ("least-squares", "instance")
        generator = model.generator
        assert (generator.blocks, generator.downsample, generator.upsample) == (9, "blur", "bilinear")
    assert (cut.model.lambda_nce, cut.model.identity, cut.model.flip_equivariance) == (1, True, False)
    assert (fastcut.model.lambda_nce, fastcut.model.identity, fastcut.model.flip_equivariance) == (10, False, True)


def test_cut_plus_is_cut_with_a_mask_an_average_and_augmentation():
    cut, plus = (RECIPES[name] for name in ("cut", "cut-plus"))
    assert (plus.model.generator.mask, plus.model.sight.augment, plus.training.ema) == (True, "always", 0.999)
    model = dataclasses.replace(plus.model, generator=cut.model.generator, sight=cut.model.sight)
    assert (model, plus.data) == (cut.model, cut.data)
    assert dataclasses.replace(plus.training, ema=0.0) == cut.training


def test_the_numbers_of_attention_and_of_energy():
    sagan, biggan, ebgan, began = (RECIPES[name] for name in ("sagan", "biggan", "ebgan", "began"))
    for experiment, beta2 in ((sagan, 0.9), (biggan, 0.999)):
        training, model = experiment.training, experiment.model
        assert (training.lr, training.lr_discriminator, training.beta1, training.beta2) == (1e-4, 4e-4, 0, beta2)
        assert (model.objective.kind, model.conditional) == ("hinge", True)
        for network in (model.generator, model.discriminator):
            assert (network.kind, network.spectral_norm, network.attention) == ("residual", True, "half")
    generator = sagan.model.generator
    assert (generator.latent, generator.embedding, generator.skip_z) == (128, 0, False)
    generator = biggan.model.generator
    assert (generator.latent, generator.embedding, generator.skip_z) == (120, 128, True)
    assert (biggan.model.critic_steps, biggan.model.lambda_orthogonal, biggan.training.ema) == (2, 1e-4, 0.9999)
    assert (ebgan.model.objective.lambda_pt, ebgan.model.generator.kind) == (0.1, "dcgan")
    objective, training = began.model.objective, began.training
    assert (objective.gamma, objective.lambda_k, training.lr, training.batch_size) == (0.5, 0.001, 1e-4, 16)
    assert (began.model.generator.latent, began.model.discriminator.code) == (64, 64)


def test_the_numbers_of_the_first_gans_and_of_wasserstein():
    gan, lsgan, wgan, penalised = (RECIPES[name] for name in ("gan", "lsgan", "wgan", "wgan-gp"))
    assert (gan.data.crop, gan.model.generator.width, gan.model.discriminator.dropout) == ((28, 28), 1200, 0.5)
    assert (gan.model.objective, gan.training.batch_size) == (Vanilla(), 100)
    assert (lsgan.model.objective.kind, lsgan.training) == ("least-squares", RECIPES["dcgan"].training)
    for experiment, lr, beta2 in ((wgan, 5e-5, 0.99), (penalised, 1e-4, 0.9)):
        training, model = experiment.training, experiment.model
        assert (training.lr, training.beta1, training.beta2, training.batch_size) == (lr, 0, beta2, 64)
        assert (model.critic_steps, model.discriminator.norm, model.objective.kind) == (5, "none", experiment.recipe)
    assert (wgan.model.objective.clip, penalised.model.objective.lambda_penalty) == (0.01, 10)


def test_a_misspelt_recipe_is_answered_with_the_likely_one():
    with pytest.raises(SettingsError, match=r"'cyclegn' is no recipe; did you mean cyclegan\?"):
        recipe("cyclegn")
    with pytest.raises(SettingsError, match=r"there are .*pix2pix"):
        recipe("zzz")


def test_recipes_load_no_torch():
    code = "import sys, i2i.recipes; print(*{'torch', 'albumentations', 'cv2', 'tyro'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", sorted(name for name in RECIPES if RECIPES[name].needs in ("pictures", "captions")))
def test_whole_pictures_are_learnt_from_at_any_size_of_what_comes_from_noise(name):
    assert RECIPES[name].data.loaded == RECIPES[name].data.crop
    assert change(RECIPES[name], {"data": {"size": "32"}}).data.loaded == (32, 32)
