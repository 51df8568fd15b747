"""比对: rules over resolved department data, findings, suspects and their flow."""
