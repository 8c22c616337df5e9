"""Settings as TOML: numbers, texts, lists of texts, and lists of tables."""
import json


def table(name, settings):
    """[name] with its settings; [[name.key]] for what is a list of tables."""
    nested = {key: value for key, value in settings.items() if _is_tables(value)}
    text = f"[{name}]\n" + _lines({key: value for key, value in settings.items() if key not in nested})
    return text + "".join(tables(f"{name}.{key}", rows) for key, rows in nested.items())


def tables(name, rows):
    """[[name]] for each of the rows."""
    return "".join(f"[[{name}]]\n" + _lines(row) for row in rows)


def _is_tables(value):
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _lines(settings):
    return "".join(f"{key} = {_value(value)}\n" for key, value in settings.items()) + "\n"


def _value(value):
    if isinstance(value, (int, bool)):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(str(value))  # a TOML basic string
