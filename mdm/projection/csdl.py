"""`$metadata`: the forms of a target as an OData 4.01 schema (CSDL XML)."""

from collections.abc import Iterable
from xml.etree import ElementTree as Xml

from mdm.projection.form import Collection, Field, Form, Target

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
#: The property by which a record is addressed: its golden id.
KEY = "mdm_id"


def metadata(target: Target) -> str:
    """The schema of all objects of a target. Collections are structured properties: nothing needs expanding."""
    root = Xml.Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    schema = Xml.SubElement(
        Xml.SubElement(root, "edmx:DataServices"), "Schema", {"Namespace": _namespace(target), "xmlns": _EDM}
    )
    for form in target:
        for collection in form.collections:
            _complex(schema, form, collection)
        _entity(schema, form)
    container = Xml.SubElement(schema, "EntityContainer", {"Name": "Container"})
    for form in target:
        name = form.entity_set
        Xml.SubElement(container, "EntitySet", {"Name": name, "EntityType": f"{_namespace(target)}.{name}Type"})
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _namespace(target: Target) -> str:
    return f"mdm.{target.name}"


def _entity(schema: Xml.Element, form: Form) -> None:
    entity = Xml.SubElement(schema, "EntityType", {"Name": f"{form.entity_set}Type"})
    Xml.SubElement(Xml.SubElement(entity, "Key"), "PropertyRef", {"Name": KEY})
    Xml.SubElement(entity, "Property", {"Name": KEY, "Type": "Edm.String", "Nullable": "false", "MaxLength": "64"})
    _properties(entity, form.fields)
    for collection in form.collections:
        kind = f"Collection(mdm.{form.target}.{_item(form, collection)})"
        Xml.SubElement(entity, "Property", {"Name": collection.name, "Type": kind, "Nullable": "false"})


def _complex(schema: Xml.Element, form: Form, collection: Collection) -> None:
    _properties(Xml.SubElement(schema, "ComplexType", {"Name": _item(form, collection)}), collection.fields)


def _item(form: Form, collection: Collection) -> str:
    return f"{form.entity_set}_{collection.name}"


def _properties(parent: Xml.Element, fields: Iterable[Field]) -> None:
    for field in fields:
        told = {"Name": field.name, "Type": field.kind.value}
        if field.length is not None:
            told["MaxLength"] = str(field.length)
        if field.kind.value == "Edm.Decimal":
            told["Scale"] = "variable"
        element = Xml.SubElement(parent, "Property", told)
        note = " ".join(
            each for each in (field.note, f"From {field.attribute}." if field.attribute else "",
                              "Required by the target." if field.required else "") if each
        )  # fmt: skip
        if note:
            Xml.SubElement(element, "Annotation", {"Term": "Org.OData.Core.V1.Description", "String": note})
