#!/bin/bash
# Submit with: sbatch $file
# When all jobs are finished, write the tree, with whatever a lost job has left undone:
#   $command
# Inputs, network and output must be on a file system that the workers see.
#SBATCH --job-name=na64ml-score
#SBATCH --array=0-$last
#SBATCH --cpus-per-task=$threads
#SBATCH --mem=2G
#SBATCH --time=08:00:00
#SBATCH --output=$output.slurm.%a.log
export OMP_NUM_THREADS=1
cd $quoted_folder || exit 1
exec $command --part "$$SLURM_ARRAY_TASK_ID/$jobs"
