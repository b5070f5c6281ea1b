package gwlink

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestEveryReasonIsWorded: for the person whose client is told to go, and in
// the console in both languages.
func TestEveryReasonIsWorded(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "gwlink.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]map[string]string{}
	for _, lang := range []string{"en", "zh-CN"} {
		raw, err := os.ReadFile("../../console/src/locales/" + lang + "/vpn.json")
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]string
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		words[lang] = all
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if ReasonText(reason) == reason {
			t.Errorf("%s has no sentence", reason)
		}
		for lang, all := range words {
			if all["session.reason_"+reason] == "" {
				t.Errorf("%s has no word in %s", reason, lang)
			}
		}
		return true
	})
	if n < 10 {
		t.Errorf("found %d reasons only", n)
	}
}
