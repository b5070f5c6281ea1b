// Command mutants turns the gate of each enforced clause off, one after the
// other, and runs the tests that the registry names for it until one fails, which
// has to pass with all gates on. It prints a table, and fails if a mutant lives.
//
//	go run ./test/mutants [-record FILE] [CLAUSE ...]
//
// Clauses that are named are the only ones. -record writes what killed each into
// the registry's record, internal/control/clause/killed.yaml, and leaves what it
// says of others.
//
// One test binary for each package, built with the tag "mutate", does for all of
// its mutants.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	record := flag.String("record", "", "file that says what killed each mutant")
	flag.Parse()
	if err := run(ctx, flag.Args(), *record); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only []string, record string) error {
	all, err := clause.Load()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := runner{ctx: ctx, dir: dir, built: map[string]string{}, sound: map[string]error{}}
	var alive, broken []string
	for _, c := range all {
		if c.State() != clause.Enforced || len(only) > 0 && !slices.Contains(only, c.ID) {
			continue
		}
		began := time.Now()
		killer, err := r.kill(c)
		verdict := "killed by " + killer
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			broken = append(broken, c.ID)
			verdict = "BROKEN: " + err.Error()
		case killer == "":
			alive = append(alive, c.ID)
			verdict = "ALIVE: none of its tests fails with its gate off"
		}
		fmt.Printf("%-8s  %5.1fs  %s\n", c.ID, time.Since(began).Seconds(), verdict)
		if err := keep(record, all, c.ID, killer); err != nil {
			return err
		}
	}
	if len(alive)+len(broken) > 0 {
		return fmt.Errorf("%d clauses would not be missed %v, %d could not be tried %v", len(alive), alive, len(broken), broken)
	}
	return nil
}

// keep writes what killed a clause's mutant into a record, nothing where it lives.
// It is done after each, so that a run that is cut short is not lost. The empty
// name keeps nothing.
func keep(file string, all []clause.Clause, id, killer string) error {
	if file == "" {
		return nil
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	record := map[string]string{}
	if err := yaml.Unmarshal(old, &record); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	record[id] = killer
	var out strings.Builder
	out.WriteString("# The test that failed with each clause's gate off. Made by go run ./test/mutants -record.\n")
	for _, c := range all {
		if record[c.ID] != "" && c.State() == clause.Enforced {
			fmt.Fprintf(&out, "%s: %s\n", c.ID, record[c.ID])
		}
	}
	return os.WriteFile(file, []byte(out.String()), 0o644)
}

type runner struct {
	ctx   context.Context
	dir   string
	built map[string]string // test binary of each directory
	sound map[string]error  // of each test that was run with all gates on: why it failed
}

// kill returns the first of a clause's tests that fails with its gate off and
// passes with all gates on; "" if there is none. One that fails either way is an
// error.
func (r runner) kill(c clause.Clause) (string, error) {
	for _, test := range c.Tests {
		_, ok, err := r.test(test, c.Mutate)
		if err != nil {
			return "", err
		}
		if !ok {
			return test, r.passes(test)
		}
	}
	return "", nil
}

// passes is nil for a test that passes with all gates on.
func (r runner) passes(test string) error {
	if err, known := r.sound[test]; known {
		return err
	}
	out, ok, err := r.test(test, "")
	if err == nil && !ok {
		err = fmt.Errorf("%s fails with all gates on\n%s", test, out)
	}
	r.sound[test] = err
	return err
}

// test runs one test. ok is false if it failed; a test that is not there is an
// error.
func (r runner) test(test, mutant string) (out string, ok bool, err error) {
	pkg, name, _ := strings.Cut(test, ".")
	binary, err := r.build(pkg)
	if err != nil {
		return "", false, err
	}
	cmd := exec.CommandContext(r.ctx, binary, "-test.run", "^"+name+"$", "-test.v", "-test.timeout", "5m")
	cmd.Dir = filepath.FromSlash(pkg)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SKYBRIDGE_MUTANT=") }), "SKYBRIDGE_MUTANT="+mutant)
	text, err := cmd.CombinedOutput()
	if !strings.Contains(string(text), "=== RUN   "+name) {
		return string(text), false, fmt.Errorf("%s has no test %s", pkg, name)
	}
	if r.ctx.Err() != nil {
		return string(text), false, r.ctx.Err()
	}
	return string(text), err == nil, nil
}

func (r runner) build(pkg string) (string, error) {
	if binary, ok := r.built[pkg]; ok {
		return binary, nil
	}
	binary := filepath.Join(r.dir, strings.ReplaceAll(pkg, "/", "-"))
	cmd := exec.CommandContext(r.ctx, "go", "test", "-c", "-tags", "mutate", "-o", binary, "./"+pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	r.built[pkg] = binary
	return binary, nil
}
