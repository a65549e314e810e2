from itertools import chain

import pytest

from i2i.conversion.shards import Shard, device_of, parse_shard, shard_of
from i2i.errors import SettingsError


@pytest.mark.parametrize(("files", "count"), [(0, 3), (2, 5), (23, 1), (23, 4), (100, 7)])
def test_shards_are_a_partition_and_differ_by_one_file_at_most(files, count):
    plan = list(range(files))
    parts = [plan[Shard(index, count).files] for index in range(count)]
    assert sorted(chain.from_iterable(parts)) == plan
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["1", "3/3", "0/0", "-1/2", "a/b", "1/2/3", "", "1/9999999999"])
def test_what_is_no_part_is_said(text):
    with pytest.raises(SettingsError, match="wanted"):
        parse_shard(text)


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}, Shard(3, 8, 1)),
        ({"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "4"}, Shard(2, 4)),
        (
            {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1"},
            Shard(2, 4),
        ),
        (
            {
                "SLURM_ARRAY_TASK_ID": "7",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_ARRAY_TASK_MIN": "1",
                "SLURM_ARRAY_TASK_MAX": "7",
                "SLURM_ARRAY_TASK_STEP": "2",
            },
            Shard(3, 4),
        ),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "4", "SLURM_LOCALID": "1"}, Shard(1, 4, 1)),
        ({"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9"}, Shard(1, 2)),
        # An array whose elements each start two tasks.
        (
            {
                "SLURM_ARRAY_TASK_ID": "2",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_PROCID": "1",
                "SLURM_STEP_NUM_TASKS": "2",
                "SLURM_JOB_ID": "9",
            },
            Shard(5, 8),
        ),
        # The script of an array's element, which is no step.
        (
            {
                "SLURM_ARRAY_TASK_ID": "2",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_PROCID": "0",
                "SLURM_NTASKS": "1",
                "SLURM_JOB_ID": "9",
            },
            Shard(2, 4),
        ),
        # torchrun under srun counts for both.
        ({"RANK": "3", "WORLD_SIZE": "8", "SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, Shard(3, 8)),
    ],
)
def test_the_environment_says_which_part(environment, shard):
    assert shard_of(environment) == shard
    assert parse_shard("auto", environment) == shard


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "none is set"),
        ({"RANK": "1"}, "WORLD_SIZE is not set"),
        ({"RANK": "x", "WORLD_SIZE": "2"}, "RANK is 'x'"),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9"}, "with srun"),
        (
            {
                "SLURM_ARRAY_TASK_ID": "9",
                "SLURM_ARRAY_TASK_COUNT": "3",
                "SLURM_ARRAY_TASK_MIN": "1",
                "SLURM_ARRAY_TASK_MAX": "9",
            },
            "gaps",
        ),
        (
            {"RANK": "0", "WORLD_SIZE": "2", "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2"},
            "how they go together",
        ),
    ],
)
def test_an_environment_that_does_not_say_it_is_refused(environment, said):
    with pytest.raises(SettingsError, match=said):
        shard_of(environment)


@pytest.mark.parametrize(
    ("shard", "device", "gpus", "found"),
    [
        (Shard(5, 8, 1), "auto", 4, "cuda:1"),
        (Shard(5, 8, 1), "cuda", 4, "cuda:1"),
        (Shard(5, 8, 5), "auto", 4, "cuda:1"),
        (Shard(5, 8, 1), "cuda:3", 4, "cuda:3"),
        (Shard(5, 8, 1), "auto", 1, "auto"),
        (Shard(5, 8, 1), "cpu", 4, "cpu"),
        (Shard(5, 8), "auto", 4, "auto"),
        (None, "auto", 4, "auto"),
    ],
)
def test_processes_of_one_machine_have_a_gpu_each(shard, device, gpus, found):
    assert device_of(shard, device, gpus) == found
