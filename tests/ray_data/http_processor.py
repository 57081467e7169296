"""Ray's own HTTP processor with the prompts of a folder, for the comparison."""

# Ray leaves most of its types unknown, and is not installed where types are checked.
# pyright: reportMissingImports=false

import os
import sys
from typing import Any

import ray
from ray.data.llm import HttpRequestProcessorConfig, build_processor


def main(prompts: str, base_url: str, cpus: str) -> None:
    """Send all prompts.

    Args:
        prompts: The folder of the prompts.
        base_url: The address of the service.
        cpus: The logical CPUs.
    """
    ray.init(num_cpus=int(cpus), log_to_driver=False, include_dashboard=False)
    key = os.environ["DASHSCOPE_API_KEY"]
    config = HttpRequestProcessorConfig(
        url=f"{base_url}/compatible-mode/v1/chat/completions",
        headers={"Authorization": f"Bearer {key}"},
        qps=None,
        batch_size=64,
        concurrency=1,
    )

    def to_payload(row: dict[str, Any]) -> dict[str, Any]:
        messages = [{"role": "user", "content": row["prompt"]}]
        return {"payload": {"model": "qwen3.7-plus", "messages": messages}}

    def to_answer(row: dict[str, Any]) -> dict[str, Any]:
        return {"answer": row["http_response"]["choices"][0]["message"]["content"]}

    processor = build_processor(config, preprocess=to_payload, postprocess=to_answer)
    rows = processor(ray.data.read_parquet(prompts)).take_all()
    if not all(row["answer"] for row in rows):
        sys.exit("a row has no answer")


if __name__ == "__main__":
    main(*sys.argv[1:])
