package archtest

import (
	"go/ast"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// PackageComments finds directories whose package has no comment, or more than
// one, or one that says nothing. A directory with tests alone has its comment
// in one of them.
func PackageComments(tree fs.FS) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	dirs := map[string][]source{}
	for _, s := range all {
		dirs[s.dir()] = append(dirs[s.dir()], s)
	}
	var found []Violation
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		found = append(found, packageComment(dir, dirs[dir])...)
	}
	return found, nil
}

func packageComment(dir string, files []source) []Violation {
	var with []string
	var last *ast.CommentGroup
	own := ownFiles(files)
	for _, s := range own {
		if s.file.Doc != nil {
			with, last = append(with, s.path), s.file.Doc
		}
	}
	switch len(with) {
	case 0:
		return []Violation{violation(dir, "no package comment")}
	case 1:
		return emptyComment(with[0], own[0].file.Name.Name, last.Text())
	default:
		return []Violation{violation(dir, "package comments in %s", strings.Join(with, ", "))}
	}
}

// ownFiles leaves out test files where there are others: their package clause
// may carry remarks about the tests.
func ownFiles(files []source) []source {
	own := slices.DeleteFunc(slices.Clone(files), func(s source) bool { return strings.HasSuffix(s.path, "_test.go") })
	if len(own) == 0 {
		return files
	}
	return own
}

// emptyComment holds a comment to Go's form and to more than its own name.
func emptyComment(path, name, text string) []Violation {
	if !strings.HasPrefix(text, "Package "+name) && !strings.HasPrefix(text, "Command ") {
		return []Violation{violation(path, "the package comment does not begin with %q", "Package "+name)}
	}
	if len(strings.Fields(text)) < 8 {
		return []Violation{violation(path, "the package comment says nothing: %q", strings.TrimSpace(text))}
	}
	return nil
}
