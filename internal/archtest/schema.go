package archtest

import (
	"go/ast"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// table is one table as the migrations leave it.
type table struct {
	name    string
	owner   string // the directory whose migrations made it
	columns []string
}

// schema applies the migrations of the tree in order and returns its tables by
// name. It knows the little SQL that migrations may use.
func schema(tree fs.FS) (map[string]*table, error) {
	files, err := migrations(tree)
	if err != nil {
		return nil, err
	}
	tables := map[string]*table{}
	for _, name := range files {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil, err
		}
		for _, statement := range strings.Split(sqlComment.ReplaceAllString(string(text), ""), ";") {
			apply(tables, path.Dir(path.Dir(name)), strings.TrimSpace(statement))
		}
	}
	return tables, nil
}

// migrations lists the migration files of the tree, a module's in order.
func migrations(tree fs.FS) ([]string, error) {
	var files []string
	err := walk(tree, func(name string) error {
		if path.Ext(name) == ".sql" && path.Base(path.Dir(name)) == "migrations" {
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

var (
	sqlComment      = regexp.MustCompile(`--[^\n]*`)
	createTable     = regexp.MustCompile(`(?is)^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s*\((.*)\)[^)]*$`)
	addColumn       = regexp.MustCompile(`(?is)^ALTER\s+TABLE\s+(\w+)\s+ADD\s+(?:COLUMN\s+)?(\w+)\s`)
	dropColumn      = regexp.MustCompile(`(?is)^ALTER\s+TABLE\s+(\w+)\s+DROP\s+COLUMN\s+(\w+)`)
	renameColumn    = regexp.MustCompile(`(?is)^ALTER\s+TABLE\s+(\w+)\s+RENAME\s+COLUMN\s+(\w+)\s+TO\s+(\w+)`)
	renameTable     = regexp.MustCompile(`(?is)^ALTER\s+TABLE\s+(\w+)\s+RENAME\s+TO\s+(\w+)`)
	dropTable       = regexp.MustCompile(`(?is)^DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(\w+)`)
	tableConstraint = regexp.MustCompile(`(?i)^(PRIMARY\s+KEY|UNIQUE|CHECK|FOREIGN\s+KEY|CONSTRAINT)\b`)
)

func apply(tables map[string]*table, owner, statement string) {
	get := func(name string) *table {
		if tables[name] == nil {
			tables[name] = &table{name: name, owner: owner}
		}
		return tables[name]
	}
	if m := createTable.FindStringSubmatch(statement); m != nil {
		get(m[1]).columns = columns(m[2])
	} else if m := addColumn.FindStringSubmatch(statement); m != nil {
		get(m[1]).columns = append(get(m[1]).columns, m[2])
	} else if m := dropColumn.FindStringSubmatch(statement); m != nil {
		get(m[1]).columns = slices.DeleteFunc(get(m[1]).columns, func(c string) bool { return c == m[2] })
	} else if m := renameColumn.FindStringSubmatch(statement); m != nil {
		if i := slices.Index(get(m[1]).columns, m[2]); i >= 0 {
			get(m[1]).columns[i] = m[3]
		}
	} else if m := renameTable.FindStringSubmatch(statement); m != nil {
		tables[m[2]] = &table{name: m[2], owner: owner, columns: get(m[1]).columns}
		delete(tables, m[1])
	} else if m := dropTable.FindStringSubmatch(statement); m != nil {
		delete(tables, m[1])
	}
}

// columns names the columns in the body of a CREATE TABLE.
func columns(body string) []string {
	var names []string
	for _, item := range splitTopLevel(body) {
		item = strings.TrimSpace(item)
		if item == "" || tableConstraint.MatchString(item) {
			continue
		}
		names = append(names, strings.Fields(item)[0])
	}
	return names
}

// splitTopLevel splits at commas outside of parentheses.
func splitTopLevel(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, s[start:])
}

// prefixOf is the prefix of a directory's tables: its own name, but for the
// key store, which is a database of its own.
func prefixOf(owner string) string {
	if owner == "internal/platform/vault" {
		return "keystore_"
	}
	return path.Base(owner) + "_"
}

// TablePrefixes finds tables that do not begin with the name of their module.
func TablePrefixes(tree fs.FS) ([]Violation, error) {
	tables, err := schema(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if t := tables[name]; !strings.HasPrefix(name, prefixOf(t.owner)) {
			found = append(found, violation(t.owner, "table %s does not begin with %s", name, prefixOf(t.owner)))
		}
	}
	return found, nil
}

var (
	sqlVerb  = regexp.MustCompile(`(?i)\b(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|FROM|JOIN)\b`)
	sqlWrite = regexp.MustCompile(`(?i)\b(INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b`)
	sqlWord  = regexp.MustCompile(`\w+`)
)

// ForeignTables finds SQL that names a table of another directory's module.
// Only control/report may, and it may only SELECT.
func ForeignTables(tree fs.FS) ([]Violation, error) {
	tables, err := schema(tree)
	if err != nil {
		return nil, err
	}
	return sqlTexts(tree, func(s source, at, text string) []Violation {
		var found []Violation
		for _, word := range sqlWord.FindAllString(text, -1) {
			t := tables[word]
			if t == nil || under(s.dir(), t.owner) {
				continue
			}
			if under(s.dir(), "internal/control/report") && !sqlWrite.MatchString(text) {
				continue
			}
			found = append(found, violation(at, "SQL names %s, a table of %s", word, t.owner))
		}
		return found
	})
}

// sqlTexts calls judge for every string of non-test code that holds SQL.
func sqlTexts(tree fs.FS, judge func(s source, at, text string) []Violation) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		if s.isTest() {
			continue
		}
		s.texts(func(n ast.Node, text string) {
			if sqlVerb.MatchString(text) {
				found = append(found, judge(s, s.at(n), text)...)
			}
		})
	}
	return found, nil
}

var sqlStatement = regexp.MustCompile(`(?s)^\s*(SELECT\s.+\sFROM\s|(?i:INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|WITH\s+\w+\s+AS\s*\()\s?)`)

// withoutSQL are the directories that call use cases and never tables.
var withoutSQL = []string{"cmd", "internal/app", "internal/web", "internal/provider", "internal/simulator", "internal/dataplane", "internal/client", "internal/protocol", "internal/gwlink"}

// SQLOutsideModules finds SQL statements where none belong.
func SQLOutsideModules(tree fs.FS) ([]Violation, error) {
	return sqlTexts(tree, func(s source, at, text string) []Violation {
		if underAny(s.dir(), withoutSQL...) == "" || !sqlStatement.MatchString(text) {
			return nil
		}
		return []Violation{violation(at, "an SQL statement: tables belong to modules")}
	})
}

// Holdings finds tables and columns of the migrations that the modules'
// descriptions leave out, and descriptions of what is not there. described
// maps each directory with migrations to what its function Holdings returns.
func Holdings(tree fs.FS, described map[string][]holding.Table) ([]Violation, error) {
	tables, err := schema(tree)
	if err != nil {
		return nil, err
	}
	live := map[string]map[string][]string{}
	for _, t := range tables {
		if live[t.owner] == nil {
			live[t.owner] = map[string][]string{}
		}
		live[t.owner][t.name] = t.columns
	}
	var found []Violation
	for _, owner := range slices.Sorted(maps.Keys(live)) {
		if described[owner] == nil {
			found = append(found, violation(owner, "its tables are not described: no Holdings"))
			continue
		}
		if err := holding.Verify(described[owner], live[owner]); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				found = append(found, violation(owner, "%s", line))
			}
		}
	}
	return found, nil
}
