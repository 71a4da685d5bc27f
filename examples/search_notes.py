"""Rank one's own documents: a list here, a folder of text files or a JSONL file as well. No model is asked.

Run it with `python examples/search_notes.py`.
"""

import loopwright as lw

NOTES = [
    "Monday: the printer on floor two is broken again, the technician comes on Thursday.",
    "Budget: 4,200 euros are left for travel until the end of the year.",
    "The new colleague, Ines, starts on 1 March and needs a laptop.",
]


def main() -> None:
    retrieve = lw.Retrieve(k=2, documents=NOTES)
    found = retrieve("who needs a laptop?")
    for passage, score in zip(found.passages, found.scores, strict=True):
        print(f"{score:.2f}  {passage}")


if __name__ == "__main__":
    main()
