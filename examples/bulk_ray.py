"""Answer the prompts of Parquet files with Ray Data, and go on after a crash.

Run it with ``python examples/bulk_ray.py PROMPTS ANSWERS``: a folder with the columns
``id`` (unique) and ``prompt``, and a folder for the answers. It needs
``pip install "modelstudio-integrations[langchain,aiohttp,limits,ray]"`` and the
variable ``DASHSCOPE_API_KEY`` in the environment of the workers. Started again after a
crash it goes on: rows that were written are skipped, and answers that were received but
not written are in the cache. With ``--base-url`` it runs on the local emulator. It has
not been tried with the live service.
"""

# Ray leaves most of its types unknown, and is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext
from ray.data.checkpoint import CheckpointConfig

from langchain_modelstudio.bulk import OUTPUT_COLUMNS, ChatMapper
from modelstudio_core.limits import RateLimit

# A checkpoint is written for each block of the output: what a crash loses is at most
# the blocks in work, and of those only what is not in the cache is paid for again.
ROWS_PER_BLOCK: Final = 100
# Batches that are in work at once in an actor. They share its limit of calls.
BATCHES_PER_ACTOR: Final = 4


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer all prompts that have no answer yet.

    Args:
        arguments: The command line. None: that of this process.
    """
    options = parse(arguments)
    state = options.state or options.answers.with_name(f"{options.answers.name}.state")
    state.mkdir(parents=True, exist_ok=True)
    # Ray forwards the output of the workers, and shows progress, by default.
    ray.init(num_cpus=options.cpus, log_to_driver=False, include_dashboard=False)
    context = DataContext.get_current()
    context.enable_progress_bars = sys.stderr.isatty()
    context.checkpoint_config = CheckpointConfig(
        id_column="id",
        checkpoint_path=str((state / "checkpoint").absolute()),
        delete_checkpoint_on_success=False,
    )
    rows = ray.data.read_parquet(str(options.prompts.absolute()))
    schema = with_answers(rows.schema().base_schema)
    # Without it, all answers become one block, which is written at the end.
    rows = rows.repartition(target_num_rows_per_block=ROWS_PER_BLOCK)
    rows = rows.map_batches(
        ChatMapper,
        fn_constructor_args=[model_arguments(options, state)],
        fn_constructor_kwargs={
            "max_concurrency": options.concurrency // options.actors,
            "cache": None if options.no_cache else str(state.absolute() / "cache.db"),
        },
        batch_format="numpy",
        batch_size=ROWS_PER_BLOCK,
        num_cpus=1,
        compute=ActorPoolStrategy(
            size=options.actors,
            max_tasks_in_flight_per_actor=2 * BATCHES_PER_ACTOR,
            max_concurrent_calls_per_actor=BATCHES_PER_ACTOR,
            enable_true_multi_threading=True,
        ),
    )
    rows.write_parquet(str(options.answers.absolute()), schema=schema)
    print(f"All prompts are answered: {options.answers}")


def with_answers(schema: Any) -> Any:
    """Return a schema with the columns of the answers.

    Without it, a file in which no row has an error has no type for that column.

    Args:
        schema: The pyarrow schema of the prompts.
    """
    for name, kind in OUTPUT_COLUMNS.items():
        column = pa.field(name, pa.string() if kind is str else pa.int64())
        schema = schema.append(column)
    return schema


def model_arguments(options: argparse.Namespace, state: Path) -> dict[str, Any]:
    """Return the arguments of the model, which each worker creates for itself.

    Args:
        options: The command line.
        state: The folder of the cache and the limit.
    """
    arguments: dict[str, Any] = {"model": options.model, "max_tokens": 500}
    if options.base_url:
        arguments["base_url"] = options.base_url
    if options.requests_per_minute or options.tokens_per_minute:
        arguments["limiter"] = RateLimit(
            requests_per_minute=options.requests_per_minute,
            tokens_per_minute=options.tokens_per_minute,
            name=options.model,
            store=options.limit_store or f"sqlite:///{state.absolute()}/limits.db",
        )
    return arguments


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line.

    Args:
        arguments: The command line. None: that of this process.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("prompts", type=Path, help="a folder of Parquet files: id, prompt")
    add("answers", type=Path, help="the folder to write to")
    add("--state", type=Path, help="the folder of checkpoint, cache and limit")
    add("--model", default="qwen3.7-plus")
    add("--base-url", help="another address, such as that of the emulator")
    add("--actors", type=int, default=2, help="processes that call the service")
    add("--concurrency", type=int, default=64, help="calls at once, of all actors")
    add("--cpus", type=int, help="logical CPUs of a local Ray; at least 4 to go on")
    add("--no-cache", action="store_true", help="use no answer cache")
    add("--requests-per-minute", type=int)
    add("--tokens-per-minute", type=int)
    add("--limit-store", help="redis://... for several machines")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
