"""What LLaMA-Factory 0.9.5 does with each fault; read in its source and seen with its own loader."""

from __future__ import annotations

from curate.export.check.files import LATE_IMAGES
from curate.export.check.finding import Rule
from curate.export.check.log import table

RULES = table(
    Rule(
        "elsewhere",
        "accepts",
        False,
        "The trainer fetches the rows from a hub, a script or a cloud, where they were not looked at.",
        "nothing; or save the rows here and name them with file_name",
    ),
    Rule("file_missing", "stops", True, "The entry names no file that there is.", "correct file_name"),
    Rule("file_type", "stops", True, "The loader does not know the file's type.", "use .json, .jsonl or .parquet"),
    Rule("file_broken", "stops", True, "The file cannot be read to its end.", "write it again"),
    Rule("no_rows", "stops", True, "There is no row.", "export some"),
    Rule("not_a_row", "stops", True, "A row is no mapping.", "write objects"),
    Rule("mixed_types", "stops", True, "A column holds values of two kinds.", "give every row the same kind"),
    Rule(
        "late_images",
        "stops",
        True,
        LATE_IMAGES,
        "write a JSON array or Parquet, or put a row with a picture first",
    ),
    Rule("formatting", "stops", True, "The entry has a formatting that the trainer does not know.", "use sharegpt"),
    Rule(
        "formatting_openai",
        "accepts",
        True,
        "With formatting openai the trainer slips its own system prompt into every row.",
        "use formatting sharegpt with tags",
    ),
    Rule("ranking", "stops", True, "The entry is marked as a ranking set.", "remove ranking"),
    Rule("column_missing", "stops", True, "A column that the entry names is in no row.", "correct columns"),
    Rule(
        "no_answer_column",
        "stops",
        True,
        "The entry names no column of answers, so every row is dropped; without `formatting` rows are read as alpaca, "
        "and `columns` without a key forgets its default.",
        "set formatting: sharegpt, or columns.response",
    ),
    Rule("not_a_conversation", "stops", True, "The turns are no list of role and text.", "write them as such"),
    Rule("empty_conversation", "drops", True, "There is no turn.", "leave the row out"),
    Rule("roles", "drops", True, "Roles do not alternate, or are none of the entry's tags.", "user first, then answer"),
    Rule("odd_turns", "drops", True, "The last turn has no answer.", "end with an answer"),
    Rule("no_answer", "drops", True, "There is no answer.", "add one, or use the row for prediction only"),
    Rule("not_text", "stops", True, "A text is null or a number.", "write text"),
    Rule("image_count", "stops", True, "The number of <image> is not the number of pictures.", "make them equal"),
    Rule("other_media", "stops", True, "<video> or <audio> in a text has no file.", "escape it"),
    Rule("system_placeholder", "accepts", True, "<image> in the system text stays text.", "move it to the user"),
    Rule("images_no_list", "accepts", False, "`images` is no list.", "write a list in every row, if empty"),
    Rule("image_missing", "stops", True, "There is no such file beside the data.", "copy it, or correct the path"),
    Rule("image_empty", "stops", True, "A picture file has no bytes.", "leave the row out"),
    Rule("image_truncated", "stops", True, "A picture file ends too early.", "leave the row out"),
    Rule("image_unreadable", "stops", True, "A file is no picture that can be decoded.", "leave the row out"),
    Rule("image_too_large", "stops", True, "Pillow refuses the picture for its size.", "make it smaller"),
    Rule("image_stretched", "accepts", True, "Longer than 200:1: stretched here, refused by servers.", "leave it out"),
    Rule(
        "image_unsafe", "accepts", False, "Trainer and server see different pixels.", "let `curate export` prepare it"
    ),
    Rule("image_path", "accepts", False, "The path is absolute or leads out of the folder.", "copy it into the folder"),
    Rule("empty_answer", "accepts", True, "An answer is empty: the model learns to say nothing.", "leave it out"),
    Rule("special_token", "accepts", True, "A special token is written in a text and is read as one.", "escape it"),
    Rule(
        "image_pad",
        "crashes",
        True,
        "A written <|image_pad|> is taken for a part of a picture that is not there.",
        "escape it",
    ),
    Rule(
        "image_tokens_cut",
        "crashes",
        True,
        "cutoff_len cuts picture tokens away: image features and image tokens do not match.",
        "raise cutoff_len, lower image_max_pixels, or shorten the text",
    ),
    Rule("over_token_budget", "accepts", True, "Cut silently to cutoff_len.", "raise cutoff_len or shorten the row"),
    Rule("no_label_tokens", "accepts", True, "Nothing is left to learn from after cutting.", "raise cutoff_len"),
    Rule("over_answer_budget", "accepts", True, "An answer is longer than the answer budget.", "shorten it"),
    Rule("too_many_images", "accepts", True, "More pictures than the server takes.", "leave the row out"),
)
