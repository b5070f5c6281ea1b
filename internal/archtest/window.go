package archtest

import (
	"io/fs"
	"strings"
)

// The window's package, and the program that shows it.
const (
	windowDir = "internal/client/window"
	windowCmd = "cmd/skyconnect-window"
)

// Windows finds code outside of the client's window that would link what windows
// are drawn with: the daemon, the command line and the server run on machines
// without a screen.
func Windows(tree fs.FS) ([]Violation, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, s := range all {
		if underAny(s.dir(), windowDir, windowCmd) != "" {
			continue
		}
		for _, p := range s.imports() {
			dir, _ := strings.CutPrefix(p, Module+"/")
			if under(p, "gioui.org") || under(dir, windowDir) {
				found = append(found, violation(s.path, "imports %s: only %s shows a window", p, windowCmd))
			}
		}
	}
	return found, nil
}
