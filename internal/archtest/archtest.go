// Package archtest holds the tree to its own rules: docs/ARCHITECTURE.md as
// tests. It parses the files itself, so that a rule also sees what the current
// build leaves out.
//
// Each rule is a function from a file system to the violations in it. The
// tests run every rule twice: on this repository, where it must find nothing,
// and on a small planted tree, where it must find exactly what was planted. A
// rule that cannot fail is no rule.
//
// It is not a linter: style is golangci-lint's matter, and a rule here needs a
// sentence in docs/ARCHITECTURE.md.
package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Violation is one place that breaks a rule. Path is relative to the root of
// the tree, with the line where that helps.
type Violation struct {
	Path string
	What string
}

func (v Violation) String() string { return v.Path + ": " + v.What }

func violation(path, format string, args ...any) Violation {
	return Violation{Path: path, What: fmt.Sprintf(format, args...)}
}

// skippedDirs hold nothing that we wrote: installed, built or stored things.
var skippedDirs = map[string]bool{
	".git": true, "node_modules": true, "build": true, "data": true, "dist": true,
}

// walk calls visit for every file that we wrote.
func walk(tree fs.FS, visit func(name string) error) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && skippedDirs[d.Name()] {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			return visit(name)
		}
		return nil
	})
}

// under says whether name is dir or lies in it.
func under(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, dir+"/")
}

// underAny says under which of dirs name lies; the empty string when under none.
func underAny(name string, dirs ...string) string {
	for _, dir := range dirs {
		if under(name, dir) {
			return dir
		}
	}
	return ""
}

// isTestCode says whether a Go file only ever runs in tests: a _test.go file,
// or one in a directory of helpers for tests (dbtest, tuntest, ordertest).
func isTestCode(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(name), "test") || underAny(name, "test", "internal/archtest") != ""
}
