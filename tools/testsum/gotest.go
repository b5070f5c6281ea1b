package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output and build-fail
	Test       string
	Elapsed    float64
	Output     string
}

// goRun collects a stream. Output is kept per test and thrown away when the
// test passes, so that a green run prints one line per package.
type goRun struct {
	out    io.Writer
	counts counts
	output map[string][]string // by package + "\x00" + test, or import path
	tests  map[string]int      // finished tests per package
	failed map[string]int      // failed tests per package
}

// summarizeGo counts leaf and parent tests alike, as go test -v prints them.
func summarizeGo(in io.Reader, out io.Writer) counts {
	r := &goRun{out: out, output: map[string][]string{}, tests: map[string]int{}, failed: map[string]int{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err != nil {
			return r.counts
		}
	}
}

func (r *goRun) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(r.out, line) // not of test2json: show it
		return
	}
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		r.output[e.ImportPath] = append(r.output[e.ImportPath], e.Output)
	case "build-fail":
		fmt.Fprint(r.out, strings.Join(r.output[e.ImportPath], ""))
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageDone(e)
		} else {
			r.testDone(e)
		}
		delete(r.output, key)
	}
}

func (r *goRun) testDone(e event) {
	r.tests[e.Package]++
	switch e.Action {
	case "pass":
		r.counts.Passed++
		return
	case "fail":
		r.counts.Failed++
		r.failed[e.Package]++
	case "skip":
		r.counts.Skipped++
		r.counts.SkippedNames = append(r.counts.SkippedNames, e.Package+" "+e.Test)
	}
	fmt.Fprint(r.out, strings.Join(r.output[e.Package+"\x00"+e.Test], ""))
}

// packageDone counts a package that failed without a failed test (it did not
// build, panicked, or leaked) as one failure. A package without test files is
// reported by go test as skipped and is none of our business.
func (r *goRun) packageDone(e event) {
	switch {
	case e.Action == "skip":
		return
	case e.Action == "fail" && r.failed[e.Package] == 0:
		r.counts.Failed++
		r.unfinished(e.Package)
		fmt.Fprint(r.out, strings.Join(r.output[e.Package+"\x00"], ""))
	}
	word := map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action]
	fmt.Fprintf(r.out, "%-4s  %-72s %7.2fs  %4d tests\n", word, e.Package, e.Elapsed, r.tests[e.Package])
}

// unfinished shows what tests said that a panic or a time-out cut short.
func (r *goRun) unfinished(pkg string) {
	for key, lines := range r.output {
		if p, test, ok := strings.Cut(key, "\x00"); ok && p == pkg && test != "" {
			fmt.Fprint(r.out, strings.Join(lines, ""))
		}
	}
}
