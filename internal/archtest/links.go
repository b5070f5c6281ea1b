package archtest

import (
	"fmt"
	"os/exec"
	"strings"
)

// Links finds packages of dir's module that the packages named by patterns
// link, directly or not, although they must not. It asks the go command,
// since what a third party's package brings along is in no file of ours.
func Links(dir string, patterns []string, banned ...string) ([]Violation, error) {
	var found []Violation
	for _, pattern := range patterns {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", pattern)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("listing what %s links: %w", pattern, err)
		}
		for _, line := range strings.Fields(string(out)) {
			for _, b := range banned {
				if under(line, b) {
					found = append(found, violation(pattern, "links %s", line))
				}
			}
		}
	}
	return found, nil
}
