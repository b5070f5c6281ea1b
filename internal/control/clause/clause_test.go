package clause

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"
)

const root = "../../.."

func registry(t *testing.T) []Clause {
	t.Helper()
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The registry has what the sources promise: 44 clauses of the client's policy,
// 43 of the platform's and 8 that the law adds.
func TestTheRegistryIsWhole(t *testing.T) {
	t.Parallel()
	got := map[string]int{}
	for _, c := range registry(t) {
		kind, _, _ := strings.Cut(c.ID, "-")
		got[kind]++
	}
	if got["TY"] != 44 || got["LT"] != 43 || got["SUP"] != 8 {
		t.Errorf("got %v, want 44 TY, 43 LT and 8 SUP", got)
	}
}

// What the registry says enforces and shows a clause is in the tree, under that
// name.
func TestWhatEnforcesAClauseExists(t *testing.T) {
	t.Parallel()
	for _, c := range registry(t) {
		for _, name := range slices.Concat(c.EnforcedBy, c.Tests) {
			dir, symbol, _ := strings.Cut(name, ".")
			if !slices.Contains(symbols(t, dir), symbol) {
				t.Errorf("%s: %s has no %s", c.ID, dir, symbol)
			}
		}
	}
}

// Each enforced clause has a gate that test/mutants can turn off, and no gate is
// of a clause that nobody enforces.
func TestEveryEnforcedClauseHasAMutant(t *testing.T) {
	t.Parallel()
	gates := mutants(t)
	for _, c := range registry(t) {
		if c.State() == Enforced && !gates[c.Mutate] {
			t.Errorf("%s: no mutant.Off(%q) in the tree", c.ID, c.Mutate)
		}
		if c.State() != Enforced && gates[c.Mutate] {
			t.Errorf("%s has a gate and is not bound to it", c.ID)
		}
		delete(gates, c.Mutate)
	}
	for id := range gates {
		t.Errorf("mutant.Off(%q) is of no clause", id)
	}
}

var gate = regexp.MustCompile(`mutant\.Off\(([^)]*)\)`)

// mutants are the ids that the tree's gates name.
func mutants(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range gate.FindAllStringSubmatch(string(text), -1) {
			for _, id := range strings.Split(m[1], ",") {
				all[strings.Trim(id, `" `)] = true
			}
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d gates, %v", len(all), err)
	}
	return all
}

// The registry's quotes are found again, and a changed word is drift in both
// directions.
func TestDrift(t *testing.T) {
	t.Parallel()
	all := []Clause{{ID: "LT-1.2", Quotes: []Quote{{"platform.en", Hash("a  b\nc")}, {"platform.en@hongkong", Hash("d")}, {"client.en", Hash("e")}}}}
	good := []Span{{"platform.en", []string{"LT-1.2"}, "a b c"}, {"platform.en@hongkong", []string{"LT-1.2"}, "d"}}
	if got := Drift(all, good, "platform.en"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	good[0].Words = "a b d"
	if got := Drift(all, good, "platform.en"); len(got) != 2 {
		t.Errorf("a changed word: got %v", got)
	}
	if got := Drift(all, good[1:], "platform.en"); len(got) != 1 {
		t.Errorf("a paragraph that is gone: got %v", got)
	}
	if got := Drift(all, nil, "terms.en"); len(got) != 0 {
		t.Errorf("another document: got %v", got)
	}
	var back map[string][]Quote
	if err := yaml.Unmarshal([]byte(Quotes(all, good)), &back); err != nil || len(back["LT-1.2"]) != 2 || back["LT-1.2"][1].SHA256 != Hash("d") {
		t.Errorf("got %v, %v", back, err)
	}
}

func TestArticlesThatATextNames(t *testing.T) {
	t.Parallel()
	all := registry(t)
	day := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		text string
		on   time.Time
		want string // part of the problem; empty: none
	}{
		{"《中华人民共和国网络安全法》第二十六条", day(2026), ""},
		{"《中华人民共和国网络安全法》第二十四条", day(2026), "name CSL 26 instead"},
		{"网络安全法第二十四条", day(2020), ""},
		{"article 21 of the Counter-Terrorism Law", day(2026), ""},
		{"Article 24 of the Cybersecurity Law", day(2026), "not in force on 2026-06-01"},
		{"E-Commerce Law art. 31", day(2026), ""},
		{"电子商务法第一百零三条", day(2026), "ECL 103, which the registry does not have"},
		{"no law at all, art. 5", day(2026), ""},
	} {
		got := Cited(all, c.text, c.on)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].What, c.want)) {
			t.Errorf("%s: got %v, want %q", c.text, got, c.want)
		}
	}
}

