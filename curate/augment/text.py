"""The `augment-text` stage: copies of dialogues in other words, with the label still right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate import records
from curate.augment import copies, words
from curate.augment.delete import Deletion, digest_of_droppable
from curate.augment.draw import Draw
from curate.augment.edits import Edit, told
from curate.augment.guards import Guard, digest_of_never
from curate.augment.noise import Swap, Typo, digest_of_typos
from curate.augment.reorder import Reordering, digest_of_rules
from curate.augment.synonym import Synonyms
from curate.augment.thesaurus import Thesaurus, make_thesaurus
from curate.pipeline.batch import Batch
from curate.pipeline.paths import RecipePath
from curate.pipeline.stage import Stage
from curate.records import Record, Turn


class AugmentTextOptions(copies.CopyOptions):
    """Options of the stage `augment-text`."""

    use: Literal["augment-text"] = "augment-text"

    operations: tuple[Literal["synonym", "reorder", "delete", "swap", "typo"], ...] = Field(
        default=("synonym", "reorder", "delete"), min_length=1
    )
    """What may be done; each copy gets one or several of these, drawn. `swap` and `typo` make typing mistakes."""

    rate: float = Field(default=0.3, gt=0, le=1)
    """Share of the eligible words of a record that `synonym` replaces at most; it replaces one at the least."""

    delete_rate: float = Field(default=0.3, gt=0, le=1)
    """Share of the words a sentence can do without that `delete` drops at most; it drops one at the least."""

    noise_rate: float = Field(default=0.05, gt=0, le=1)
    """Share of the possible places at which `swap` and `typo` make a mistake at most; one at the least."""

    roles: tuple[Literal["user", "agent"], ...] = ("user", "agent")
    """Whose turns are changed. An agent's last turn that is the answer to learn never is."""

    thesaurus: Literal["lexicon", "table", "table_only"] = "lexicon"
    """Where synonyms come from: the shipped lexicon, a table of one's own over it, or that table alone."""

    table: RecipePath | None = None
    """The table: a TSV of word, synonym, score (0 to 1) and part of speech, the last two optional."""

    protect: tuple[str, ...] = ()
    """Words to leave alone besides those of labels, numbers, negations and so on: names of goods, for example."""

    tries: int = Field(default=32, ge=1, le=100)
    """How often a copy is drawn again where it came out equal to the record or to an earlier copy."""

    @model_validator(mode="after")
    def _has_its_table(self) -> AugmentTextOptions:
        if (self.table is None) != (self.thesaurus == "lexicon"):
            raise ValueError("`table: FILE` goes with `thesaurus: table` (over the lexicon) or `table_only`")
        return self


class Operation(Protocol):
    """Changes some texts of a record."""

    name: str

    def apply(self, texts: Sequence[str], guard: Guard, draw: Draw) -> tuple[list[str], list[Edit]]:
        """Give the texts changed, and what was changed; the same texts and nothing where nothing can be."""


