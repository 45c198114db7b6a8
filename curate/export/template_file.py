"""Template files: YAML with Jinja texts, checked against a schema."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.dataset.yaml_file import NotYaml, complaints, load_yaml
from curate.errors import UsageError
from curate.export.answers import LabelOrder

SHIPPED = Path(__file__).parent / "templates"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Rationale(_Model):
    """A second question and answer, which teach the model to give its reason."""

    user: str
    """The question that follows the answer."""

    answer: str
    """The reason; where it renders to nothing, the record has no second turn. `raw` is the source's own record."""


class TaskPrompt(_Model):
    """The texts of one task. Jinja variables: dialogue, label, labels, description, picture_texts, record, raw."""

    system: str | None = None
    """System text; None for none."""

    user: str | None = None
    """The question; None takes the dialogue's own turns as they are."""

    answer: str | None = None
    """The answer to learn; None takes the label, or the agent's last turn where there is no label."""

    rationale: Rationale | None = None
    """The turn that the option `rationale` adds to training rows."""


class TemplateFile(_Model):
    """What a template file may say."""

    name: str
    """Name of the template."""

    description: str = ""
    """One sentence for people."""

    registry: str | None = None
    """Label registry that `labels` is taken from."""

    label_order: LabelOrder = "registry"
    """Which labels `labels` holds: all in registry order, those allowed, sorted, shuffled for every record, none."""

    coarse_fine: bool = False
    """Whether answers and `labels` are `coarse-fine`, by the groups of the registry."""

    roles: dict[str, str] = Field(default={"user": "user", "agent": "agent", "system": "system"})
    """Names of the roles in `dialogue`."""

    picture_text: str = ""
    """How text read in a picture is written; Jinja variables: number (from 1) and text."""

    ocr_characters: int = Field(default=600, ge=1)
    """Characters of one picture's text at most."""

    tasks: dict[str, TaskPrompt]
    """Prompts by task; `*` stands for every other task."""

    def prompt(self, task: str) -> TaskPrompt | None:
        """The prompt of a task."""
        return self.tasks.get(task) or self.tasks.get("*")


def load(name_or_path: str) -> TemplateFile:
    """Load a shipped template by name, or a YAML file.

    Raises:
        UsageError: there is none, or it does not fit its schema.
    """
    shipped = SHIPPED / f"{name_or_path}.yaml"
    path = shipped if shipped.is_file() else Path(name_or_path)
    try:
        return TemplateFile.model_validate(load_yaml(path.read_text("utf-8"), pure=False))
    except (PermissionError, IsADirectoryError) as error:
        raise UsageError(f"the template {path} cannot be read: {error.strerror}; give a YAML file") from error
    except OSError as error:
        names = ", ".join(sorted(item.stem for item in SHIPPED.glob("*.yaml")))
        raise UsageError(f"there is no template '{name_or_path}'; shipped are {names}, or give a YAML file") from error
    except ValidationError as error:
        raise UsageError(f"{path}: not a valid template: {'; '.join(complaints(error))}") from error
    except (NotYaml, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a valid template: {error}") from error
