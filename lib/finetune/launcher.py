"""What starts the processes: an accelerate configuration, and the DeepSpeed JSON that it names."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.run import BadInput, read_json, text_hash, tree_hash

FOLDER = Path("parameters/launchers")


@dataclass(frozen=True)
class Launcher:
    """What an accelerate configuration starts.

    Attributes:
        path: The YAML.
        processes: On all machines together.
        machines: How many.
        precision: `bf16` or `fp32`.
        stage: ZeRO stage; 0 for none.
        offload: Whether optimizer states are kept in the machine's memory.
        offload_params: Whether parameters are, too.
        sha256: Of both files.
    """

    path: str
    processes: int
    machines: int
    precision: str
    stage: int
    offload: bool
    offload_params: bool
    sha256: str

    @classmethod
    def load(cls, path: str | Path) -> "Launcher":
        """Read an accelerate YAML and the DeepSpeed JSON that it names.

        Raises:
            BadInput: No such file, a precision other than bf16 and fp32, or a configuration that would save no whole weights.
        """
        path = Path(path)
        if not path.is_file():
            near = ", ".join(sorted(str(p) for p in FOLDER.glob("*.yaml")))
            raise BadInput(f"launcher {path}: no such file; there are {near or f'none in {FOLDER}'}")
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        if config.get("mixed_precision") not in (None, False, "no", "bf16"):  # YAML reads a bare `no` as False
            raise BadInput(f"launcher {path}: mixed_precision: expected bf16 or no; found {config['mixed_precision']}")
        zero, digest = {"stage": 0}, tree_hash(path)
        if config.get("distributed_type") == "DEEPSPEED":
            zero_path = Path((config.get("deepspeed_config") or {}).get("deepspeed_config_file", ""))
            zero, digest = _read_zero(path, zero_path), digest + tree_hash(zero_path)
        return cls(
            path=str(path), processes=int(config["num_processes"]), machines=int(config.get("num_machines", 1)),
            precision="bf16" if config.get("mixed_precision") == "bf16" else "fp32", stage=zero["stage"],
            offload=_is_offloaded(zero, "optimizer"), offload_params=_is_offloaded(zero, "param"),
            sha256=text_hash(digest),
        )  # fmt: skip


def _is_offloaded(zero: dict, what: str) -> bool:
    return zero.get(f"offload_{what}", {}).get("device", "none") != "none"


def _read_zero(path: Path, zero_path: Path) -> dict:
    if not zero_path.is_file():
        raise BadInput(f"launcher {path}: expected deepspeed_config_file to name a DeepSpeed JSON; found {str(zero_path)!r}")
    zero = read_json(zero_path)["zero_optimization"]
    if zero["stage"] == 3 and not zero.get("stage3_gather_16bit_weights_on_model_save"):
        raise BadInput(
            f"{zero_path}: ZeRO-3 without stage3_gather_16bit_weights_on_model_save saves empty tensors; set it to true"
        )
    return zero


def check_hosts(launcher: Launcher, hosts: list[str]) -> None:
    """See that a launcher of several machines knows their names, and one of a single machine gets none.

    Raises:
        BadInput: Another number of hosts than of machines.
    """
    expected = launcher.machines if launcher.machines > 1 else 0
    if len(hosts) != expected or not all(isinstance(host, str) and host for host in hosts):
        raise BadInput(
            f"hosts: {launcher.path} starts {launcher.machines} machine(s), so expected {expected or 'no'} names or addresses, the first "
            f"that of the machine where the notebook runs; found {hosts!r}"
        )
