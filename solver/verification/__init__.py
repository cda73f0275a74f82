"""Problems with a known solution, for the schemes to be measured against."""
