"""The image of `make board`, its signed parts made anew: with other keys, or for another flavour."""
import os
from pathlib import Path
from types import SimpleNamespace

import build
import keys
import plan
import stages

IMAGE = Path(os.environ.get("MITRAL_BOARD_DIR", Path(__file__).resolve().parents[2] / "build" / "board"))


IMAGE_ALONE = ("image", "disk")
EVERYTHING = ("u-boot-key", "firmware", *IMAGE_ALONE)


def sign(store: keys.Directory | keys.Token, folder: Path, flavour: str, stages_again: tuple[str, ...]) -> Path:
    """Makes these stages again, in `folder`, which then can be started. What it does not hold is `make board`'s."""
    folder.mkdir(exist_ok=True)
    public = folder / "public"
    keys.export(store, public)
    for made in IMAGE.iterdir():
        if made.is_dir() and not (folder / made.name).exists():
            (folder / made.name).symlink_to(made)
    told = build.shared(SimpleNamespace(board="qemu", jobs=os.cpu_count()), folder)
    workshop = stages.Workshop(folder, told, store.signing(public))
    for stage in plan.stages(folder, flavour):
        if stage.name in stages_again:
            (folder / stage.name).unlink()
            (folder / stage.name).mkdir()
            workshop.run(stage, folder / stage.name)
    return folder