class AugmentTextStage(Stage[AugmentTextOptions]):
    """Adds copies of dialogues behind their originals; the records that came in stay as they are."""

    name = "augment-text"
    version = 1
    Options = AugmentTextOptions
    surveys = True
    random = True
    incidental: ClassVar[frozenset[str]] = frozenset({"table"})
    codes: ClassVar[Mapping[str, str]] = {
        "text_augmented": "A copy in other words; the detail lists each edit as operation, turn:character, what.",
        "text_copies_missing": "The record got fewer copies than were asked for: no other text could be made.",
    }

    def environment(self) -> Mapping[str, str]:
        """Name the thesaurus, the lists and the segmenter by their digests."""
        lists = [digest_of_never()]
        for name, digest in (
            ("reorder", digest_of_rules),
            ("delete", digest_of_droppable),
            ("typo", digest_of_typos),
        ):
            if name in self.options.operations:
                lists.append(digest())
        return {
            "thesaurus": self._thesaurus().digest(),
            "lists": " ".join(one[:12] for one in lists),
            "segmenter": words.signature(),
        }

    def open(self) -> None:
        """Load the thesaurus and the dictionary of the segmenter."""
        options, thesaurus = self.options, self._thesaurus()
        segmenter = words.segmenter(thesaurus.words)
        made: dict[str, Operation] = {
            "reorder": Reordering(segmenter),
            "synonym": Synonyms(segmenter, thesaurus, options.rate),
            "delete": Deletion(segmenter, options.delete_rate),
            "swap": Swap(segmenter, options.noise_rate),
            "typo": Typo(segmenter, options.noise_rate),
        }
        self._operations = [operation for name, operation in made.items() if name in options.operations]
        self._segmenter = segmenter
        self._guards: dict[tuple[str, ...], Guard] = {}

    def survey(self, batch: Batch) -> pa.Table:
        """Give uid, label and whether a record has words that may be changed."""
        turns, rows = records.flatten(batch.table["turns"])
        spoken = pc.and_(
            pc.is_in(pc.struct_field(turns, "role"), pa.array(self.options.roles)),
            pc.not_equal(pc.struct_field(turns, "text"), records.PLACEHOLDER),
        )
        able = set(rows[spoken.to_numpy(zero_copy_only=False)].tolist())
        return copies.survey(batch, self.options, pa.array([row in able for row in range(len(batch))], pa.bool_()))

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give the number of copies of each record."""
        return copies.decide(survey, self.options, self.context.seed, self.options.title)

    def process(self, batch: Batch) -> None:
        """Derive the copies."""
        for row, record, number in copies.originals(batch, self.verdict):
            made = self.variants(record, number)
            for copy, edits in made:
                batch.derive(row, copy, "text_augmented", metric="edits", value=len(edits), detail=told(edits))
            if len(made) < number:
                batch.note(row, "text_copies_missing", metric="copies", value=len(made), threshold=number)
            batch.tick(1)

    def variants(self, record: Record, number: int) -> list[tuple[Record, list[Edit]]]:
        """Make up to `number` different copies of a record."""
        places = [place for place, turn in enumerate(record.turns) if self._changes(record, place, turn)]
        texts = [record.turns[place].text for place in places]
        guard = self._guard(record)
        seen = {tuple(texts)}
        made: list[tuple[Record, list[Edit]]] = []
        for variant in range(number):
            for attempt in range(self.options.tries):
                draw = Draw(self.context.seed, record.uid, self.options.title, variant, attempt)
                changed, edits = self._change(texts, guard, draw)
                if tuple(changed) not in seen:
                    seen.add(tuple(changed))
                    turns = list(record.turns)
                    for place, text in zip(places, changed, strict=True):
                        turns[place] = Turn(turns[place].role, text)
                    copy = copies.copy_of(record, self.options.title, variant, turns=tuple(turns))
                    made.append((copy, [replace(edit, turn=places[edit.turn]) for edit in edits]))
                    break
        return made

    def _change(self, texts: Sequence[str], guard: Guard, draw: Draw) -> tuple[list[str], list[Edit]]:
        """Do one or several operations, drawn; where those can do nothing, the others."""
        order = draw.order(self._operations)
        wanted = 1 + draw.below(len(order))
        chosen = {operation.name for operation in order[:wanted]}
        spare = order[wanted:]
        changed, edits = list(texts), list[Edit]()
        for operation in self._operations:
            if operation.name in chosen:
                changed, done = operation.apply(changed, guard, draw)
                edits += done
        while not edits and spare:
            changed, edits = spare.pop(0).apply(changed, guard, draw)
        return changed, edits

    def _changes(self, record: Record, place: int, turn: Turn) -> bool:
        answers = record.label is None and turn.role == "agent" and place == len(record.turns) - 1
        return turn.role in self.options.roles and not answers and turn.text != records.PLACEHOLDER

    def _guard(self, record: Record) -> Guard:
        labels = (*self.context.labels.get(record.task, ()), *copies.labels_of(record.task, self.verdict))
        if labels not in self._guards:
            self._guards[labels] = Guard(self._segmenter, labels, self.options.protect)
        return self._guards[labels]

    def _thesaurus(self) -> Thesaurus:
        return make_thesaurus(self.options.thesaurus, self.options.table)
