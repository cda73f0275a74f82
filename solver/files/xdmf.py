"""The XDMF file that shows snapshots.h5 in ParaView, VisIt and pyvista."""

import xml.etree.ElementTree as ET

from opalux.solver.grid import Grid


def snapshot_name(n: int, field: str) -> str:
    """Return the path of a field of snapshot ``n`` in snapshots.h5."""
    return f"/{n:05d}/{field}"


def xdmf_text(file: str, grid: Grid, times: list[float]) -> str:
    """Return the XDMF file: cell data on a flat grid of straight lines.

    Parameters
    ----------
    file : name of the HDF5 file, which has to lie beside the XDMF file
    grid : the cells
    times : time of each snapshot [sh]

    Notes
    -----
    The topology is 2DRectMesh, with the cells' ends as arrays: readers of XDMF put the shorter
    2DCoRectMesh (origin and spacing) into the plane of y and z.
    """
    cells = f"{grid.ny} {grid.nx}"
    root = ET.Element("Xdmf", Version="3.0")
    series = ET.SubElement(
        ET.SubElement(root, "Domain"),
        "Grid", Name="opalux", GridType="Collection", CollectionType="Temporal",
    )  # fmt: skip

    def item(parent: ET.Element, dimensions: str, name: str) -> None:
        data = ET.SubElement(
            parent, "DataItem",
            Dimensions=dimensions, NumberType="Float", Precision="8", Format="HDF",
        )  # fmt: skip
        data.text = f"{file}:{name}"

    def field(parent: ET.Element, name: str, data_set: str, *, vector: bool = False) -> None:
        kind = "Vector" if vector else "Scalar"
        attribute = ET.SubElement(parent, "Attribute", Name=name, AttributeType=kind, Center="Cell")
        item(attribute, f"{cells} 2" if vector else cells, data_set)

    for n, t in enumerate(times):
        snapshot = ET.SubElement(series, "Grid", Name=f"snapshot {n}", GridType="Uniform")
        ET.SubElement(snapshot, "Time", Value=repr(t))
        ET.SubElement(
            snapshot, "Topology",
            TopologyType="2DRectMesh", Dimensions=f"{grid.ny + 1} {grid.nx + 1}",
        )  # fmt: skip
        geometry = ET.SubElement(snapshot, "Geometry", GeometryType="VXVY")
        item(geometry, str(grid.nx + 1), "/x")
        item(geometry, str(grid.ny + 1), "/y")
        field(snapshot, "E", snapshot_name(n, "E"))
        field(snapshot, "F", snapshot_name(n, "F"), vector=True)
        field(snapshot, "T", snapshot_name(n, "T"))
        field(snapshot, "rho", "/rho")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
