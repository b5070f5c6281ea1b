package archtest

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/field"
)

// registers are the closed lists of clause group SCHEMA that the tree's calls
// are held to.
type registers struct {
	logs, jobs, sent, labels field.Register

	messages map[string]bool                           // paths of packages whose structs are sent between control and gateways
	message  func(message, name string) (string, bool) // whether a field of one is classified
}

func stringOf(v constant.Value) (string, bool) {
	if v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// Unclassified finds keys of log lines, arguments of jobs, labels of metrics,
// fields of messages to gateways and names of fields that are sent to others which the registers do not have, and those that nobody
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
		if r.messages[c.path] {
			c.visit(f.sent)
		}
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

	metrics = Module + "/internal/platform/metric"
)

// labels holds the names of a family's labels, which are written where it is.
func (f fields) labels(e ast.Expr) {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		f.report(e, "labels of a metric that are not written here: nobody can know them")
		return
	}
	for _, e := range lit.Elts {
		if name, ok := f.constant(e); !ok || f.r.labels.Check(name) != nil {
			f.report(e, "label %q of a metric is not classified", name)
		}
	}
}

// sent holds the fields of a struct in a package of messages.
func (f fields) sent(n ast.Node) {
	spec, ok := n.(*ast.TypeSpec)
	if !ok {
		return
	}
	s, ok := spec.Type.(*ast.StructType)
	if !ok || !tagged(s) {
		return
	}
	for _, part := range s.Fields.List {
		name := jsonName(part)
		for _, id := range part.Names {
			if !id.IsExported() || name == "-" {
				continue
			}
			if name == "" {
				f.report(part, "field %s of message %s has no name of its own in JSON", id.Name, spec.Name.Name)
			} else if _, ok := f.r.message(spec.Name.Name, name); !ok {
				f.report(part, "field %q of message %s is not classified", name, spec.Name.Name)
			}
		}
	}
}

// tagged tells whether a struct is written as JSON.
func tagged(s *ast.StructType) bool {
	return slices.ContainsFunc(s.Fields.List, func(part *ast.Field) bool { return jsonName(part) != "" })
}

func jsonName(part *ast.Field) string {
	if part.Tag == nil {
		return ""
	}
	tag, err := strconv.Unquote(part.Tag.Value)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	return name
}

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
	case metrics + ".Family":
		f.part(lit, 3, "Labels", f.labels)
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
