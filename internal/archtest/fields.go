package archtest

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

// registers are the closed lists of clause group SCHEMA that the tree's calls
// are held to.
type registers struct {
	logs, jobs, sent field.Register
}

func stringOf(v constant.Value) (string, bool) {
	if v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// Unclassified finds keys of log lines, arguments of jobs and names of fields
// that are sent to others which the registers do not have, and those that nobody
// can know before the program runs.
func Unclassified(all []checked, r registers) []Violation {
	var found []Violation
	for _, c := range all {
		f := fields{c, r, &found}
		c.calls(func(call *ast.CallExpr, callee *types.Func) {
			f.logged(call, callee)
			f.enqueued(call, callee)
		})
		c.visit(f.literal)
	}
	slices.SortFunc(found, func(a, b Violation) int { return strings.Compare(a.Path, b.Path) })
	return found
}

type fields struct {
	checked
	r     registers
	found *[]Violation
}

func (f fields) report(n ast.Node, format string, args ...any) {
	*f.found = append(*f.found, violation(f.at(n), format, args...))
}

// loggers may name keys that they were handed: they are the list's own gate, or
// stand before it.
var loggers = []string{Module + "/internal/platform/slogx", Module + "/internal/client/journal"}

// logged holds a call into log/slog: a parameter "key" is one, and variadic
// "args" are pairs or attributes.
func (f fields) logged(call *ast.CallExpr, callee *types.Func) {
	if callee.Pkg() == nil || callee.Pkg().Path() != "log/slog" || slices.Contains(loggers, f.path) {
		return
	}
	sig := callee.Signature()
	for i := range sig.Params().Len() {
		p := sig.Params().At(i)
		switch {
		case i < len(call.Args) && (p.Name() == "key" || callee.Name() == "WithGroup"):
			f.key(call.Args[i])
		case sig.Variadic() && i == sig.Params().Len()-1 && p.Name() == "args":
			f.pairs(call, call.Args[min(i, len(call.Args)):])
		}
	}
}

// pairs are keys with values, or attributes, which were held where they were made.
func (f fields) pairs(call *ast.CallExpr, args []ast.Expr) {
	if call.Ellipsis.IsValid() {
		f.report(call, "log keys that are handed on: nobody can know them")
		return
	}
	for i := 0; i < len(args); i++ {
		if t := f.info.TypeOf(args[i]); t.String() != "log/slog.Attr" {
			f.key(args[i])
			i++
		}
	}
}

func (f fields) key(e ast.Expr) {
	key, ok := f.constant(e)
	if !ok {
		f.report(e, "a log key that is no constant: nobody can know it")
	} else if f.r.logs.Check(key) != nil {
		f.report(e, "log key %q is not classified", key)
	}
}

// enqueued holds what a job or an event carries.
func (f fields) enqueued(call *ast.CallExpr, callee *types.Func) {
	if callee.FullName() == "(*"+jobs+".Queue).PublishTx" && len(call.Args) == 4 {
		f.argument(call.Args[3])
	}
}

const (
	jobs = Module + "/internal/platform/job"
	door = Module + "/internal/platform/egress"
)

// literal holds what is written down of jobs, calls to others and attributes.
func (f fields) literal(n ast.Node) {
	lit, ok := n.(*ast.CompositeLit)
	if !ok {
		return
	}
	switch f.info.TypeOf(lit).String() {
	case jobs + ".Job":
		f.part(lit, 1, "Payload", f.argument)
	case door + ".Call":
		f.part(lit, 4, "Fields", f.names)
	case "log/slog.Attr":
		if !slices.Contains(loggers, f.path) {
			f.part(lit, 0, "Key", f.key)
		}
	}
}

// part calls visit with a field's value in a literal, if it has one.
func (f fields) part(lit *ast.CompositeLit, index int, name string, visit func(ast.Expr)) {
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == name {
				visit(kv.Value)
			}
		} else if i == index {
			visit(e)
		}
	}
}

// argument holds the type of a payload. A parameter of package job itself is
// held where it is called.
func (f fields) argument(e ast.Expr) {
	t := f.info.TypeOf(e)
	if f.path == jobs {
		return
	}
	s, ok := pointed(t).Underlying().(*types.Struct)
	if !ok {
		f.report(e, "a job's argument of type %s has no named fields", t)
		return
	}
	for _, name := range jsonNames(s, map[*types.Struct]bool{}) {
		if f.r.jobs.Check(name) != nil {
			f.report(e, "job argument %s of %s is not classified", name, t)
		}
	}
}

func pointed(t types.Type) types.Type {
	for {
		switch u := t.Underlying().(type) {
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Array:
			t = u.Elem()
		case *types.Map:
			t = u.Elem()
		default:
			return t
		}
	}
}

// jsonNames are the names that encoding/json writes for a struct.
func jsonNames(s *types.Struct, seen map[*types.Struct]bool) (all []string) {
	if seen[s] {
		return nil
	}
	seen[s] = true
	for i := range s.NumFields() {
		v := s.Field(i)
		name, _, _ := strings.Cut(reflect.StructTag(s.Tag(i)).Get("json"), ",")
		inner, nested := pointed(v.Type()).Underlying().(*types.Struct)
		nested = nested && pointed(v.Type()).String() != "time.Time"
		if name == "-" || !v.Exported() && !v.Embedded() {
			continue
		}
		if !v.Embedded() || name != "" {
			all = append(all, cmp.Or(name, v.Name()))
		}
		if nested {
			all = append(all, jsonNames(inner, seen)...)
		}
	}
	return all
}

// names holds a list of names that are sent. One that is made elsewhere is held
// by the register of recipients when it is sent.
func (f fields) names(e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		if name, ok := f.constant(e); ok {
			if f.r.sent.Check(name) != nil {
				f.report(e, "field %q, which is sent, is not classified", name)
			}
			return false
		}
		return true
	})
}
