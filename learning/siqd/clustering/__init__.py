"""Iterative Label Spreading and the clusterers it is compared with."""
