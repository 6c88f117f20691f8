"""Reading and writing recipes: named ones that ship with the package, files, and `key.path=value` on top."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from multicnn.errors import UsageError, did_you_mean
from multicnn.recipe import RECIPES, Recipe, command_of


def recipes_folder() -> Path:
    """Where the named recipes lie: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "recipes"
    return installed if installed.is_dir() else package.parent / "recipes"


def recipe_names(kind: str | None = None) -> list[str]:
    """The names of the recipes that ship, such as `text/kim_rand`; of one pipeline where `kind` is given."""
    folder = recipes_folder()
    names = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.yaml"))
    return sorted(name for name in names if kind is None or name.startswith(f"{kind}/"))


def find_recipe(name: str, kind: str | None = None) -> Path:
    """The file of a recipe: a path, a name (`text/kim_rand`), or a name without its pipeline (`kim_rand`).

    Raises:
        UsageError: there is no such file and no such name.
    """
    if Path(name).is_file():
        return Path(name)
    for candidate in (name, f"{kind}/{name}") if kind else (name,):
        if candidate in recipe_names():
            return recipes_folder() / f"{candidate}.yaml"
    short = [known.split("/", 1)[1] for known in recipe_names(kind)]
    hint = did_you_mean(name, [*recipe_names(kind), *short]) or "; `multicnn recipes list` shows the names"
    raise UsageError(f"no recipe {name}: neither a file nor a name{hint}")


def load_recipe(kind: str, name: str | None = None, settings: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe from a file or name, with single settings put on top.

    Args:
        kind: image, audio, text or tokens.
        name: a file or the name of a recipe; without it everything is at its default.
        settings: dotted keys such as `training.epochs`, with their values.

    Raises:
        UsageError: an unknown key, a value that does not fit, a file that is no recipe or one for another pipeline.
    """
    tree = _read_tree(find_recipe(name, kind)) if name else {}
    written_for = tree.setdefault("pipeline", kind)
    if written_for != kind:
        command = command_of(written_for)
        raise UsageError(f"{name} is a recipe for {written_for}, not for {kind}; use `multicnn train {command}`")
    for key, value in (settings or {}).items():
        _put(tree, key, value)
    return check_recipe(kind, tree)


def check_recipe(kind: str, tree: Mapping[str, Any]) -> Recipe:
    """Turns a plain tree into a typed recipe, or says in one line which key is wrong."""
    try:
        return RECIPES[kind].model_validate(tree)
    except ValidationError as error:
        raise UsageError(_explain(RECIPES[kind], error)) from None


def parse_setting(kind: str, text: str) -> tuple[str, Any]:
    """`training.lr=0.01` as key and value; the value is YAML, except where the key takes any text.

    Raises:
        UsageError: there is no `=`, or no such key.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes key.path=value, not {text!r}")
    field = dict(_fields(RECIPES[kind])).get(key.strip())
    if field is not None and _takes_any_text(field.annotation):
        return key.strip(), None if value in ("", "null") else value
    try:
        return key.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(f"--set {key}: {value!r} is not a value in YAML") from None


def dump_recipe(recipe: Recipe) -> str:
    """A recipe as YAML, every key written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _read_tree(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise UsageError(f"{path}{line}: not a recipe in YAML") from None
    if not isinstance(tree, dict):
        raise UsageError(
            f"{path}: a recipe is a mapping of sections (data, model, training, ...), not {type(tree).__name__}"
        )
    return tree


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        below = tree.setdefault(section, {})
        if not isinstance(below, dict):
            raise UsageError(f"unknown recipe key {key}; {section} holds a value, not further keys")
        tree = below
    tree[last] = copy.deepcopy(value)


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every dotted key below a model, with its field."""
    for name, field in model.model_fields.items():
        yield prefix + name, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")


def _takes_any_text(annotation: Any) -> bool:
    """Whether a key holds free text (`str` or `str | None`), so that `no` and `007` stay as they are."""
    arms = get_args(annotation) if get_origin(annotation) in (Union, type(str | None)) else (annotation,)
    return set(arms) <= {str, type(None)}


def _explain(model: type[Recipe], error: ValidationError) -> str:
    """The first finding of pydantic as one line of ours."""
    finding = error.errors()[0]
    known = [key for key, _ in _fields(model)]
    path = [str(part) for part in finding["loc"]]
    key = next((".".join(path[:n]) for n in range(len(path), 0, -1) if ".".join(path[:n]) in known), ".".join(path))
    if finding["type"] == "extra_forbidden":
        key = ".".join(path)
        return f"unknown recipe key {key}{did_you_mean(key, known)}"
    message = finding["msg"].removeprefix("Value error, ").replace("Input should be", "it should be")
    says_value = finding["type"] == "value_error" or isinstance(finding["input"], dict)
    return f"{key}: {message[0].lower()}{message[1:]}" + ("" if says_value else f", not {finding['input']!r}")
