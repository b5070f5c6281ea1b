package archtest

import (
	"go/ast"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

var sentenceKey = regexp.MustCompile(`^([a-z0-9_.]+):`)

// Translations finds error codes that a person could meet and that have no
// sentence in one of the two languages. What goes wrong in the data plane is
// read in its log.
func Translations(tree fs.FS) ([]Violation, error) {
	known := map[string]map[string]bool{"zh-CN": {}, "en": {}}
	err := walk(tree, func(name string) error {
		keys := known[path.Base(path.Dir(name))]
		if keys == nil || path.Ext(name) != ".yaml" || !under(name, "internal/platform/i18n") {
			return nil
		}
		return lines(tree, name, func(_, line string) {
			if m := sentenceKey.FindStringSubmatch(line); m != nil {
				keys[m[1]] = true
			}
		})
	})
	if err != nil {
		return nil, err
	}
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		s.codes(func(n ast.Node, code string) {
			for _, language := range []string{"zh-CN", "en"} {
				if !known[language][code] {
					found = append(found, violation(s.at(n), "%s has no sentence in %s", code, language))
				}
			}
		})
	}
	return found, nil
}

// codes calls visit for every code that non-test code makes an error with.
func (s source) codes(visit func(n ast.Node, code string)) {
	if s.isTest() || under(s.dir(), "internal/dataplane") {
		return
	}
	names := s.names()
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "New" && sel.Sel.Name != "Wrap" {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok || !strings.HasSuffix(names[x.Name], "/platform/errs") {
			return true
		}
		if lit, ok := call.Args[1].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if code, err := strconv.Unquote(lit.Value); err == nil {
				visit(call, code)
			}
		}
		return true
	})
}
