package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// checked is a package of this module with the types of its expressions.
type checked struct {
	path  string
	files []*ast.File
	set   *token.FileSet
	info  *types.Info
	root  string
}

// typed checks the packages that patterns name, without their tests. What they
// import comes from the export data of the build, so that only they are read.
func typed(root string, patterns ...string) ([]checked, error) {
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles,DepOnly"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing packages: %w\n%s", err, stderr.Bytes())
	}
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
		DepOnly                 bool
	}
	exports, own := map[string]string{}, []listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			own = append(own, p)
		}
	}
	set := token.NewFileSet()
	from := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var all []checked
	for _, p := range own {
		c := checked{path: p.ImportPath, set: set, root: root, info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		}}
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			c.files = append(c.files, f)
		}
		if _, err := (&types.Config{Importer: from}).Check(p.ImportPath, set, c.files, c.info); err != nil {
			return nil, fmt.Errorf("checking %s: %w", p.ImportPath, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// at is the place of a node, relative to the root.
func (c checked) at(n ast.Node) string {
	p := c.set.Position(n.Pos())
	if rel, err := filepath.Rel(c.root, p.Filename); err == nil {
		p.Filename = filepath.ToSlash(rel)
	}
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// calls visits every call of a function or method that has a name.
func (c checked) calls(visit func(call *ast.CallExpr, callee *types.Func)) {
	c.visit(func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		if f := c.callee(call.Fun); f != nil {
			visit(call, f)
		}
	})
}

func (c checked) callee(fun ast.Expr) *types.Func {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		f, _ := c.info.Uses[fun].(*types.Func)
		return f
	case *ast.SelectorExpr:
		f, _ := c.info.Uses[fun.Sel].(*types.Func)
		return f
	case *ast.IndexExpr:
		return c.callee(fun.X)
	}
	return nil
}

func (c checked) visit(f func(ast.Node)) {
	for _, file := range c.files {
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				f(n)
			}
			return true
		})
	}
}

// constant is the value of a constant string.
func (c checked) constant(e ast.Expr) (string, bool) {
	v := c.info.Types[e].Value
	if v == nil {
		return "", false
	}
	return stringOf(v)
}
