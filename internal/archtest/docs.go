package archtest

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Docs finds things that the documents name in code type and that do not
// exist: paths, links, Go symbols, API routes, error codes and events, tables,
// commands, make targets and environment variables.
//
// Fenced blocks are drawings and shell sessions and are not read; a changelog
// speaks of the past and is not either.
func Docs(tree fs.FS) ([]Violation, error) {
	index, err := newIndex(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	err = walk(tree, func(name string) error {
		if path.Ext(name) != ".md" || !under(name, "docs") && name != "README.md" && name != "CONTRIBUTING.md" {
			return nil
		}
		fenced := false
		return lines(tree, name, func(at, line string) {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			} else if !fenced {
				found = append(found, index.line(at, path.Dir(name), line)...)
			}
		})
	})
	return found, err
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	link     = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

func (x *index) line(at, dir, line string) []Violation {
	var found []Violation
	for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
		if problem := x.check(strings.TrimSpace(m[1])); problem != "" {
			found = append(found, violation(at, "`%s`: %s", m[1], problem))
		}
	}
	for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
		if !x.exists(path.Join(dir, m[1])) {
			found = append(found, violation(at, "the link %s leads nowhere", m[1]))
		}
	}
	return found
}

// kinds are tried in this order; the first pattern that fits decides what a
// word in code type claims to be. A word that fits none claims nothing.
var kinds = []struct {
	pattern *regexp.Regexp
	check   func(x *index, m []string) string
}{
	{regexp.MustCompile(`^make ([a-z0-9-]+)$`), (*index).makeTarget},
	{regexp.MustCompile(`^(?:build/)?skybridge ([a-z-]+)(?: .*)?$`), (*index).command},
	{regexp.MustCompile(`^(?:(GET|POST|PUT|PATCH|DELETE) )?/api/v1(/\S*)$`), (*index).apiRoute},
	{regexp.MustCompile(`^(?:[A-Z]+(?:\|[A-Z]+)* )?(/(?:pay|healthz|readyz|api/docs|gwlink)\b\S*)$`), (*index).otherRoute},
	{regexp.MustCompile(`^(SKYBRIDGE_[A-Z_]+)(?:=.*)?$`), (*index).variable},
	{regexp.MustCompile(`^(?:\./)?([\w.-]+/[\w./*-]*)$`), (*index).path},
	{regexp.MustCompile(`^([\w.-]+\.(?:go|md|sh|sql|tsx?|mjs)|Makefile|go\.(?:mod|sum))$`), (*index).fileName},
	{regexp.MustCompile(`^([a-z][a-z0-9]*)\.([A-Z]\w*)(?:\.([A-Z]\w*))?(?:\(.*\)|\{.*\})?$`), (*index).symbol},
	{regexp.MustCompile(`^([a-z]+\.[a-z][a-z_]+)$`), (*index).code},
	{regexp.MustCompile(`^([a-z]+)(_[a-z_]+)$`), (*index).tableName},
	{regexp.MustCompile(`^([a-z]+(?:-[a-z]+)*-(?:after|before)-[a-z-]+)$`), (*index).faultPoint},
}

func (x *index) check(word string) string {
	for _, k := range kinds {
		if m := k.pattern.FindStringSubmatch(word); m != nil {
			return k.check(x, m)
		}
	}
	return ""
}

// index is what exists in the tree, by the kinds of names that documents use.
type index struct {
	tree     fs.FS
	files    map[string]bool            // base names
	symbols  map[string]map[string]bool // package name -> Name, Type.Member
	literals map[string]bool            // whole string literals of Go code
	words    map[string]bool            // first words of literals in commands
	routes   map[string]bool            // METHOD path, and path; parameters as {}
	tables   map[string]*table
	text     string // of Makefile, scripts and Go code, for variables and targets
}

func newIndex(tree fs.FS) (*index, error) {
	x := &index{
		tree: tree, files: map[string]bool{}, symbols: map[string]map[string]bool{},
		literals: map[string]bool{}, words: map[string]bool{}, routes: map[string]bool{},
	}
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		x.addSource(s)
	}
	if x.tables, err = schema(tree); err != nil {
		return nil, err
	}
	if err := x.addRoutes(); err != nil {
		return nil, err
	}
	return x, walk(tree, x.addFile)
}

func (x *index) addFile(name string) error {
	x.files[path.Base(name)] = true
	if path.Ext(name) == ".sh" || name == "Makefile" {
		text, err := fs.ReadFile(x.tree, name)
		x.text += string(text) + "\n"
		return err
	}
	return nil
}

func (x *index) addSource(s source) {
	s.texts(func(_ ast.Node, text string) {
		x.literals[text] = true
		if first, _, _ := strings.Cut(text, " "); underAny(s.dir(), "cmd", "internal/app") != "" {
			x.words[first] = true
		}
	})
	if strings.HasSuffix(s.path, "_test.go") {
		return
	}
	name := s.file.Name.Name
	if x.symbols[name] == nil {
		x.symbols[name] = map[string]bool{}
	}
	for _, d := range s.file.Decls {
		declared(d, x.symbols[name])
	}
}

