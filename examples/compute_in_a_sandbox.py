"""Run Python that a model wrote: variables live on, a runaway program is stopped, the host is out of reach.

Run it with `python examples/compute_in_a_sandbox.py`.
"""

from loopwright.sandbox import Limits, ProcessSandbox

PROGRAMS = [
    "import statistics\nmean = statistics.mean(numbers)\nmean",
    "round(mean ** 0.5, 3)",
    "open('/etc/passwd').read()",
    "while True: pass",
]


def main() -> None:
    with ProcessSandbox(Limits(wall_seconds=1)) as sandbox:
        for number, program in enumerate(PROGRAMS):
            execution = sandbox.run(program, {"numbers": [3, 4, 8]} if number == 0 else None)
            print(f"{execution.end}: {execution}")


if __name__ == "__main__":
    main()
