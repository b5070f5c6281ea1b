package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// summarizeNode passes the TAP stream of node --test on and reads its closing
// figures. A stream without them was cut off.
func summarizeNode(in io.Reader, out io.Writer) counts {
	var c counts
	seen := map[string]int{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(out, lines.Text())
		var name string
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "# %s %d", &name, &n); err == nil {
			seen[name] = n
		}
		if text := strings.TrimSpace(lines.Text()); strings.HasPrefix(text, "ok ") && strings.Contains(text, "# SKIP") {
			c.SkippedNames = append(c.SkippedNames, text)
		}
	}
	if _, ended := seen["tests"]; !ended || lines.Err() != nil {
		c.Problem = "node's report was cut off"
	}
	c.Passed, c.Failed, c.Skipped = seen["pass"], seen["fail"]+seen["cancelled"], seen["skipped"]+seen["todo"]
	return c
}
