#!/bin/bash
# What: a run over several machines by Slurm: the notebooks on the first one, the training on all of them.
# Needs: this folder on a disk that all machines share, environments made (./bootstrap.sh), a parameter file with a launcher of several
#        machines. Not yet run by this project: see the README.
# Use:   sbatch --nodes=2 --gpus-per-node=8 parameters/launchers/slurm.sh parameters/FILE.yaml [further options of run_all.sh]
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
set -euo pipefail
parameters=${1:?expected a parameter file}
shift
mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
run=$(sed -n 's/^run: *//p' "$parameters")
for ((rank = 1; rank < ${#hosts[@]}; rank++)); do
    srun --nodes=1 --ntasks=1 --nodelist="${hosts[$rank]}" .venv/bin/python -m lib.finetune.start "runs/$run" "$rank" &
done
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
list=$(printf '"%s", ' "${hosts[@]}")
./run_all.sh -p "$parameters" -y hosts "[${list%, }]" "$@"
