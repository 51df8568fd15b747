"""规则: rule files, read strictly, checked against the rule language, generated into SQL steps."""
