package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Decisions finds pages of docs/decisions that its README.md does not link to.
func Decisions(tree fs.FS) ([]Violation, error) {
	pages, err := fs.Glob(tree, "docs/decisions/[0-9]*.md")
	if err != nil || len(pages) == 0 {
		return nil, err
	}
	const list = "docs/decisions/README.md"
	text, err := fs.ReadFile(tree, list)
	if err != nil {
		return nil, fmt.Errorf("reading the list of decisions: %w", err)
	}
	var found []Violation
	for _, page := range pages {
		if !strings.Contains(string(text), "]("+path.Base(page)+")") {
			found = append(found, violation(list, "does not list %s", path.Base(page)))
		}
	}
	return found, nil
}
