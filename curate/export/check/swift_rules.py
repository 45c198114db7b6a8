"""What ms-swift 4.6 does with each fault, with its default `strict false` and `truncation_strategy raise`."""

from __future__ import annotations

from curate.export.check.files import LATE_IMAGES
from curate.export.check.finding import Rule
from curate.export.check.log import table

RULES = table(
    Rule("file_broken", "stops", True, "The file cannot be read to its end.", "write it again"),
    Rule("no_rows", "stops", True, "There is no row.", "export some"),
    Rule("not_a_row", "stops", True, "A row is no mapping.", "write objects"),
    Rule("mixed_types", "accepts", False, "A column holds values of two kinds.", "give every row the same kind"),
    Rule("late_images", "stops", True, LATE_IMAGES, "write a JSON array or Parquet, or put a row with a picture first"),
    Rule("not_a_conversation", "drops", True, "The turns are no list of role and text.", "write them as such"),
    Rule("empty_conversation", "drops", True, "There is no turn.", "leave the row out"),
    Rule("unknown_role", "drops", True, "A role is none that ms-swift knows.", "user and assistant, or human and gpt"),
    Rule("not_text", "drops", True, "A text is null or a number.", "write text"),
    Rule("late_system", "drops", True, "The system speaks behind another turn.", "put its text first"),
    Rule("roles", "accepts", True, "Roles do not alternate: turns are joined or put out of place.", "user first"),
    Rule("odd_turns", "accepts", True, "The last turn has no answer: nothing is learned.", "end with an answer"),
    Rule("empty_answer", "accepts", True, "An answer is empty: the model learns to say nothing.", "leave it out"),
    Rule(
        "image_count",
        "accepts",
        True,
        "The number of <image> is not the number of pictures: too few are put in front, too many stay text.",
        "make them equal",
    ),
    Rule("placeholder_elsewhere", "accepts", True, "<image> outside the user's text takes a picture.", "escape it"),
    Rule("other_media", "accepts", True, "<video> or <audio> in a text has no file.", "escape it"),
    Rule("image_missing", "drops", True, "There is no such file.", "copy it, or set ROOT_IMAGE_DIR"),
    Rule("image_empty", "drops", True, "A picture file has no bytes.", "leave the row out"),
    Rule("image_truncated", "drops", True, "A picture file ends too early.", "leave the row out"),
    Rule("image_unreadable", "drops", True, "A file is no picture that can be decoded.", "leave the row out"),
    Rule("image_too_large", "drops", True, "Pillow refuses the picture for its size.", "make it smaller"),
    Rule("image_aspect", "drops", True, "A picture is longer than 200:1.", "leave the row out"),
    Rule(
        "image_unsafe", "accepts", False, "Trainer and server see different pixels.", "let `curate export` prepare it"
    ),
    Rule("image_path", "accepts", False, "The path is absolute or leads out of the folder.", "copy it into the folder"),
    Rule("special_token", "accepts", True, "A special token is written in a text and is read as one.", "escape it"),
    Rule("image_pad", "crashes", True, "A written <|image_pad|> stands for a picture that is not there.", "escape it"),
    Rule(
        "over_token_budget",
        "drops",
        True,
        "Longer than max_length.",
        "raise max_length, lower MAX_PIXELS, or shorten the row",
    ),
    Rule("over_answer_budget", "accepts", True, "An answer is longer than the answer budget.", "shorten it"),
    Rule("too_many_images", "accepts", True, "More pictures than the server takes.", "leave the row out"),
    Rule("objects", "drops", True, "`objects` has no bbox, or a box is not of 2 or 4 numbers.", "correct it"),
    Rule(
        "object_count",
        "accepts",
        True,
        "The number of <bbox> or <ref-object> is not that of bbox or ref: the surplus stays text or is ignored.",
        "make them equal",
    ),
)