// symbols are the names that a directory declares: types, variables, functions,
// and methods behind their type's.
func symbols(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, path := range goFiles(t, filepath.Join(root, filepath.FromSlash(dir))) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			names = append(names, declared(d)...)
		}
	}
	return names
}

func goFiles(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%s has no Go files: %v", dir, err)
	}
	return all
}

func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		of := d.Recv.List[0].Type
		if p, ok := of.(*ast.StarExpr); ok {
			of = p.X
		}
		if name, ok := of.(*ast.Ident); ok {
			return []string{name.Name + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

func TestRowsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an id twice":             "- {id: LT-1.2, must: x}\n- {id: LT-1.2, must: x}",
		"an id that is none":      "- {id: XX-1, must: x}",
		"nothing that must be":    "- {id: LT-1.2, must: ' '}",
		"a symbol without a test": "- {id: LT-1.2, must: x, enforced_by: [internal/a.B]}",
		"a test without a symbol": "- {id: LT-1.2, must: x, tests: [internal/a.TestB]}",
		"a symbol that is none":   "- {id: LT-1.2, must: x, enforced_by: [a b], tests: [internal/a.TestB]}",
		"a test that is none":     "- {id: LT-1.2, must: x, enforced_by: [internal/a.B], tests: [internal/a.B]}",
		"planned and enforced":    "- {id: LT-1.2, must: x, planned: y, enforced_by: [internal/a.B], tests: [internal/a.TestB]}",
		"a law without a day":     "- {id: LT-1.2, must: x, law: [{ref: CSL, article: '26'}]}",
		"a law that ended before": "- {id: LT-1.2, must: x, law: [{ref: CSL, article: '26', from: 2026-01-01, to: 2025-01-01}]}",
		"a word that is unknown":  "- {id: LT-1.2, must: x, enforces: y}",
	} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	all, err := parse([]byte(`
- {id: LT-1.1b, must: x, enforced_by: [internal/a.B], tests: [internal/a.TestB], law: [{ref: CSL, article: "26", from: 2026-01-01}, {ref: CSL, article: "24", from: 2017-06-01, to: 2025-12-31}]}
- {id: LT-1.1c, must: x, enforced_by: [internal/a.B], tests: [internal/a.TestB], law: [{ref: CSL, article: "24", from: 2017-06-01, to: 2025-12-31}]}
- {id: TY-2.6, must: x, planned: a client}
- {id: TY-5.1d, must: x, register: training}
- {id: TY-5.1e, must: x}
`))
	if err != nil {
		t.Fatal(err)
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		id   string
		on   time.Time
		want int
	}{
		{"LT-1.1b", day(2026, 11, 28), 0},
		{"LT-1.1b", day(2025, 12, 31), 0},
		{"LT-1.1c", day(2025, 12, 31), 0},
		{"LT-1.1c", day(2026, 1, 1), 1},
		{"TY-2.6", day(2026, 11, 28), 1},
		{"TY-5.1d", day(2026, 11, 28), 0},
		{"TY-5.1e", day(2026, 11, 28), 1},
		{"TY-9.9", day(2026, 11, 28), 1},
	} {
		if got := Lint(all, []string{c.id}, c.on); len(got) != c.want {
			t.Errorf("%s on %s: got %q, want %d problems", c.id, c.on.Format(time.DateOnly), got, c.want)
		}
	}
}

// What a clause asks of the software is said in both languages: the trust page
// shows a Chinese reader no English.
func TestWhatAClauseAsksIsInBothLanguages(t *testing.T) {
	t.Parallel()
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Must == "" || !strings.ContainsFunc(c.MustZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: got %q and %q", c.ID, c.Must, c.MustZH)
		}
	}
}
