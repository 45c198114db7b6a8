"""The program that asks the package `synonyms`; it runs in a process of its own and nowhere else.

Importing `synonyms` replaces jieba's dictionary for the whole process, prints on stdout and puts a folder of modules
named `utils` in front of the path. Here nothing else lives: words come in on stdin, one a line, and for each a line of
JSON goes out.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Answer every word of stdin with its neighbours, most similar first, the word itself left out."""
    number = int(sys.argv[1])
    words = [line.strip() for line in sys.stdin if line.strip()]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the package prints must not end between the answers
    import synonyms

    for word in words:
        found, scores = synonyms.nearby(word, number + 1)
        near = [[other, float(score)] for other, score in zip(found, scores, strict=True) if other != word][:number]
        answers.write(json.dumps([word, near], ensure_ascii=False) + "\n")
    answers.close()


if __name__ == "__main__":
    main()
