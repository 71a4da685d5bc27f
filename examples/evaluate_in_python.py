"""Evaluate an agent in Python: a few examples, a metric of one's own, one call.

Run it with `python examples/evaluate_in_python.py`. The embedded model answers unless another is
configured (LOOPWRIGHT_MODEL=openai/gpt-5-mini).
"""

import loopwright as lw

EXAMPLES = [
    lw.Example(question="How much is 12 * 15?", answer=180.0).with_inputs("question"),
    lw.Example(question="What is 15% of 240?", answer=36.0).with_inputs("question"),
    lw.Example(question="Convert 5 miles to kilometers.", answer=8.04672).with_inputs("question"),
]


def close(example: lw.Example, prediction: lw.Prediction) -> bool:
    """Right to a hundredth; an agent that ran into a limit has no answer."""
    return prediction.answer is not None and abs(example.answer - prediction.answer) < 0.01


def main() -> None:
    agent = lw.ReAct("question -> answer: float", tools=["calculate", "convert_units"])
    result = lw.Evaluate(devset=EXAMPLES, metric=close)(agent)
    for example, prediction, score in result.results:
        print(f"{'right' if score else 'wrong'}  {example.question}")
        print(prediction.trajectory)
    print(f"{result.score:.0f}% right")


if __name__ == "__main__":
    main()
