package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Module is the path of the Go module whose tree is held to the rules.
const Module = "github.com/skybridge-cloud/skybridge"

// source is one parsed Go file.
type source struct {
	path string // from the root, with slashes
	file *ast.File
	set  *token.FileSet
}

// sources parses every Go file of the tree, tests included, whatever its build
// tags are. Files of testdata directories are data.
func sources(tree fs.FS) ([]source, error) {
	var all []source
	err := walk(tree, func(name string) error {
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") || otherModule(tree, name) {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parsing %s: %w", name, err)
		}
		all = append(all, source{path: name, file: file, set: set})
		return nil
	})
	return all, err
}

// otherModule says whether a file lies in a tool's module of its own.
func otherModule(tree fs.FS, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, err := fs.Stat(tree, dir+"/go.mod"); err == nil {
			return true
		}
	}
	return false
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) isTest() bool { return isTestCode(s.path) }
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.set.Position(n.Pos()).Line)
}

// imports lists the import paths of the file.
func (s source) imports() []string {
	var all []string
	for _, spec := range s.file.Imports {
		all = append(all, importPath(spec))
	}
	return all
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return p
}

// internalImports lists the directories of this module that the file imports.
func (s source) internalImports() []string {
	var all []string
	for _, p := range s.imports() {
		if dir, ok := strings.CutPrefix(p, Module+"/"); ok {
			all = append(all, dir)
		}
	}
	return all
}

// names maps the names under which the file knows its imports to their paths.
// A version suffix is not a package's name.
func (s source) names() map[string]string {
	all := map[string]string{}
	for _, spec := range s.file.Imports {
		p := importPath(spec)
		name := path.Base(p)
		if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		all[name] = p
	}
	return all
}

// selectors calls visit for every use of a name of an imported package.
func (s source) selectors(visit func(n ast.Node, pkg, name string)) {
	names := s.names()
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && names[x.Name] != "" {
			visit(sel, names[x.Name], sel.Sel.Name)
		}
		return true
	})
}

// texts calls visit for every string literal but those of imports.
func (s source) texts(visit func(n ast.Node, text string)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if n.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(n.Value); err == nil {
				visit(n, text)
			}
		}
		return true
	})
}