// declared adds the names that a declaration brings.
func declared(d ast.Decl, names map[string]bool) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names[d.Name.Name] = true
		} else {
			names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names[spec.Name.Name] = true
				members(spec, names)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names[n.Name] = true
				}
			}
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// members adds a struct's fields and an interface's methods.
func members(t *ast.TypeSpec, names map[string]bool) {
	var list *ast.FieldList
	switch body := t.Type.(type) {
	case *ast.StructType:
		list = body.Fields
	case *ast.InterfaceType:
		list = body.Methods
	default:
		return
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names[t.Name.Name+"."+n.Name] = true
		}
	}
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

func (x *index) addRoutes() error {
	text, err := fs.ReadFile(x.tree, "console/openapi.json")
	if err != nil {
		return nil //nolint:nilerr // without a description there are no routes, and every named one is reported
	}
	var api struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(text, &api); err != nil {
		return fmt.Errorf("reading console/openapi.json: %w", err)
	}
	for route, methods := range api.Paths {
		route = parameter.ReplaceAllString(strings.TrimPrefix(route, "/api/v1"), "{}")
		x.routes[route] = true
		for method := range methods {
			x.routes[strings.ToUpper(method)+" "+route] = true
		}
	}
	return nil
}

// ---- one check per kind; each answers what is wrong, or nothing

func (x *index) makeTarget(m []string) string {
	if !strings.Contains("\n"+x.text, "\n"+m[1]+":") {
		return "no such target in the Makefile"
	}
	return ""
}

func (x *index) command(m []string) string {
	if !x.words[m[1]] {
		return "no such command"
	}
	return ""
}

func (x *index) apiRoute(m []string) string {
	want := strings.TrimSpace(m[1] + " " + parameter.ReplaceAllString(m[2], "{}"))
	if !x.routes[want] {
		return "no such route in console/openapi.json"
	}
	return ""
}

// otherRoute looks for a literal that holds the route's fixed beginning.
func (x *index) otherRoute(m []string) string {
	prefix, _, _ := strings.Cut(m[1], "{")
	for literal := range x.literals {
		if strings.Contains(literal, prefix) {
			return ""
		}
	}
	return "no code serves this route"
}

func (x *index) variable(m []string) string {
	if x.literals[m[1]] || strings.Contains(x.text, m[1]) {
		return ""
	}
	return "nothing reads this variable"
}

// ourDirs are the directories whose paths documents may claim; what else has a
// slash is of the machine, of a network or of another project.
var ourDirs = []string{"cmd", "internal", "console", "docs", "test", "packaging", "scripts", "tools", ".ci"}

func (x *index) path(m []string) string {
	name := strings.TrimSuffix(m[1], "/")
	first, _, _ := strings.Cut(name, "/")
	_, area := mayImport[first]
	switch {
	case slices.Contains(ourDirs, first) && !x.exists(name):
		return "no such file or directory"
	case area && !slices.Contains(ourDirs, first) && !x.exists("internal/"+name):
		return "no such file or directory under internal"
	}
	return ""
}

func (x *index) fileName(m []string) string {
	if !x.files[m[1]] {
		return "no file of this name"
	}
	return ""
}

// exists knows patterns with a star.
func (x *index) exists(name string) bool {
	if strings.Contains(name, "*") {
		hits, err := fs.Glob(x.tree, name)
		return err == nil && len(hits) > 0
	}
	_, err := fs.Stat(x.tree, name)
	return err == nil
}

// foreign are packages of others that documents may name.
var foreign = []string{"context", "http", "net", "slog", "sql", "synctest", "testing", "time", "tls", "x509", "ast", "rand", "embed"}

func (x *index) symbol(m []string) string {
	names := x.symbols[m[1]]
	name := m[2]
	if m[3] != "" {
		name += "." + m[3]
	}
	switch {
	case names == nil && slices.Contains(foreign, m[1]):
		return ""
	case names == nil:
		return "no package of this name"
	case !names[name] && (m[3] != "" || !hasMethod(names, m[2])):
		return "no such name in package " + m[1]
	}
	return ""
}

// hasMethod lets a document say db.InTx of a method that needs no introduction.
func hasMethod(names map[string]bool, method string) bool {
	for n := range names {
		if strings.HasSuffix(n, "."+method) {
			return true
		}
	}
	return false
}

// runtimeFiles are extensions of files that are made at run time and so are not held to exist.
var runtimeFiles = []string{"db", "log", "json", "yaml", "yml", "pem", "conf", "service", "png", "html", "sock", "key"}

func (x *index) code(m []string) string {
	if slices.Contains(runtimeFiles, strings.TrimPrefix(path.Ext(m[1]), ".")) || x.literals[m[1]] || x.isSetting(m[1]) {
		return ""
	}
	return "no error, event, action or setting has this name"
}

// isSetting knows the keys of the configuration file by their struct tags.
func (x *index) isSetting(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !x.literals[`yaml:"`+part+`"`] {
			return false
		}
	}
	return true
}

func (x *index) faultPoint(m []string) string {
	if !x.literals[m[1]] {
		return "no fault point of this name"
	}
	return ""
}

func (x *index) tableName(m []string) string {
	for _, t := range x.tables {
		if prefixOf(t.owner) == m[1]+"_" {
			if x.tables[m[1]+m[2]] == nil && !x.literals[m[1]+m[2]] {
				return "no such table; there are: " + strings.Join(slices.Sorted(maps.Keys(x.tables)), ", ")
			}
			return ""
		}
	}
	return ""
}
