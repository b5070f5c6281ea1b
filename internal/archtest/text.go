package archtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
)

// lines calls visit with every line of a text file and its place. A file with
// a zero byte is not text.
func lines(tree fs.FS, name string, visit func(at, line string)) error {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		visit(fmt.Sprintf("%s:%d", name, number), strings.TrimRight(line, "\r\n"))
	}
	return nil
}

// Traces finds words of the machine on which the tree was written: the path of
// its checkout, the hosts of its private registries. needles holds them; the
// test asks the machine for them, so the rule works on every machine and names
// none.
func Traces(tree fs.FS, needles []string) ([]Violation, error) {
	var found []Violation
	err := walk(tree, func(name string) error {
		return lines(tree, name, func(at, line string) {
			for _, needle := range needles {
				if mentions(line, needle) {
					found = append(found, violation(at, "names a thing of the machine it was written on"))
				}
			}
		})
	})
	return found, err
}

// mentions finds needle in line where it is not the tail of a longer name.
func mentions(line, needle string) bool {
	for rest := line; ; {
		i := strings.Index(rest, needle)
		if i < 0 {
			return false
		}
		if i == 0 || !isNameByte(rest[i-1]) {
			return true
		}
		rest = rest[i+1:]
	}
}

func isNameByte(b byte) bool {
	return b == '_' || b == '-' || b == '.' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '}' || b == '*'
}
