package archtest

import (
	"go/ast"
	"go/build/constraint"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// SkippedTests finds tests that may leave themselves out, in Go and in the
// console. What a test needs, it gets from the scripts, or it fails.
func SkippedTests(tree fs.FS) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		if s.isTest() && s.dir() != "internal/archtest" {
			found = append(found, skips(s)...)
		}
	}
	scripts, err := skippedScripts(tree)
	return append(found, scripts...), err
}

func skips(s source) []Violation {
	var found []Violation
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch sel.Sel.Name {
		case "Skip", "Skipf", "SkipNow":
			found = append(found, violation(s.at(n), "%s.%s", x.Name, sel.Sel.Name))
		case "Short":
			if x.Name == "testing" {
				found = append(found, violation(s.at(n), "testing.Short leaves tests out"))
			}
		}
		return true
	})
	return found
}

// A test that runs alone leaves out all others.
var scriptSkip = regexp.MustCompile(`\b(?:it|test|describe)\.(?:skip|skipIf|runIf|todo|only|fails)\b|\b(?:xit|xdescribe|fit|fdescribe)\(`)

func skippedScripts(tree fs.FS) ([]Violation, error) {
	var found []Violation
	err := walk(tree, func(name string) error {
		ext := path.Ext(name)
		if ext != ".ts" && ext != ".tsx" && ext != ".mjs" && ext != ".js" {
			return nil
		}
		return lines(tree, name, func(at, line string) {
			if m := scriptSkip.FindString(line); m != "" {
				found = append(found, violation(at, "%s leaves tests out", m))
			}
		})
	})
	return found, err
}

// builds are the sets of build constraints that the stages of the tests build
// with: a test that none of them compiles would never run, and nobody would
// know. The last one is for what the race detector would falsify.
var builds = []map[string]bool{
	{"linux": true, "amd64": true, "race": true},
	{"linux": true, "arm64": true, "race": true},
	{"linux": true, "amd64": true, "fault": true},
	{"linux": true, "amd64": true, "netns": true},
	{"linux": true, "amd64": true, "netns": true, "long": true}, // make test-long
	{"linux": true, "amd64": true, "unix": true},
}

// BuildTags finds test files that no stage of the tests builds.
func BuildTags(tree fs.FS) ([]Violation, error) {
	var found []Violation
	err := walk(tree, func(name string) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		return lines(tree, name, func(at, line string) {
			expr, err := constraint.Parse(line)
			if err != nil {
				return
			}
			if !slices.ContainsFunc(builds, func(b map[string]bool) bool { return expr.Eval(func(tag string) bool { return b[tag] }) }) {
				found = append(found, violation(at, "no stage of make test builds what asks for %s", expr))
			}
		})
	})
	return found, err
}
